import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { revokeApiKey, verifyApiKey } from "@/server/keys";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { startOrigin, startWorker, type TestOrigin, workerSettings } from "@/tests/support/edge";
import { createRandom } from "@/tests/support/random";
import { type RedisProxy, startRedisProxy } from "@/tests/support/redis-proxy";
import { testRedis } from "@/tests/support/services";

import { clock, countHistory, findViolations, type SecretHistory } from "./history";

const keysAtOnce = 8;
const keysInAll = 32;
/** A key is revoked once it is in use. */
const acceptedBefore = 6;

describe("a worker and a Node instance race with revocations", () => {
  const server = useTestServer("embedded");
  let redisProxy: RedisProxy;
  let origin: TestOrigin;
  beforeAll(async () => {
    redisProxy = await startRedisProxy(testRedis("embedded").url);
    origin = await startOrigin(server());
  });
  afterAll(async () => {
    await origin.stop();
    await redisProxy.stop();
  });

  async function race(random: ReturnType<typeof createRandom>): Promise<SecretHistory[]> {
    const redis = { ...testRedis("embedded"), url: redisProxy.url };
    const worker = await startWorker("workerd", workerSettings(redis, origin));
    const late = () => sleep(random.chance(0.9) ? random.between(0, 10) : random.between(20, 200));
    server().defer = (task) => void late().then(task);
    server().redisProxy.decide = () => late().then(() => "pass" as const);
    origin.decide = () => late().then(() => "pass" as const);
    const histories: SecretHistory[] = [];

    const outcomes = { 200: "accepted", 401: "refused", 503: "unavailable" } as const;
    async function verifyAtEdge(secret: string) {
      const { status } = await worker.ask({ authorization: `Bearer ${secret}` });
      return outcomes[status as keyof typeof outcomes];
    }
    async function verifyInNode(secret: string) {
      const verification = await verifyApiKey(server(), secret).catch(() => null);
      if (!verification) return "unavailable" as const;
      return verification.valid ? ("accepted" as const) : ("refused" as const);
    }
    async function live() {
      while (histories.length < keysInAll) {
        const caller = newCaller();
        const history: SecretHistory = { verifications: [], revocations: [] };
        histories.push(history);
        const { key, secret } = await createKeyOf(server(), caller);
        const life = { isOver: false };
        const verifyOn = async (verify: (secret: string) => Promise<"accepted" | "refused" | "unavailable">) => {
          while (!life.isOver) {
            const startedAt = clock();
            const outcome = await verify(secret);
            history.verifications.push({ startedAt, endedAt: clock(), outcome });
            await sleep(1);
          }
        };
        const load = [verifyOn(verifyAtEdge), verifyOn(verifyAtEdge), verifyOn(verifyInNode)];
        while (history.verifications.filter(({ outcome }) => outcome === "accepted").length < acceptedBefore)
          await sleep(5);
        const startedAt = clock();
        const { effect } = await revokeApiKey(server(), caller, key);
        const promise =
          effect.status === "effective"
            ? { effectiveAt: effect.at.getTime() }
            : { guaranteedBy: effect.guaranteedBy.getTime() };
        history.revocations.push({ of: "key", startedAt, endedAt: clock(), promise });
        await sleep(random.between(50, 250));
        life.isOver = true;
        await Promise.all(load);
      }
    }
    try {
      await Promise.all(Array.from({ length: keysAtOnce }, live));
    } finally {
      await worker.stop();
    }
    return histories;
  }

  it("and accept nothing that started after an effective answer", async () => {
    const random = createRandom(20_261_127);
    redisProxy.decide = (body) => {
      const dice = random.next();
      if (dice < 0.03) return "refuse";
      if (dice < 0.05) return { status: 200, body: '{"result":null}' };
      return sleep(random.between(0, body.length % 7)).then(() => "pass" as const);
    };
    const histories = await race(random);
    expect(findViolations(histories)).toEqual([]);
    const counts = countHistory(histories);
    expect(counts.revocations).toBe(histories.length);
    expect(counts.effective).toBeGreaterThan(keysInAll / 2);
    expect(counts.raced).toBeGreaterThan(keysInAll);
    // So the worker has read values, too, and not only asked the origin.
    expect(redisProxy.requests.length).toBeGreaterThan(origin.requests.length);
  });

  it("and a replica that lags behind the leader is found out, so the checker can fail", async () => {
    const seen = new Map<string, string>();
    redisProxy.decide = async (body) => {
      const [, , , slotKey = "", nonce = ""] = JSON.parse(body) as string[];
      const stored = seen.get(slotKey);
      if (stored) return { status: 200, body: JSON.stringify({ result: [nonce, stored] }) };
      const answer = await fetch(testRedis("embedded").url, {
        method: "POST",
        headers: { authorization: `Bearer ${testRedis("embedded").token}` },
        body: JSON.stringify(["GET", slotKey]),
      });
      const { result } = (await answer.json()) as { result: string | null };
      if (result?.startsWith("V:")) seen.set(slotKey, result);
      return "pass";
    };
    const violations = findViolations(await race(createRandom(7)));
    expect(violations.map(({ rule }) => rule)).toContain("accepted after effective");
  });
});
