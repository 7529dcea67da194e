/** What other folders may use of the verbs on owners. */
export { closeOwner } from "./close";
export { joinOrganization } from "./join-organization";
export { leaveOrganization } from "./leave-organization";
export { reopenOwner } from "./reopen";
export { type OwnerAccess, setOwnerAccess } from "./set-access";
