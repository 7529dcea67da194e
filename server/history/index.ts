/** What other folders may use of the history. */
export { byClerk, byKey, byOperator, byReporter, byUser } from "./actors";
export { eventFormats } from "./event-formats";
export { exportEvents } from "./export-events";
export { type KeyEventPage, listKeyEvents } from "./list-events";
export { noteExpiringInTime, noteExpiringUntil } from "./note-expiring";
export { createPruner, defaultHistoryDays, pruneInTime } from "./prune";
export { chooseHistory, toKeyEvent } from "./read-events";
export { recordEvent } from "./record-event";
export { type NewEvent, recordEvents } from "./record-events";
export { recordWithChange } from "./record-with-change";
