import type { ServerContext } from "./context";
import type { owners } from "../platform/schema";
import { DomainError } from "../shared/errors";

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

/**
 * For every verb that changes an owner's keys. It comes before the key is looked for, so that nobody learns from the refusal which ids there
 * are, and after a rate limit.
 * @throws DomainError ORG_PERMISSION_REQUIRED.
 */
export function requireManage(caller: Pick<Caller, "canManage">): void {
  if (!caller.canManage) throw new DomainError("ORG_PERMISSION_REQUIRED");
}

type AccessColumns = Pick<typeof owners.$inferSelect, "accessAllowed" | "accessUntil" | "closedAt">;

/** Whether the owner's plan is known to have access now. */
export function hasAccess(owner: Pick<AccessColumns, "accessAllowed" | "accessUntil">, now: Date): boolean {
  return owner.accessAllowed === true && (owner.accessUntil === null || owner.accessUntil > now);
}

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
  return hasAccess(owner, ctx.now());
}

/** @throws DomainError API_ACCESS_REQUIRED where `mayCreateKeys` is false. */
export function requireAccess(
  ctx: Pick<ServerContext, "settings" | "now">,
  caller: Pick<Caller, "hasAccessClaim">,
  owner: AccessColumns,
): void {
  if (owner.closedAt) throw new DomainError("API_ACCESS_REQUIRED", { message: "This account is closed." });
  if (!mayCreateKeys(ctx, caller, owner)) throw new DomainError("API_ACCESS_REQUIRED");
}

/** For each owner. No person needs so many. A script that makes secrets and revokes them in a loop is stopped. */
const secretsPerMinute = 60;

/**
 * Counts one call that makes a secret, so a creation or a rotation.
 * @throws DomainError IMPERSONATED; RATE_LIMITED after 60 calls a minute.
 */
export async function limitSecrets(ctx: Pick<ServerContext, "limits">, caller: Caller): Promise<void> {
  if (caller.impersonatedBy !== null) throw new DomainError("IMPERSONATED");
  const state = await ctx.limits.create(caller.ownerId, secretsPerMinute);
  if (state && !state.isWithin) throw new DomainError("RATE_LIMITED");
}
