import { hasName } from "../shared/errors";
import type { KeyEnvironment } from "../shared/secret-format";
import { hasEnded } from "../shared/status";
import type { SlotPayload } from "./slot-payload";

/** An accepted key, as the host app's handlers see it. */
export interface VerifiedKey {
  keyId: string;
  /** A user or an organisation. */
  ownerId: string;
  /** The user who has created the key. */
  createdBy: string;
  name: string;
  environment: KeyEnvironment;
  scopes: string[];
  createdAt: Date;
  /** When this secret ends: by a rotation, or with its key. Null: it has no end. */
  expiresAt: Date | null;
  /** `previous`: a rotation has put another secret in the place of this one, which ends soon. */
  secret: "current" | "previous";
  /** The owner's limit for all keys together. Null: there is none. */
  requestsPerMinute: number | null;
}

export type RefusalReason = "malformed" | "unknown" | "revoked" | "expired" | "access_required";

/** Neither Redis nor the database could tell anything about the key. This is no verdict: the key may be good. */
export class VerificationUnavailableError extends Error {
  override name = "VerificationUnavailableError";
  static override [Symbol.hasInstance] = hasName("VerificationUnavailableError");
}

/** By what a value is judged. */
export interface JudgedBy {
  environment: KeyEnvironment;
  /** Whether the owner's plan has to include API access. */
  requiresAccess: boolean;
  /** In milliseconds since 1970. */
  now: number;
}

/** Judges the slot's or the row's value by the present clock and settings. So a value is cached, but a verdict never is. */
export function refusalOf(payload: SlotPayload, { environment, requiresAccess, now }: JudgedBy): RefusalReason | null {
  if (payload.environment !== environment) return "unknown";
  if (hasEnded(payload.endsAt, now)) return "revoked";
  if (hasEnded(payload.expiresAt, now)) return "expired";
  const { allowed, until } = payload.access;
  const hasAccess = allowed === true && (until === null || until > now);
  return requiresAccess && !hasAccess ? "access_required" : null;
}

/** What a handler sees of a value that was accepted. */
export function toVerifiedKey(payload: SlotPayload): VerifiedKey {
  return {
    keyId: payload.keyId,
    ownerId: payload.ownerId,
    createdBy: payload.createdBy,
    name: payload.name,
    environment: payload.environment,
    scopes: payload.scopes,
    createdAt: new Date(payload.createdAt),
    expiresAt: endOf(payload),
    secret: payload.secret,
    requestsPerMinute: payload.requestsPerMinute,
  };
}

/** The secret's own end or its key's, whichever comes first. */
function endOf({ endsAt, expiresAt }: SlotPayload): Date | null {
  const ends = [endsAt, expiresAt].filter((end) => end !== null);
  return ends.length === 0 ? null : new Date(Math.min(...ends));
}
