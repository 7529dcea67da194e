import { type SQL, sql } from "drizzle-orm";
import pg from "pg";
import { v7 as uuidV7 } from "uuid";

import type { OutboxContext } from "../outbox/context";
import { byOperator, recordEvent } from "../history";
import { commitUntilKnown } from "../outbox/commit-until-known";
import type { Statements } from "../platform/database";
import { apiKeys, apiKeySecrets, owners } from "../platform/schema";
import type { KeyEnvironment } from "../shared/secret-format";
import type { TakenOverKey } from "./taken-over";

export type ImportContext = Pick<OutboxContext, "db" | "logger"> & {
  environment: KeyEnvironment;
  /** How the keys come here, for the history. */
  from: "import" | "adopt";
  now: () => Date;
  /** An owner of whose plan nothing is known counts as having API access, until Clerk tells of the plan. */
  withAccess?: boolean;
};

/** `known`: the owner has this key already, and it is as it was. `revoked`: the same, and it stays revoked. */
export type ImportOutcome = "imported" | "known" | "revoked" | { refused: string };

const uniqueViolation = "23505";

/**
 * Stores keys of another system, in one transaction. Their secrets go on working. The limit of keys does not stop it, and an owner that is not
 * known is made. A hash that is there already is left as it is, so a call that is repeated changes nothing.
 *
 * No slot is purged: a hash that no row has is in no slot, since only a row is ever stored there. A process may remember for 10 s that it did
 * not know the hash. Until then it refuses a key that somebody has tried before its import.
 *
 * @param keys at most some thousand.
 * @returns what has become of each, in the same order. Refused are keys of another owner and of a closed account.
 * @throws what the database throws. Then nothing was stored.
 * @example
 * const [outcome] = await importKeys({ db, logger, environment: "live", from: "import", now: () => new Date() }, [key]);
 */
export async function importKeys(ctx: ImportContext, keys: readonly TakenOverKey[]): Promise<ImportOutcome[]> {
  if (keys.length === 0) return [];
  const minted = keys.map((key): MintedKey => ({ ...key, id: uuidV7(), hex: key.hash.toString("hex") }));
  for (let attempt = 1; ; attempt++) {
    try {
      return (await commitUntilKnown(ctx, (transaction) => storeKeys(ctx, transaction, minted))).result;
    } catch (fault) {
      // Another owner's import of the same hash was committed in between. The next attempt sees it.
      if (attempt > 3 || !isUniqueViolation(fault)) throw fault;
    }
  }
}

/** A key with the id that it gets. The id stays the same when the transaction is repeated, and so tells what an earlier attempt has stored. */
type MintedKey = TakenOverKey & { id: string; hex: string };

async function storeKeys(ctx: ImportContext, transaction: Statements, keys: MintedKey[]): Promise<ImportOutcome[]> {
  const closed = await lockOwners(transaction, keys, ctx.withAccess ? true : null);
  const stored = await findStored(transaction, keys);
  const fresh: MintedKey[] = [];
  const outcomes = keys.map((key): ImportOutcome => {
    const found = stored.get(key.hex);
    if (found && found.ownerId !== key.ownerId) return { refused: "another owner has this key" };
    if (found?.id === key.id) return "imported";
    if (found) return found.isRevoked ? "revoked" : "known";
    if (closed.has(key.ownerId)) return { refused: "the owner's account is closed" };
    // A later line of the same batch may have the same hash.
    stored.set(key.hex, { id: "", ownerId: key.ownerId, isRevoked: false });
    fresh.push(key);
    return "imported";
  });
  if (fresh.length > 0) await insertKeys(ctx, transaction, fresh);
  return outcomes;
}

/**
 * Makes the owners that are missing and locks all of them, in the order of their ids, as every transaction locks an owner before its keys.
 * @param access true: those of whose plan nothing is known have access.
 * @returns those that are closed.
 */
async function lockOwners(
  transaction: Statements,
  keys: readonly MintedKey[],
  access: true | null,
): Promise<Set<string>> {
  const ids = sql`${sql.param([...new Set(keys.map((key) => key.ownerId))])}::text[]`;
  await transaction.execute(sql`
    insert into ${owners} (id, access_allowed) select id, ${access}::boolean from unnest(${ids}) as id order by id
    on conflict (id) do update set access_allowed = excluded.access_allowed
    where ${owners.accessAllowed} is null and excluded.access_allowed is not null`);
  const { rows } = await transaction.execute<{ id: string; is_closed: boolean }>(sql`
    select id, closed_at is not null as is_closed from ${owners} where id = any(${ids}) order by id for no key update`);
  return new Set(rows.filter((row) => row.is_closed).map((row) => row.id));
}

async function findStored(transaction: Statements, keys: readonly MintedKey[]) {
  const { rows } = await transaction.execute<{ hex: string; id: string; ownerId: string; isRevoked: boolean }>(sql`
    select encode(secret.secret_hash, 'hex') as hex, key.id, key.owner_id as "ownerId",
      (key.revoked_at is not null or secret.revoked_at is not null) as "isRevoked"
    from ${apiKeySecrets} secret join ${apiKeys} key on key.id = secret.key_id
    where secret.secret_hash = any(select decode(hex, 'hex') from unnest(${sql.param(keys.map((key) => key.hex))}::text[]) as hex)`);
  return new Map(rows.map(({ hex, ...row }) => [hex, row]));
}

/**
 * Nobody knows who has created the keys, so that is the owner. One JSON text carries a whole batch: an array of arrays, as scopes are, is none
 * for Postgres.
 */
async function insertKeys(ctx: ImportContext, transaction: Statements, keys: readonly MintedKey[]): Promise<void> {
  const now = ctx.now();
  const rows = keys.map(({ id, ownerId, name, hex, display, scopes, createdAt, expiresAt }) => ({
    ...{ id, ownerId, name, hex, display, scopes, expiresAt },
    createdAt: createdAt ?? now,
  }));
  const batch: SQL = sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row (
    id uuid, "ownerId" text, name text, hex text, display text, scopes jsonb, "createdAt" timestamptz, "expiresAt" timestamptz)`;
  const detail = sql`jsonb_build_object('from', ${ctx.from}::text)`;
  const columns = { ownerId: sql`owner_id`, keyId: sql`id`, keyName: sql`name`, detail };
  await transaction.execute(sql`
    with created as (
      insert into ${apiKeys} (id, owner_id, created_by, name, environment, scopes, created_at, expires_at)
      select id, "ownerId", "ownerId", name, ${ctx.environment}, array(select jsonb_array_elements_text(scopes)), "createdAt", "expiresAt"
      from ${batch}
      returning id, owner_id, name
    )
    select ${recordEvent("key.created", byOperator, columns)} from created`);
  await transaction.execute(sql`
    insert into ${apiKeySecrets} (secret_hash, key_id, owner_id, display, state, created_at)
    select decode(hex, 'hex'), id, "ownerId", display, 'current', "createdAt" from ${batch} order by hex`);
}

function isUniqueViolation(fault: unknown): boolean {
  const origin = fault instanceof Error && fault.cause ? fault.cause : fault;
  return origin instanceof pg.DatabaseError && origin.code === uniqueViolation;
}
