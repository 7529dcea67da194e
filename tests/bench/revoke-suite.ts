import { randomUUID } from "node:crypto";

import pg from "pg";

import { revokeApiKey } from "@/server/keys";
import type { Slots } from "@/server/slot/slot";
import type { ServerContext } from "@/server/keys/context";

import { type Block, runBlock, summarize } from "./block";
import { compare, type Goal, type Side } from "./compare";
import { type KeySource, keySource } from "./key-source";
import { type Services, settingOf } from "./services";
import { type BenchKey, insertKeys, openStage, rotating, type Stage, verify, warmSlots } from "./stage";
import type { Suite } from "./suite";
import { describeTrips } from "./trips";

const goals: Goal[] = [{ metric: "p50", atMost: 1.1 }];
const inFlight = 64;

/** How long a revocation takes until it is effective, beside its own floor, and under a verification load. */
export const measureRevocations: Suite = async ({ services, effort, isQuick }) => {
  const stage = openStage(services);
  const tcp = openStage(services, undefined, "TCP");
  const pool = new pg.Pool({ connectionString: settingOf(services, "DATABASE_URL") });
  // A connection that lies idle until the services end would end this process too.
  pool.on("error", () => undefined);
  try {
    const revoked = keySource(stage);
    const touched = keySource(stage);
    const side = (name: string, source: KeySource, act: (key: BenchKey) => Promise<number>): Side => ({
      name,
      run: () => runRevocations(effort.blockMilliseconds, source, act),
    });
    const floor = side("the floor", touched, (key) => runFloor(pool, stage, key));
    const tcpFloor = side("the floor, by TCP", touched, (key) => runFloor(pool, tcp, key));
    const candidate = side("revoke, until effective", revoked, (key) => revoke(stage.context, key));
    const byTcp = side("revoke by TCP, until effective", revoked, (key) => revoke(tcp.context, key));
    const purging = side("revoke, until Redis has confirmed the purge", revoked, (key) =>
      untilPurged(stage.context, key),
    );
    const comparisons = [
      await compare("Revoke beside its own floor", floor, candidate, effort, goals),
      await compare("Revoke by TCP beside its own floor", tcpFloor, byTcp, effort, goals),
      await compare("Revoke, until no verification accepts the key", floor, purging, effort),
      await compare("Revoke by TCP beside REST", { ...candidate, name: "by REST" }, byTcp, effort),
    ];
    const trips = await describeTrips(async () => revoke(stage.context, await revoked.next()));
    const floorTrips = await describeTrips(async () => runFloor(pool, stage, await touched.next()));
    const load = await underLoad(services, isQuick ? 2_000 : 10_000);
    return { comparisons, notes: [`revoke: ${trips}.`, `its floor: ${floorTrips}.`, load] };
  } finally {
    await pool.end();
    await tcp.close();
    await stage.close();
  }
};

/** @param act revokes a key or does as much, and tells when it was done, in the milliseconds of `performance.now()` */
async function runRevocations(
  milliseconds: number,
  source: KeySource,
  act: (key: BenchKey) => Promise<number>,
): Promise<Block> {
  await source.stock(milliseconds);
  const latencies: number[] = [];
  const startedAt = performance.now();
  while (performance.now() - startedAt < milliseconds) {
    const key = await source.next();
    const before = performance.now();
    latencies.push((await act(key)) - before);
  }
  return { ...summarize(latencies, performance.now() - startedAt), failures: 0 };
}

async function revoke(context: ServerContext, { id, ownerId }: BenchKey): Promise<number> {
  const { effect } = await revokeApiKey(
    context,
    { ownerId, userId: ownerId, canManage: true, impersonatedBy: null },
    { id: `key_${id}` },
  );
  if (effect.status !== "effective") throw new Error("not effective");
  return performance.now();
}

