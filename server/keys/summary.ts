import { type SummaryRow } from "./key-columns";
import { toPublicId } from "../shared/public-id";
import { type KeyStatus, statusOf } from "../shared/status";
import type { KeyEnvironment } from "../shared/secret-format";
import type { Effect } from "../shared/effect";

/** A key as its owner sees it. By type it has no hash and no secret. */
export interface ApiKeySummary {
  id: string;
  name: string;
  display: string;
  environment: KeyEnvironment;
  scopes: string[];
  status: KeyStatus;
  createdAt: Date;
  /** At most a minute behind. */
  lastUsedAt: Date | null;
  expiresAt: Date | null;
  revokedAt: Date | null;
  revokedBy: "owner" | "key" | "account" | null;
  /** How far the revocation has come; null while the key is not revoked. */
  effect: Effect | null;
}

export function toSummary(row: SummaryRow, now: Date, effect: Effect | null): ApiKeySummary {
  const { effectiveAt: _effectiveAt, guaranteedBy: _guaranteedBy, ...shown } = row;
  return { ...shown, id: toPublicId(row.id), status: statusOf(row, now), effect };
}
