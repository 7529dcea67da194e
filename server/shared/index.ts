/** What a browser may load of `server/`: pure rules, which the server applies too. */
export { type Effect, weakestEffect } from "./effect";
export type { DomainErrorCode } from "./errors";
export { expectedOwnerHeader, otherOwnerMessage } from "./expected-owner";
export { findSecrets } from "./find-secrets";
export type { CreateInput } from "./inputs";
export type { Actor, ActorKind, KeyEvent, KeyEventAction, KeyEventDetail } from "./key-event";
export { normaliseName } from "./name";
export { displaySecret } from "./secret-format";
export { hasEnded, type KeyStatus, statusOf } from "./status";