/** The time up to the echo of the purge; the statement that records it follows, so that every later answer repeats the same time. */
async function untilPurged(context: ServerContext, key: BenchKey): Promise<number> {
  let confirmedAt = NaN;
  const slots: Slots = {
    ...context.slots,
    async purge(purges) {
      const confirmed = await context.slots.purge(purges);
      confirmedAt = performance.now();
      return confirmed;
    },
  };
  await revoke({ ...context, slots }, key);
  return confirmedAt;
}

const findHashes = `select secret_hash from latchkey.api_keys join latchkey.api_key_secrets on key_id = api_keys.id
  where api_keys.id = $1 and api_keys.owner_id = $2 and api_key_secrets.effective_at is null`;
const setRevoked = `update latchkey.api_keys set revoked_at = clock_timestamp(), revoked_by = 'owner' where id = $1`;
// Due in a time that never comes: nobody drains here.
const queuePurge = `insert into latchkey.cache_purges (key_id, secret_hash, target, next_attempt_at)
  values ($1, $2, 'revoked', clock_timestamp() + interval '1 day') returning id`;
// The column beside effective_at: a trigger writes to the history when that one is set.
const recordEffect = `with done as (delete from latchkey.cache_purges where id = $2)
  update latchkey.api_keys set guaranteed_by = clock_timestamp() where id = $1 returning guaranteed_by`;
const bypassScript = "return redis.call('SET', KEYS[1], 'M:', 'PX', 30000)";
const purgeScript = "redis.call('DEL', KEYS[1]) redis.call('SET', KEYS[1], 'T:', 'PX', 65000) return ARGV[1]";

/**
 * What the protocol cannot do without: a lookup, the bypass, a transaction with the change and its outbox row, the purge, and the statement
 * that records the effect. Bare statements through node-postgres, without a history and its triggers.
 */
async function runFloor(pool: pg.Pool, { context: { redis } }: Stage, { id, ownerId }: BenchKey): Promise<number> {
  const found = await pool.query<{ secret_hash: Buffer }>(findHashes, [id, ownerId]);
  const hash = found.rows[0]?.secret_hash ?? Buffer.alloc(0);
  const keys = [`bench:${hash.toString("hex")}`];
  await redis.slot.evaluate(bypassScript, { keys, args: [] });
  const client = await pool.connect();
  await client.query("BEGIN");
  await client.query(setRevoked, [id]);
  const queued = await client.query<{ id: string }>(queuePurge, [id, hash]);
  await client.query("COMMIT");
  client.release();
  await redis.purge.evaluate(purgeScript, { keys, args: [randomUUID()] });
  await pool.query(recordEffect, [id, queued.rows[0]?.id]);
  return performance.now();
}

/** Revokes one key after the other while as many verifications as this process can do run beside it, on the same event loop. */
async function underLoad(services: Services, milliseconds: number): Promise<string> {
  const stage = openStage(services);
  try {
    const keys = await insertKeys(stage, inFlight);
    await warmSlots(stage, keys);
    const source = keySource(stage);
    await source.stock(milliseconds / 2);
    const latencies: number[] = [];
    let failures = 0;
    const hit = rotating(keys, ({ secret }) => verify(stage.context, secret));
    const load = runBlock(hit, { inFlight, milliseconds });
    for (const startedAt = performance.now(); performance.now() - startedAt < milliseconds;) {
      const before = performance.now();
      await revoke(stage.context, await source.next()).then(
        () => latencies.push(performance.now() - before),
        () => failures++,
      );
    }
    const verifications = await load;
    const { p50, p99 } = summarize(latencies, milliseconds);
    const rate = `${verifications.requestsPerSecond.toFixed(0)} verifications a second in the same process (${inFlight} in flight, p50 ${verifications.p50.toFixed(1)} ms)`;
    const times = `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, slowest ${Math.max(...latencies).toFixed(1)} ms`;
    return `Beside ${rate}: ${latencies.length} revocations effective, one after the other, ${failures} not; ${times}.`;
  } finally {
    await stage.close();
  }
}
