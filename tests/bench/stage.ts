import { createHash, randomBytes, randomUUID } from "node:crypto";

import { sql } from "drizzle-orm";
import { v7 as uuidV7 } from "uuid";

import { createRespClient } from "@/local/redis/resp-client";
import type { Backend } from "@/local/redis/reply";
import { verifyApiKey, type VerifyContext } from "@/server/keys";
import { hashSecret, mintSecret } from "@/server/keys/secret";
import { displaySecret } from "@/server/shared/secret-format";
import { createServerContext } from "@/server/context";
import { apiKeys, apiKeySecrets, owners } from "@/server/platform/schema";
import { localAddress } from "@/tests/support/server-instance";
import { redisPrefix, slotKeyOf } from "@/tests/support/slots";

import { type Services, settingOf } from "./services";

const format = { prefix: "lk", environment: "test" } as const;
/** Keys of one owner, as many as the default limit allows. */
const keysPerOwner = 5;
const rowsPerStatement = 1_000;

/** A server context in this process, as an app would have it, and the redis-server without a client in between. */
export interface Stage {
  context: VerifyContext;
  redis: Backend;
  /** Waits for all that was deferred. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface BenchKey {
  id: string;
  ownerId: string;
  secret: string;
  hash: Buffer;
}

export function openStage(
  services: Services,
  databaseUrl = settingOf(services, "DATABASE_URL"),
  way: "REST" | "TCP" = "REST",
): Stage {
  const deferred = new Set<Promise<void>>();
  const defer = (task: () => Promise<void>) => {
    const running = task().finally(() => deferred.delete(running));
    deferred.add(running);
  };
  const context = createServerContext({
    secretFormat: { prefix: format.prefix, environment: format.environment },
    scopes: [],
    keyLimit: keysPerOwner,
    accessFeature: undefined,
    onMemberLeave: "keep",
    trustedProxyHops: 0,
    databaseUrl,
    redis: {
      ...(way === "TCP" ? { address: localAddress(services.redisPort) } : restOf(services)),
      prefix: redisPrefix,
    },
    logLevel: "silent",
  });
  const settle = async () => {
    while (deferred.size > 0) await Promise.all(deferred);
  };
  const redis = createRespClient(services.redisSocketPath);
  return {
    context: { ...context, defer },
    redis,
    settle,
    async close() {
      await settle();
      await redis.close();
      context.redis.close();
      await context.db.close();
    },
  };
}

const restOf = (services: Services) => ({
  url: settingOf(services, "UPSTASH_REDIS_REST_URL"),
  token: settingOf(services, "UPSTASH_REDIS_REST_TOKEN"),
});

/** Puts active keys into the database, without `createApiKey` and its limits. */
export async function insertKeys(
  { context }: Stage,
  count: number,
  requestsPerMinute: number | null = null,
): Promise<BenchKey[]> {
  const keys: BenchKey[] = [];
  while (keys.length < count) {
    const size = Math.min(rowsPerStatement, count - keys.length);
    const batch = Array.from({ length: size }, () => newKey());
    for (const [at, key] of batch.entries()) key.ownerId = batch[at - (at % keysPerOwner)]?.ownerId ?? key.ownerId;
    const ownerIds = [...new Set(batch.map((key) => key.ownerId))];
    await context.db.insert(owners).values(ownerIds.map((id) => ({ id, accessAllowed: true, requestsPerMinute })));
    await context.db.insert(apiKeys).values(
      batch.map(({ id, ownerId }) => ({
        id,
        ownerId,
        createdBy: ownerId,
        name: "Production",
        environment: format.environment,
        scopes: ["projects:read", "reports:read"],
        createdAt: new Date(),
      })),
    );
    await context.db.insert(apiKeySecrets).values(
      batch.map(({ id, ownerId, secret, hash }) => ({
        hash,
        keyId: id,
        ownerId,
        display: displaySecret(secret),
        state: "current" as const,
        requestId: randomUUID(),
        requestDigest: createHash("sha256").update(secret).digest(),
        createdAt: new Date(),
      })),
    );
    keys.push(...batch);
  }
  return keys;
}

function newKey(): BenchKey {
  const secret = mintSecret(format);
  return { id: uuidV7(), ownerId: `user_${randomBytes(12).toString("hex")}`, secret, hash: hashSecret(secret) };
}

/** Keys and owners whose secrets nobody knows, made by the database itself, each row as large as a real one. */
export async function insertFiller({ context }: Stage, count: number): Promise<void> {
  const ownerCount = Math.ceil(count / keysPerOwner);
  const batch = randomBytes(12).toString("hex");
  const ownerOf = (number: ReturnType<typeof sql>) => sql`'user_' || ${batch}::text || (${number})`;
  await context.db.execute(
    sql`insert into ${owners} (id) select ${ownerOf(sql`n`)} from generate_series(0, ${ownerCount - 1}::int) n`,
  );
  await context.db.execute(sql`
    with filler as (
      insert into ${apiKeys} (id, owner_id, created_by, name, environment, scopes, created_at)
      select gen_random_uuid(), owner, owner, 'Production', 'test', array['projects:read', 'reports:read'], now()
      from generate_series(0, ${count - 1}::int) n, lateral (select ${ownerOf(sql`n / ${keysPerOwner}::int`)} as owner) of_key
      returning id, owner_id
    )
    insert into ${apiKeySecrets} (secret_hash, key_id, owner_id, display, state, request_id, request_digest, created_at)
    select sha256(uuid_send(id)), id, owner_id, 'lk_test_' || substr(md5(id::text), 1, 4) || '…' || substr(md5(id::text), 5, 4), 'current',
      gen_random_uuid(), sha256(uuid_send(id)), now()
    from filler`);
}

/** @throws unless the key is accepted: a bench of refusals would be a fast one. */
export async function verify(context: VerifyContext, secret: string): Promise<void> {
  const verification = await verifyApiKey(context, secret);
  if (!verification.valid) throw new Error(`refused: ${verification.reason}`);
}

/** Fills the keys' slots through verification, and lets them stay: a slot that ends after its 60 s would put a miss into the hits. */
export async function warmSlots(stage: Stage, keys: readonly BenchKey[]): Promise<void> {
  for (const { secret } of keys) await verify(stage.context, secret);
  await stage.settle();
  const replies = await stage.redis.pipeline(keys.map(({ hash }) => ["PERSIST", slotKeyOf(hash)]));
  if (replies.some((reply) => reply !== 1)) throw new Error("a slot was not filled");
}

/** Calls `operation` with one item after the other, round and round. */
export function rotating<Item>(items: readonly Item[], operation: (item: Item) => Promise<unknown>) {
  let next = 0;
  return (): Promise<unknown> => {
    const item = items[next++ % items.length];
    if (item === undefined) throw new Error("no items");
    return operation(item);
  };
}
