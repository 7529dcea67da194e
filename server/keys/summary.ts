import { type SummaryRow } from "./key-columns";
import { toPublicId } from "../shared/public-id";
import { type KeyStatus, statusOf } from "../shared/status";
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
  /** At most a minute behind. Null: never used. */
  lastUsedAt: Date | null;
  /** From this moment on the key is refused. Null: it never expires. */
  expiresAt: Date | null;
  revokedAt: Date | null;
  /** `key`: the key revoked itself. `account`: the account was banned or deleted, or who has created the key has left. */
  revokedBy: "owner" | "key" | "account" | null;
  /** How far the revocation has come; null while the key is not revoked. */
  effect: Effect | null;
}

export function toSummary(row: SummaryRow, now: Date, effect: Effect | null): ApiKeySummary {
  const { effectiveAt: _effectiveAt, guaranteedBy: _guaranteedBy, ...shown } = row;
  return { ...shown, id: toPublicId(row.id), status: statusOf(row, now), effect };
}
