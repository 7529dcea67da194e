import type { ServerContext } from "./context";
import type { owners } from "../platform/schema";

/** The signed-in person who calls. It comes from the session and never from a request's input. */
export interface Caller {
  ownerId: string;
  /** Whether the session says that the plan includes API access. It may be a minute old. */
  hasAccessClaim: boolean;
  /** Whether somebody else acts as this user. */
  isImpersonated: boolean;
}

type AccessColumns = Pick<typeof owners.$inferSelect, "accessAllowed" | "accessUntil" | "closedAt">;

/**
 * Whether the caller may create keys. The account must be open. Where a feature is required, both the session and the owner's row must allow
 * it, since a session may be out of date. Where the row does not know yet, the session alone decides.
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
