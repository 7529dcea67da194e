import { and, asc, eq, gt, inArray, sql } from "drizzle-orm";

import { pendingSince } from "../outbox/effects";
import type { Statements } from "../platform/database";
import { apiKeys, apiKeySecrets, apiKeySecretUses, owners } from "../platform/schema";
import type { Effect } from "../shared/effect";
import { fromPublicId, publicIdPattern, toPublicId } from "../shared/public-id";
import { statusOf } from "../shared/status";
import { type SummaryRow, summaryColumns } from "./key-columns";
import { hasGraceEnded } from "./replace-secrets";
import { hashSecret } from "./secret";
import type { ApiKeySummary } from "./summary";

/** A key as whoever runs the app sees it, whoever's it is. It has no hash and no secret. */
export type KeyForOperator = Omit<ApiKeySummary, "rotation" | "creatorLeft"> & { ownerId: string };

/** A secret as it was found somewhere, and which of its key's secrets it is. */
export interface SecretForOperator {
  /** `previous`: accepted until `endsAt`. `revoked`: this secret alone, or its grace is over. The key's own revocation changes nothing here. */
  state: "current" | "waiting" | "previous" | "revoked";
  display: string;
  endsAt: Date | null;
  /** Of a secret that has ended alone: since when it is refused. Null: it has not; what ended the key stands with the key. */
  effect: Effect | null;
  /** At most a minute behind. */
  lastUsedAt: Date | null;
}

type RevocationState = Pick<SummaryRow, "revokedAt" | "effectiveAt" | "guaranteedBy">;

/** So many rows are in the memory at once. */
const pageSize = 500;

const columns = {
  ...summaryColumns,
  ownerId: apiKeys.ownerId,
  /** The database's clock judges: whoever asks may sit at a machine with a wrong one. */
  seenAt: sql<Date>`clock_timestamp()`.mapWith(apiKeys.createdAt),
};

/**
 * Looks keys up by their ids. It changes nothing, so it also works on a replica.
 * @param ids public ones. One that is malformed is as unknown.
 * @returns those that are known, by id.
 * @throws what the database throws.
 * @example
 * const found = await findKeysForOperator(db, ["key_0190…"]);
 */
export async function findKeysForOperator(
  db: Statements,
  ids: readonly string[],
): Promise<Map<string, KeyForOperator>> {
  const uuids = ids.filter((id) => publicIdPattern.test(id)).map(fromPublicId);
  if (uuids.length === 0) return new Map();
  const rows = await db.select(columns).from(apiKeys).where(inArray(apiKeys.id, uuids));
  return new Map(rows.map(forOperator).map((key) => [key.id, key]));
}

/**
 * Looks keys up by secrets of theirs, of any shape, prefix and environment: old ones too. It changes nothing.
 * @returns those that are known, by the secret.
 * @throws what the database throws.
 */
export async function findSecretsForOperator(
  db: Statements,
  secrets: readonly string[],
): Promise<Map<string, { key: KeyForOperator; secret: SecretForOperator }>> {
  if (secrets.length === 0) return new Map();
  const { hash, keyId, state, display, endsAt, revokedAt, effectiveAt, guaranteedBy } = apiKeySecrets;
  const { lastUsedAt } = apiKeySecretUses;
  const { seenAt } = columns;
  const rows = await db
    .select({ hash, keyId, state, display, endsAt, revokedAt, effectiveAt, guaranteedBy, lastUsedAt, seenAt })
    .from(apiKeySecrets)
    .leftJoin(apiKeySecretUses, eq(apiKeySecretUses.hash, hash))
    .where(inArray(hash, secrets.map(hashSecret)));
  const keys = await findKeysForOperator(db, [...new Set(rows.map((row) => toPublicId(row.keyId)))]);
  const byHash = new Map(rows.map((row) => [row.hash.toString("hex"), row]));
  return new Map(
    secrets.flatMap((text) => {
      const row = byHash.get(hashSecret(text).toString("hex"));
      const key = row && keys.get(toPublicId(row.keyId));
      return row && key ? [[text, { key, secret: secretForOperator(row) }] as const] : [];
    }),
  );
}

function secretForOperator(
  row: Pick<typeof apiKeySecrets.$inferSelect, "state" | "display" | "endsAt"> &
    RevocationState & { lastUsedAt: Date | null; seenAt: Date },
): SecretForOperator {
  const { state, display, endsAt, lastUsedAt, seenAt } = row;
  if (endsAt && hasGraceEnded(row, seenAt))
    return { state: "revoked", display, endsAt, lastUsedAt, effect: { status: "effective", at: endsAt } };
  return { state, display, endsAt, lastUsedAt, effect: effectOf(row, seenAt) };
}

/** Whether an owner was ever seen here. @throws what the database throws. */
export async function isKnownOwner(db: Statements, ownerId: string): Promise<boolean> {
  const found = await db.select({ id: owners.id }).from(owners).where(eq(owners.id, ownerId));
  return found.length > 0;
}

/**
 * All keys of an owner, in the order of their ids, page by page. A key that is created meanwhile comes too, since its id is larger.
 * @throws what the database throws.
 */
export async function* keysOfOwnerForOperator(db: Statements, ownerId: string): AsyncGenerator<KeyForOperator[]> {
  let after = "00000000-0000-0000-0000-000000000000";
  for (;;) {
    const isNext = and(eq(apiKeys.ownerId, ownerId), gt(apiKeys.id, after));
    const rows = await db.select(columns).from(apiKeys).where(isNext).orderBy(asc(apiKeys.id)).limit(pageSize);
    const last = rows.at(-1);
    if (!last) return;
    yield rows.map(forOperator);
    after = last.id;
  }
}

function forOperator(row: SummaryRow & { ownerId: string; seenAt: Date }): KeyForOperator {
  const { effectiveAt: _at, guaranteedBy: _by, beside: _beside, creatorLeft: _left, seenAt, ...shown } = row;
  return { ...shown, id: toPublicId(row.id), status: statusOf(row, seenAt), effect: effectOf(row, seenAt) };
}

/** As it is stored. A promise that is not stored yet is made from now on, which is later than the one that will be. */
function effectOf({ revokedAt, effectiveAt, guaranteedBy }: RevocationState, seenAt: Date): Effect | null {
  if (!revokedAt) return null;
  if (effectiveAt) return { status: "effective", at: effectiveAt };
  return guaranteedBy ? { status: "pending", guaranteedBy } : pendingSince(seenAt);
}
