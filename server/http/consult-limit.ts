import type { VerifiedKey, VerifyContext } from "../keys";
import type { CallLimitState } from "../platform/call-limit";

/**
 * Counts a call against the limit of the key's owner. Costs a second Redis request, but only for owners that have a limit. It counts for each
 * owner, so five keys do not multiply it.
 * @returns null where there is no limit, or it cannot be counted.
 */
export async function consultLimit(context: VerifyContext, key: VerifiedKey): Promise<CallLimitState | null> {
  return key.requestsPerMinute === null ? null : context.limits.owner(key.ownerId, key.requestsPerMinute);
}
