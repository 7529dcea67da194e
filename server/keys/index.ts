/** What other folders may use of the verbs on keys. */
export type { Caller } from "./access";
export type { LatchkeyServer } from "./context";
export type { Adopt, AdoptedKey } from "./adopt";
export { cancelRotation } from "./cancel-rotation";
export { createApiKey, type CreatedApiKey } from "./create";
export { endGrace } from "./end-grace";
export { effectOfApiKey } from "./effect-of-key";
export { importKeys } from "./import";
export { invalidateCache, limitInvalidations } from "./invalidate-cache";
export { type ApiKeyList, listApiKeys } from "./list";
export { renameApiKey } from "./rename";
export { revokeAllApiKeys, revokeApiKey } from "./revoke";
export { revokeSelf } from "./revoke-self";
export { rotateApiKey } from "./rotate";
export type { ApiKeySummary } from "./summary";
export type { Effect } from "../shared/effect";
export { type ApiKeyUsage, usageOfApiKey } from "./usage-of-key";
export {
  openServer,
  type RefusalReason,
  type Verification,
  type VerifiedKey,
  VerificationUnavailableError,
  verifyApiKey,
  type VerifyContext,
} from "./verify";
