/** `latchkey/edge`: verifies keys with Web standards alone, such as in Cloudflare Workers or on Vercel's edge. */
export { type RefusalReason, VerificationUnavailableError, type VerifiedKey } from "../gateway/verdict";
export type { SecretFormat } from "../shared/secret-format";
export type { EdgeOptions } from "./options";
export type { WaitUntil } from "./uses";
export {
  createEdgeVerifier,
  type EdgeHandler,
  type EdgeVerification,
  type EdgeVerifier,
  type EdgeRouteContext,
} from "./verifier";
