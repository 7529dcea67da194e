import type { ServerContext } from "./context";
import type { owners } from "../platform/schema";

/** The signed-in person who calls, and for whom. It comes from the session and never from a request's input. */
export interface Caller {
  /** Whose keys these are: the session's active organisation where there is one, else the person. */
  ownerId: string;
  ownerKind: "user" | "organization";
  /** The organisation's name. Null for a person, and where nobody could tell it. */
  ownerName: string | null;
  /** The person. */
  userId: string;
  /** Whether the session says that the owner's plan includes API access. It may be a minute old. */
  hasAccessClaim: boolean;
  /** Whether the person may change the owner's keys. Always so for a person's own. */
  canManage: boolean;
  /** Who acts as this person. Null: nobody else does. */
  impersonatedBy: string | null;
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
