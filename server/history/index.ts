/** What other folders may use of the history. */
export { byClerk, byKey, byOperator, byUser, type Person } from "./actors";
export { type KeyEventPage, listKeyEvents } from "./list-events";
export { createPruner, defaultHistoryDays, pruneInTime } from "./prune";
export { recordEffective } from "./record-effective";
export { actOf, insertEvents, recordEvents } from "./record-events";
export { recordWithChange } from "./record-with-change";
