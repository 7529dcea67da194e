import { once } from "node:events";

import { asc, eq, isNull, sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";

import { revokeApiKey } from "@/server/keys";
import { drainPurges, startDraining } from "@/server/outbox/drain";
import { apiKeys, apiKeySecrets, cachePurges } from "@/server/platform/schema";
import type { Slots } from "@/server/slot/slot";

import { fromPublicId } from "@/server/shared/public-id";

import { createKeyOf, newCaller, startTestServer, useTestServer } from "../support/domain";
import { createGate } from "../support/gate";
import { storePendingRevocations } from "../support/pending-revocations";
import type { Fate } from "../support/redis-proxy";
import { redisKinds, testDatabaseUrl } from "../support/services";

/** More than two batches. */
const many = 401;
const outages: [title: string, fate: Fate][] = [
  ["is down", "refuse"],
  ["hangs", "hang"],
  ["answers 500", { status: 500, body: '{"error":"ERR broken"}' }],
  ["answers OK to everything", { status: 200, body: '[{"result":"OK"}]' }],
  [
    "is a read-only replica",
    { status: 200, body: '[{"error":"READONLY You can\'t write against a read only replica."}]' },
  ],
];

function commandsIn(body: string): string[][] {
  const parsed = JSON.parse(body) as string[] | string[][];
  return Array.isArray(parsed[0]) ? (parsed as string[][]) : [parsed as string[]];
}

describe.each(redisKinds)("after an outage of %s", (redisKind) => {
  const server = useTestServer(redisKind);
  const queued = () => server().db.select().from(cachePurges).orderBy(asc(cachePurges.id));
  const notEffective = () => server().db.$count(apiKeys, isNull(apiKeys.effectiveAt));
  const purgesIn = (body: string) => commandsIn(body).filter(([name]) => name === "eval");

  beforeEach(async () => {
    server().redisProxy.decide = () => "pass";
    await server().db.delete(cachePurges);
    await server().db.delete(apiKeySecrets);
    await server().db.delete(apiKeys);
  });

  it("many secrets of one key are purged in requests that Redis can take", async () => {
    const { key } = await createKeyOf(server(), newCaller());
    await server().db.execute(sql`
      with replaced as (
        insert into ${apiKeySecrets} (secret_hash, key_id, owner_id, display, state, created_at, revoked_at)
        select sha256((id::text || n)::bytea), id, owner_id, 'lk_test_Ab3d…9xYz', 'revoked', now(), now()
        from ${apiKeys}, generate_series(1, ${many}::int) n where id = ${fromPublicId(key.id)}::uuid
        returning key_id, secret_hash
      )
      insert into ${cachePurges} (key_id, secret_hash, target, next_attempt_at)
      select key_id, secret_hash, 'revoked', now() from replaced`);
    const sizes: number[] = [];
    server().redisProxy.decide = (body) => {
      sizes.push(purgesIn(body).length);
      return "pass";
    };
    expect(await drainPurges(server())).toEqual({ confirmed: many, failed: 0 });
    expect(Math.max(...sizes)).toBeLessThanOrEqual(200);
  });

  it.each(outages)(
    "that %s, one probe at a time was sent, and the first that is confirmed frees all",
    async (_title, fate) => {
      await storePendingRevocations(server().db, many);
      const before = await queued();
      server().redisProxy.decide = () => fate;
      server().redisProxy.requests.length = 0;
      for (let drain = 1; drain <= 2; drain++) {
        expect(await drainPurges(server())).toEqual({ confirmed: 0, failed: many });
        expect(server().redisProxy.requests.map((body) => purgesIn(body).length)).toEqual(Array(drain).fill(1));
      }
      expect(await queued()).toEqual(before);
      expect(await notEffective()).toBe(many);
      server().redisProxy.decide = () => "pass";
      expect(await drainPurges(server())).toEqual({ confirmed: many, failed: 0 });
      expect(await notEffective()).toBe(0);
      expect(await queued()).toEqual([]);
    },
  );

  it("that lasted long, the pauses are as short as after a short one, and the next drain frees all", async () => {
    await storePendingRevocations(server().db, many);
    server().redisProxy.decide = () => "refuse";
    const pauses: number[] = [];
    const drained = createGate();
    const stop = startDraining(server(), async (milliseconds, stopped) => {
      pauses.push(milliseconds);
      if (pauses.length === 20) server().redisProxy.decide = () => "pass";
      if (pauses.length <= 20) return;
      drained.open();
      await once(stopped, "abort");
    });
    await drained.opened;
    expect(await notEffective()).toBe(0);
    await stop();
    server().redisProxy.decide = (body) => (purgesIn(body).length > 0 ? "refuse" : "pass");
    const caller = newCaller();
    const { key } = await createKeyOf(server(), caller);
    await revokeApiKey(server(), caller, key);
    const probeUnderWay = 1_000;
    expect(probeUnderWay + Math.max(...pauses) + (await longestLeftAlone())).toBeLessThan(4_500);
  });

  it("that ended while many purges were sent, those are due again as soon as any other", async () => {
    await storePendingRevocations(server().db, many);
    let requests = 0;
    server().redisProxy.decide = () => (++requests > 1 ? "refuse" : "pass");
    expect(await drainPurges(server())).toEqual({ confirmed: 0, failed: many });
    expect(requests).toBe(3);
    expect(await longestLeftAlone()).toBeLessThan(2_500);
  });

  it("two instances that drain at once purge each slot once", async () => {
    await storePendingRevocations(server().db, many);
    const other = await startTestServer(redisKind, server().postgresProxy.url);
    other.redisProxy.requests = server().redisProxy.requests;
    server().redisProxy.requests.length = 0;
    const totals = await Promise.all([drainPurges(server()), drainPurges(other)]);
    await other.close();
    expect(totals.map(({ failed }) => failed)).toEqual([0, 0]);
    expect(totals.reduce((sum, { confirmed }) => sum + confirmed, 0)).toBe(many);
    const slots = server().redisProxy.requests.flatMap((body) => purgesIn(body).map(([, , , slot]) => slot));
    expect(slots.filter((slot) => !slot?.endsWith("0".repeat(64)))).toHaveLength(many);
    expect(await notEffective()).toBe(0);
  });

  it("drains of one process never have two probes under way", async () => {
    await storePendingRevocations(server().db, many);
    let [underWay, mostUnderWay] = [0, 0];
    const slots: Slots = {
      ...server().slots,
      async purge(purges) {
        mostUnderWay = Math.max(mostUnderWay, ++underWay);
        // Time enough for the others to begin.
        for (let turn = 0; turn < 20; turn++) await server().db.execute("select 1");
        underWay--;
        return purges.map(() => false);
      },
    };
    const context = { ...server(), slots };
    await Promise.all([1, 2, 3].map((at) => drainPurges(context, { dueOrNot: at === 3 })));
    expect(mostUnderWay).toBe(1);
  });

  describe("asked to drain what is due or not, as the cron endpoint does,", () => {
    const toLater = () =>
      server()
        .db.update(cachePurges)
        .set({ attempts: 9, nextAttemptAt: sql`now() + random() * interval '1 hour'` });

    it("a drain tries everything once", async () => {
      await storePendingRevocations(server().db, many);
      await toLater();
      expect(await drainPurges(server())).toEqual({ confirmed: 0, failed: 0 });
      expect(await drainPurges(server(), { dueOrNot: true })).toEqual({ confirmed: many, failed: 0 });
      expect(await notEffective()).toBe(0);
    });

    it("two instances lose nothing to each other, and end", async () => {
      await storePendingRevocations(server().db, many);
      await toLater();
      const other = await startTestServer(redisKind, server().postgresProxy.url);
      await Promise.all([server(), other, server()].map((one) => drainPurges(one, { dueOrNot: true })));
      await other.close();
      expect(await notEffective()).toBe(0);
      expect(await queued()).toEqual([]);
    });

    it("one that runs out of time leaves the rest to the next, which takes it at once", async () => {
      await storePendingRevocations(server().db, many);
      await toLater();
      let clock = 0;
      const now = () => (clock += 3_000);
      const first = await drainPurges(server(), { dueOrNot: true, now });
      expect(first.failed).toBe(0);
      expect(first.confirmed).toBeGreaterThan(0);
      expect(first.confirmed).toBeLessThan(many);
      expect(await drainPurges(server())).toEqual({ confirmed: many - first.confirmed, failed: 0 });
      expect(await notEffective()).toBe(0);
    });

    it("one that runs out of time has begun no batch larger than 200, whichever plan Postgres chooses", async () => {
      const url = new URL(await testDatabaseUrl());
      const unwanted = ["hashagg", "hashjoin", "mergejoin", "sort", "material"];
      url.searchParams.set("options", unwanted.map((name) => `-c enable_${name}=off`).join(" "));
      const other = await startTestServer(redisKind, url.href);
      await storePendingRevocations(other.db, many);
      let clock = 0;
      // Time enough for one batch.
      const first = await drainPurges(other, { now: () => (clock += 4_000) });
      await other.close();
      expect(first).toEqual({ confirmed: 200, failed: 0 });
    });

    it("a Redis that is down gets one request", async () => {
      await storePendingRevocations(server().db, many);
      await toLater();
      server().redisProxy.decide = () => "refuse";
      server().redisProxy.requests.length = 0;
      expect(await drainPurges(server(), { dueOrNot: true })).toEqual({ confirmed: 0, failed: many });
      expect(server().redisProxy.requests).toHaveLength(1);
    });
  });

  describe("one purge that always fails", () => {
    const spoilt: [title: string, fate: Fate | "refused alone" | "forged alone"][] = [
      ["by an error of its own", "refused alone"],
      ["by a forged answer", "forged alone"],
      ["with the request that carries it", "refuse"],
      ["with the request that carries it, answered 500", { status: 500, body: "{}" }],
      ["with the request that carries it, answered OK", { status: 200, body: '[{"result":"OK"}]' }],
    ];

    it.each(spoilt)("%s holds up no other, and is not given up", async (_title, fate) => {
      await storePendingRevocations(server().db, 50);
      const [poisoned] = await queued();
      // The one that every drain would begin with.
      await server()
        .db.update(cachePurges)
        .set({ nextAttemptAt: new Date(0) })
        .where(eq(cachePurges.id, poisoned?.id ?? ""));
      const poison = poisoned?.hash.toString("hex") ?? "never";
      let requests = 0;
      server().redisProxy.decide = (body) => {
        requests++;
        if (!body.includes(poison)) return "pass";
        if (fate !== "refused alone" && fate !== "forged alone") return fate;
        const answers = purgesIn(body).map(([, , , slot, nonce = ""]) => {
          if (!slot?.includes(poison)) return { result: Buffer.from(nonce).toString("base64") };
          return fate === "refused alone" ? { error: "OOM command not allowed" } : { result: "T0s=" };
        });
        return { status: 200, body: JSON.stringify(answers) };
      };
      expect(await drainPurges(server())).toEqual({ confirmed: 49, failed: 1 });
      expect(requests).toBeLessThan(25);
      expect(await queued()).toMatchObject([{ id: poisoned?.id }]);
      expect(await longestLeftAlone()).toBeLessThan(2_500);
      await storePendingRevocations(server().db, 3);
      await server()
        .db.update(cachePurges)
        .set({ nextAttemptAt: sql`now()` });
      expect(await drainPurges(server())).toEqual({ confirmed: 3, failed: 1 });
      server().redisProxy.decide = () => "pass";
      expect(await drainPurges(server(), { dueOrNot: true })).toEqual({ confirmed: 1, failed: 0 });
      expect(await notEffective()).toBe(0);
    });
  });

  /** For how many milliseconds, at the most, a purge that somebody tries or has tried is left alone, by the database's clock. */
  async function longestLeftAlone(): Promise<number> {
    const [row] = await server()
      .db.select({ left: sql<string>`max(extract(epoch from next_attempt_at - clock_timestamp())) * 1000` })
      .from(cachePurges);
    return Number(row?.left ?? NaN);
  }
});
