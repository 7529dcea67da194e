import { randomUUID } from "node:crypto";

import { Redis } from "@upstash/redis";
import { eq, sql } from "drizzle-orm";
import { beforeEach, expect } from "vitest";

import { type Caller, listApiKeys, rotateApiKey, verifyApiKey } from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { apiKeySecrets, cachePurges } from "@/server/platform/schema";
import { rotateInput } from "@/server/shared/inputs";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import type { RedisKind } from "@/tests/support/redis-kinds";
import { testRedis } from "@/tests/support/services";
import { slotKeyOf } from "@/tests/support/slots";

export const isPurge = (body: string) => body.includes("'DEL'");
export const isCommit = (statement: string) => statement.startsWith("COMMIT");
export const revoked = { valid: false, reason: "revoked" };
export const current = { valid: true, key: { secret: "current" } };
export const previous = { valid: true, key: { secret: "previous" } };
export const reused = { code: "API_KEY_REQUEST_REUSED" };
export const grace = 3_600;

/** Starts a test server for a file that tests rotation. @returns it, and what these tests do with keys. */
export function useRotatingKeys(redisKind: RedisKind) {
  const server = useTestServer(redisKind);
  const redis = new Redis({ ...testRedis(redisKind), automaticDeserialization: false });
  const evict = (secret: string) => redis.del(slotKeyOf(secret));
  const verify = (secret: string) => verifyApiKey(server(), secret);
  const warm = async (secret: string) => {
    const verification = await verify(secret);
    await server().runDeferred();
    return verification;
  };
  const makeDue = () =>
    server()
      .db.update(cachePurges)
      .set({ nextAttemptAt: sql`clock_timestamp()` });
  const inputFor = (id: string, graceSeconds = grace) =>
    rotateInput.parse({ id, graceSeconds, requestId: randomUUID() });
  const rotate = (caller: Caller, { key }: { key: { id: string } }, graceSeconds = grace) =>
    rotateApiKey(server(), caller, inputFor(key.id, graceSeconds));
  const listed = async (caller: Caller) => (await listApiKeys(server(), caller)).keys[0];

  beforeEach(async () => {
    server().redisProxy.decide = () => "pass";
    server().postgresProxy.decide = () => "pass";
    await server().db.delete(cachePurges);
  });

  /** A key whose first secret is in its slot, and a second one that waits. */
  async function waiting(graceSeconds = grace, fields: { expiresInDays?: number } = {}) {
    const caller = newCaller();
    const created = await createKeyOf(server(), caller, fields);
    await warm(created.secret);
    const rotated = await rotate(caller, created, graceSeconds);
    return { caller, key: created.key, old: created.secret, fresh: rotated.secret, rotated };
  }

  /** The same after the first use of the second secret. */
  async function inGrace(graceSeconds = grace, fields: { expiresInDays?: number } = {}) {
    const key = await waiting(graceSeconds, fields);
    expect(await warm(key.fresh)).toMatchObject(current);
    return key;
  }

  /** From now on every purge is refused, as if Redis could not be reached. */
  const refusePurges = () => {
    server().redisProxy.decide = (body) => (isPurge(body) ? "refuse" : "pass");
  };

  const stored = async (secret: string) => {
    const [row] = await server()
      .db.select()
      .from(apiKeySecrets)
      .where(eq(apiKeySecrets.hash, hashSecret(secret)));
    return row;
  };

  async function isWaitingForLock(): Promise<boolean> {
    const lock = sql`select from pg_stat_activity
      where datname = current_database() and application_name = 'latchkey' and wait_event_type = 'Lock'`;
    return ((await server().db.execute(lock)).rowCount ?? 0) > 0;
  }

  return {
    ...{ server, redis, evict, verify, warm, makeDue, inputFor, rotate, listed, waiting, inGrace },
    ...{ refusePurges, stored, isWaitingForLock },
  };
}
