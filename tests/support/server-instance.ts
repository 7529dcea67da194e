import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { type Caller, createApiKey, verifyApiKey, type VerifyContext } from "@/server/keys";
import { type CreateInput, createInput } from "@/server/shared/inputs";
import { createServerContext } from "@/server/context";
import type { LeakContext, LeakSettings } from "@/server/leaks";
import type { RedisPlace } from "@/server/platform/redis";
import { allScopes } from "@/server/latchkey/scopes";

import { type PostgresProxy, startPostgresProxy } from "./postgres-proxy";
import { type RedisProxy, startRedisProxy } from "./redis-proxy";
import { startRedisTcpProxy } from "./redis-tcp-proxy";
import { redisPrefix as defaultRedisPrefix } from "./slots";

export type Settings = Partial<
  Pick<
    VerifyContext["settings"],
    "keyLimit" | "accessFeature" | "adopt" | "onMemberLeave" | "secretFormat" | "trustedProxyHops"
  >
> & { redisPrefix?: string; leaks?: Partial<LeakSettings>; events?: { url: string; secret: string } };

/** A Redis behind the REST API. With `socketPath` it is reached there, by its own protocol, and by the REST API only to look at it. */
export interface TestRedis {
  url: string;
  token: string;
  socketPath?: string;
}

/** A proxy in front of it, and where a server finds that. */
export async function startProxyOf({
  url,
  token,
  socketPath,
}: TestRedis): Promise<{ proxy: RedisProxy; place: RedisPlace }> {
  if (socketPath === undefined) {
    const proxy = await startRedisProxy(url);
    return { proxy, place: { url: proxy.url, token } };
  }
  const proxy = await startRedisTcpProxy(socketPath);
  return { proxy, place: { address: localAddress(proxy.port) } };
}

export const localAddress = (port: number) => ({ host: "127.0.0.1", port, isEncrypted: false, database: 0 });

/** One server instance as a process would have it, its way to Redis and Postgres, and what it has deferred. */
export interface TestServer extends LeakContext {
  redisProxy: RedisProxy;
  redisPlace: RedisPlace;
  postgresProxy: PostgresProxy;
  /** Runs what was deferred since the last call: the moment when a host would run it is the test's choice. */
  runDeferred(): Promise<void>;
  /** Resolves when Redis answers slot reads. After two failures a connection is opened again in the background, so that takes a moment. */
  redisAnswers(): Promise<void>;
  /** Moves this server's clock. */
  advance(milliseconds: number): void;
  close(): Promise<void>;
}

export async function startServerInstance(
  databaseUrl: string,
  redis: TestRedis,
  { redisPrefix = defaultRedisPrefix, ...settings }: Settings = {},
): Promise<TestServer> {
  const { proxy: redisProxy, place: redisPlace } = await startProxyOf(redis);
  const postgresProxy = await startPostgresProxy(databaseUrl);
  let skew = 0;
  const context = createServerContext({
    secretFormat: { prefix: "lk", environment: "test" },
    scopes: allScopes,
    keyLimit: 5,
    accessFeature: undefined,
    onMemberLeave: "keep",
    trustedProxyHops: 0,
    ...settings,
    databaseUrl: postgresProxy.url,
    redis: { ...redisPlace, prefix: redisPrefix },
    logLevel: "silent",
    now: () => new Date(Date.now() + skew),
  });
  const deferred: (() => Promise<void>)[] = [];
  return {
    ...context,
    redisProxy,
    redisPlace,
    postgresProxy,
    defer: (task) => void deferred.push(task),
    async runDeferred() {
      for (const task of deferred.splice(0)) await task();
    },
    async redisAnswers() {
      const answers = () =>
        context.redis.slot.evaluate("return 1", { keys: [], args: [] }).then(
          () => true,
          () => false,
        );
      while (!(await answers())) await sleep(5);
    },
    advance: (milliseconds) => void (skew += milliseconds),
    async close() {
      context.redis.close();
      await context.db.close();
      await postgresProxy.stop();
      await redisProxy.stop();
    },
  };
}

/** A person in their own account; with `ownerKind: "organization"` an admin of a new organisation. */
export function newCaller(claims: Partial<Caller> = {}): Caller {
  const { ownerKind = "user", userId = ownerKind === "user" ? claims.ownerId : undefined } = claims;
  const person = userId ?? `user_${randomUUID()}`;
  return {
    ownerId: ownerKind === "user" ? person : `org_${randomUUID()}`,
    ownerKind,
    ownerName: ownerKind === "user" ? null : "Acme",
    hasAccessClaim: false,
    canManage: true,
    impersonatedBy: null,
    ...claims,
    userId: person,
  };
}

/** A parsed input for `createApiKey`, with a request of its own. */
export function newKeyInput(fields: { name?: string; requestId?: string; expiresInDays?: number } = {}): CreateInput {
  return createInput.parse({ name: "Production", requestId: randomUUID(), ...fields });
}

export async function createKeyOf(server: TestServer, caller: Caller, fields: Parameters<typeof newKeyInput>[0] = {}) {
  return createApiKey(server, caller, newKeyInput(fields));
}

/** A key that was just accepted, with its value in the slot. */
export async function createWarmKey(server: TestServer) {
  const caller = newCaller();
  const created = await createKeyOf(server, caller);
  await verifyApiKey(server, created.secret);
  await server.runDeferred();
  return { caller, ...created };
}
