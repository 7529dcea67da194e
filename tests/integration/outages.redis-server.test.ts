import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { type LocalRedis, startLocalRedis } from "@/local/redis";
import { createRespClient } from "@/local/redis/resp-client";
import { checkReadiness } from "@/server/http/readiness";
import { revokeApiKey, verifyApiKey } from "@/server/keys";

import {
  createKeyOf,
  createWarmKey,
  newCaller,
  startServerInstance,
  type TestServer,
} from "../support/server-instance";
import { testDatabaseUrl } from "../support/services";
import { slotKeyOf } from "../support/slots";

describe.each(["REST", "TCP"])("a Redis server, reached by %s,", (way) => {
  let redis: LocalRedis;
  let raw: ReturnType<typeof createRespClient>;
  let server: TestServer;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "latchkey-redis-"));
    redis = await startLocalRedis({ server: "redis-server", directory });
    raw = createRespClient(redis.process?.socketPath ?? "");
    const { url, token } = redis;
    const place = way === "TCP" ? { url, token, socketPath: redis.process?.socketPath ?? "" } : { url, token };
    server = await startServerInstance(await testDatabaseUrl(), place);
  });
  afterAll(async () => {
    await server.close();
    await raw.close();
    await redis.stop();
    await rm(directory, { recursive: true, force: true });
  });
  const command = (...words: string[]) => raw.pipeline([words]);
  /** A connection that was lost is opened again in the background. */
  const untilAnswered = () => vi.waitFor(() => server.slots.read(randomBytes(32)), { timeout: 5_000 });

  it("that is full serves cached keys, leaves others to the database, and can still be revoked against", async () => {
    const warm = await createWarmKey(server);
    await command("CONFIG", "SET", "maxmemory", "1");
    const cold = await createKeyOf(server, newCaller());
    server.postgresProxy.statements.length = 0;
    expect(await verifyApiKey(server, warm.secret)).toMatchObject({ valid: true });
    expect(server.postgresProxy.statements).toHaveLength(0);
    expect(await verifyApiKey(server, cold.secret)).toMatchObject({ valid: true });
    await server.runDeferred();
    expect(await command("EXISTS", slotKeyOf(cold.secret))).toEqual([0]);
    expect((await revokeApiKey(server, warm.caller, warm.key)).effect.status).toBe("effective");
    expect(await verifyApiKey(server, warm.secret)).toEqual({ valid: false, reason: "revoked" });
    await command("CONFIG", "SET", "maxmemory", "0");
  });

  it("that became a read-only replica confirms no purge, and the health check says so", async () => {
    const { caller, key } = await createWarmKey(server);
    await command("REPLICAOF", "127.0.0.1", "1");
    expect((await revokeApiKey(server, caller, key)).effect.status).toBe("pending");
    expect(await checkReadiness(server)).toMatchObject({ isReady: false, postgres: "ok", redis: "unreachable" });
    await command("REPLICAOF", "NO", "ONE");
    await untilAnswered();
    expect((await revokeApiKey(server, caller, key)).effect.status).toBe("effective");
  });

  it("that holds something else in a slot can still be revoked against", async () => {
    const { caller, key, secret } = await createWarmKey(server);
    await command("DEL", slotKeyOf(secret));
    await command("RPUSH", slotKeyOf(secret), "anything");
    expect(await verifyApiKey(server, secret)).toMatchObject({ valid: true });
    expect((await revokeApiKey(server, caller, key)).effect.status).toBe("effective");
    expect(await verifyApiKey(server, secret)).toEqual({ valid: false, reason: "revoked" });
  });

  it("that loses everything costs a database read and no wrong answer", async () => {
    const { caller, key, secret } = await createWarmKey(server);
    await command("FLUSHALL");
    expect(await verifyApiKey(server, secret)).toMatchObject({ valid: true });
    await revokeApiKey(server, caller, key);
    await command("FLUSHALL");
    await server.runDeferred();
    expect(await verifyApiKey(server, secret)).toEqual({ valid: false, reason: "revoked" });
  });

  it("that is killed and restarted answers again, and no revoked key passes", async () => {
    const { caller, key, secret } = await createWarmKey(server);
    await revokeApiKey(server, caller, key);
    await redis.process?.restart();
    expect(await verifyApiKey(server, secret)).toEqual({ valid: false, reason: "revoked" });
    await untilAnswered();
    const other = await createWarmKey(server);
    server.postgresProxy.statements.length = 0;
    expect(await verifyApiKey(server, other.secret)).toMatchObject({ valid: true });
    expect(server.postgresProxy.statements).toHaveLength(0);
  });
});
