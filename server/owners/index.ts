/** What other folders may use of the verbs on owners. */
export { closeOwner } from "./close";
export { reopenOwner } from "./reopen";
export { type OwnerAccess, setOwnerAccess } from "./set-access";
