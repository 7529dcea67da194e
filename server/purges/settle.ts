import { sql } from "drizzle-orm";

import type { ServerContext } from "../context";
import { apiKeys, cachePurges } from "../db/schema";
import { describeFault } from "../logger";
import type { QueuedPurge } from "./enqueue";

/**
 * Tries to carry out purges from the outbox, once, in one Redis request.
 *
 * A revocation is effective when every hash of its key that may still be cached has been purged. So the caller passes, for each key,
 * all purges that were in the outbox when it saw the key revoked; none can be added later, since a revoked key gets no new hash.
 *
 * @param revokedKeyIds the keys among them whose committed revocation the caller has seen before reading the outbox.
 * @returns for each purge whether Redis confirmed it, and by key id when each fully confirmed revocation became effective.
 */
export async function settlePurges(
  ctx: Pick<ServerContext, "db" | "slots" | "logger" | "metrics">,
  purges: readonly QueuedPurge[],
  revokedKeyIds: readonly string[],
): Promise<{ confirmed: boolean[]; effectiveAt: Map<string, Date> }> {
  let confirmed: boolean[];
  try {
    confirmed = await ctx.slots.purge(purges);
  } catch (fault) {
    // Policy: an unreachable Redis is no error of the revocation, which is committed. The purge stays in the outbox.
    ctx.logger.warn({ fault: describeFault(fault), purges: purges.length }, "purge not confirmed");
    confirmed = purges.map(() => false);
  }
  ctx.metrics.countPurges(confirmed);
  const done = purges.filter((_, at) => confirmed[at]);
  const isFullyConfirmed = (keyId: string) => purges.every((purge, at) => purge.keyId !== keyId || confirmed[at]);
  const effectiveAt = await recordConfirmed(ctx, done, revokedKeyIds.filter(isFullyConfirmed));
  return { confirmed, effectiveAt };
}

/**
 * One statement, so that no crash can leave a key without its outbox row and without the time at which it became effective.
 * The keys' rows are locked first, in the order of their ids, as every transaction here does: no deadlock with a repeated revoke.
 */
async function recordConfirmed(
  ctx: Pick<ServerContext, "db" | "logger">,
  done: readonly QueuedPurge[],
  effectiveKeyIds: readonly string[],
): Promise<Map<string, Date>> {
  if (done.length === 0) return new Map();
  const statement = sql`
    with locked as materialized (
      select id from ${apiKeys} where id = any(${sql.param(done.map((purge) => purge.keyId))}::uuid[]) order by id for no key update
    ), deleted as (
      delete from ${cachePurges} where (select count(*) from locked) > 0 and (id, generation) in (
        select * from unnest(${sql.param(done.map((purge) => purge.id))}::uuid[], ${sql.param(done.map((purge) => purge.generation))}::int[])
      )
    )
    update ${apiKeys} set effective_at = coalesce(effective_at, clock_timestamp())
    where id in (select id from locked) and id = any(${sql.param([...effectiveKeyIds])}::uuid[])
    returning id, effective_at`;
  try {
    const { rows } = await ctx.db.execute<{ id: string; effective_at: string }>(statement);
    return new Map(rows.map((row) => [row.id, new Date(row.effective_at)]));
  } catch (fault) {
    ctx.logger.warn({ fault: describeFault(fault) }, "confirmed purge not recorded; the outbox repeats it");
    return new Map();
  }
}
