import type { ServerContext } from "./context";
import type { owners } from "../platform/schema";

/** Who calls, as the host's session tells: never taken from a request's input. */
export interface Caller {
  ownerId: string;
  /** Whether the session's plan claims API access. May be a minute old. */
  hasAccessClaim: boolean;
  /** Whether somebody else acts as this user. */
  isImpersonated: boolean;
}

type AccessColumns = Pick<typeof owners.$inferSelect, "accessAllowed" | "accessUntil" | "closedAt">;

/**
 * Whether the caller may create keys: the account is open and, where a feature is required, both the session and our own row say so.
 * The row outranks a stale session; a row that was never determined leaves it to the session.
 */
export function mayCreateKeys(
  ctx: Pick<ServerContext, "settings" | "now">,
  caller: Pick<Caller, "hasAccessClaim">,
  owner: AccessColumns | undefined,
): boolean {
  if (owner?.closedAt) return false;
  if (!ctx.settings.accessFeature) return true;
  if (!caller.hasAccessClaim) return false;
  if (!owner || owner.accessAllowed === null) return true;
  return owner.accessAllowed && (owner.accessUntil === null || owner.accessUntil > ctx.now());
}
