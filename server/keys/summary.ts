import type { Statements } from "../platform/database";
import { effectsOf, effectsOfEndedSecrets } from "../outbox/effects";
import type { SecretBeside, SummaryRow } from "./key-columns";
import { toPublicId } from "../shared/public-id";
import { hasEnded, type KeyStatus, statusOf } from "../shared/status";
import type { KeyEnvironment } from "../shared/secret-format";
import type { Effect } from "../shared/effect";

/** A key as its owner sees it. Its type has no hash and no secret. */
export interface ApiKeySummary {
  /** `key_` and a UUID. */
  id: string;
  name: string;
  /** The part of the secret that is shown, such as `lk_test_Ab3d…9xYz`. */
  display: string;
  environment: KeyEnvironment;
  scopes: string[];
  status: KeyStatus;
  createdAt: Date;
  /** The user who has created the key. */
  createdBy: string;
  /** Whether that user has left the organisation that the key belongs to, or has lost the account. They may still know the secret. */
  creatorLeft: boolean;
  /** When a rotation put the current secret in the place of another one. Null: never. */
  rotatedAt: Date | null;
  /** The rotation that is under way. Null: none, or one whose old secret has ended. */
  rotation: Rotation | null;
  /** At most a minute behind. Null: never used. */
  lastUsedAt: Date | null;
  /** From this moment on the key is refused. Null: it never expires. */
  expiresAt: Date | null;
  revokedAt: Date | null;
  /**
   * `key`: the key revoked itself. `account`: the account was banned or deleted, or who has created the key has left. `operator`: a command.
   * `leak`: somebody has found it.
   */
  revokedBy: "owner" | "key" | "account" | "operator" | "leak" | null;
  /** How far the revocation has come; null while the key is not revoked. */
  effect: Effect | null;
}

/** A rotation that is under way. */
type Rotation =
  /** The new secret, whose display this is, was not accepted yet. The old one works without an end until it is. */
  | { state: "waiting"; display: string; since: Date; graceSeconds: number }
  /** The old secret, whose display this is, is refused from `endsAt` on. `effect`: how far its revocation has come, where it was revoked. */
  | { state: "grace"; display: string; endsAt: Date; lastUsedAt: Date | null; effect: Effect | null };

/**
 * @param effect of the revocation of the key.
 * @param endedEffect of a secret that was revoked in its grace and was not effective when the row was read.
 */
export function toSummary(
  row: SummaryRow,
  now: Date,
  effect: Effect | null,
  endedEffect: Effect | null = null,
): ApiKeySummary {
  const { effectiveAt: _effectiveAt, guaranteedBy: _guaranteedBy, beside, ...shown } = row;
  const rotation = beside && !row.revokedAt ? toRotation(beside, now, endedEffect) : null;
  return { ...shown, id: toPublicId(row.id), status: statusOf(row, now), effect, rotation };
}

function toRotation(beside: SecretBeside, now: Date, endedEffect: Effect | null): Rotation | null {
  const { state, display, createdAt, graceSeconds } = beside;
  if (state === "waiting") return { state, display, since: new Date(createdAt), graceSeconds: graceSeconds ?? 0 };
  const endsAt = beside.endsAt === null ? now : new Date(beside.endsAt);
  const isOver = state === "previous" ? hasEnded(endsAt.getTime(), now.getTime()) : endedEffect?.status !== "pending";
  if (isOver) return null;
  const lastUsedAt = beside.lastUsedAt === null ? null : new Date(beside.lastUsedAt);
  return { state: "grace", display, endsAt, lastUsedAt, effect: state === "revoked" ? endedEffect : null };
}

/** Summaries of rows, with the effects of what was revoked. What was pending is looked at again. */
export async function summarise(db: Statements, rows: readonly SummaryRow[], now: Date): Promise<ApiKeySummary[]> {
  const ended = rows.filter(({ beside, revokedAt }) => beside?.state === "revoked" && !revokedAt).map(({ id }) => id);
  const effects = await effectsOf(db, rows);
  const endedEffects = await effectsOfEndedSecrets(db, ended);
  return rows.map((row) => toSummary(row, now, effects.get(row.id) ?? null, endedEffects.get(row.id) ?? null));
}
