/** The public face of owners: what `app/` may use. */
export { closeOwner } from "./close";
export { reopenOwner } from "./reopen";
export { type OwnerAccess, setOwnerAccess } from "./set-access";
