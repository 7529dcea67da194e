import { apiKey } from "@better-auth/api-key";
import type { SecondaryStorage } from "@better-auth/core/db";
import type { Redis } from "@upstash/redis";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import pg from "pg";

import { runBlock } from "./block";
import { compare, type Comparison, type Goal, type Side } from "./compare";
import { createPipeliningRedis } from "./redis";
import { type Services, settingOf } from "./services";
import { insertKeys, openStage, rotating, verify, warmSlots } from "./stage";
import type { Suite } from "./suite";
import { describeTrips } from "./trips";

const inFlight = 64;
/** One key a user: keys of one user would wait for each other in the peer, by its lock on the user's list. */
const keyCount = 64;
/** The size of both pools, `pg`'s default. */
const connections = 10;
const goals: Goal[] = [
  { metric: "requestsPerSecond", atLeast: 5 },
  { metric: "p50", atMost: 1 },
];

/** Verification beside better-auth's api-key plugin on the same Postgres, and with the same Redis as its secondary storage. */
export const measurePeers: Suite = async ({ services, effort, isQuick }) => {
  const stage = openStage(services);
  try {
    const keys = await insertKeys(stage, keyCount);
    await warmSlots(stage, keys);
    const hit = rotating(keys, ({ secret }) => verify(stage.context, secret));
    const ours: Side = {
      name: "Latchkey, a hit",
      run: () => runBlock(hit, { inFlight, milliseconds: effort.blockMilliseconds }),
    };
    const comparisons: Comparison[] = [];
    const notes = [`Latchkey, a hit: ${await describeTrips(hit)}.`];
    for (const variant of isQuick ? variants.filter(isPlain) : variants) {
      const peer = await openPeer(services, variant);
      try {
        const check = rotating(peer.secrets, (secret) => peer.verify(secret));
        const theirs: Side = {
          name: variant.name,
          run: () => runBlock(check, { inFlight, milliseconds: effort.blockMilliseconds, settle: () => peer.settle() }),
        };
        notes.push(`${variant.name}: ${await describeTrips(check)}.`);
        comparisons.push(await compare(`${inFlight} in flight, ${variant.name}`, theirs, ours, effort, goals));
      } finally {
        await peer.close();
      }
    }
    return { comparisons, notes };
  } finally {
    await stage.close();
  }
};

interface Variant {
  name: string;
  usesRedis: boolean;
  /** Whether it answers before it has written its own state. */
  isDeferring: boolean;
  /** Postgres's setting; "off" spares each of its commits the wait for the disk. */
  synchronousCommit: "on" | "off";
}

const variants: readonly Variant[] = [
  { name: "better-auth on Postgres", usesRedis: false, isDeferring: false, synchronousCommit: "on" },
  {
    name: "better-auth on Postgres, commits not waiting for the disk",
    usesRedis: false,
    isDeferring: false,
    synchronousCommit: "off",
  },
  { name: "better-auth on Redis", usesRedis: true, isDeferring: false, synchronousCommit: "on" },
  { name: "better-auth on Redis, updates deferred", usesRedis: true, isDeferring: true, synchronousCommit: "on" },
];

/** As it comes, without what we have tuned for it. */
const isPlain = (variant: Variant) => !variant.isDeferring && variant.synchronousCommit === "on";

interface Peer {
  secrets: string[];
  /** Waits for the updates that it has deferred. */
  settle(): Promise<void>;
  verify(secret: string): Promise<unknown>;
  close(): Promise<void>;
}

async function openPeer(services: Services, variant: Variant): Promise<Peer> {
  const deferred = new Set<Promise<unknown>>();
  const redis = createPipeliningRedis(services);
  const pool = new pg.Pool({
    connectionString: settingOf(services, "DATABASE_URL"),
    max: connections,
    options: `-c synchronous_commit=${variant.synchronousCommit}`,
    application_name: "better-auth",
  });
  const auth = betterAuth({
    baseURL: "http://localhost",
    secret: "only for this bench: nothing is signed",
    database: pool,
    telemetry: { enabled: false },
    logger: { disabled: true },
    // With the longer of our client's two time budgets: it makes several requests for a verification.
    ...(variant.usesRedis && { secondaryStorage: toSecondaryStorage(redis) }),
    advanced: {
      backgroundTasks: {
        handler: (task) => {
          const running = task.finally(() => deferred.delete(running));
          deferred.add(running);
        },
      },
    },
    plugins: [
      apiKey({
        storage: variant.usesRedis ? "secondary-storage" : "database",
        deferUpdates: variant.isDeferring,
        // Its default is 10 requests a day for a key. Off, as ours for an owner without a limit.
        rateLimit: { enabled: false },
      }),
    ],
  });
  await (await getMigrations(auth.options)).runMigrations();
  const { internalAdapter } = await auth.$context;
  const secrets: string[] = [];
  while (secrets.length < keyCount) {
    const email = `${crypto.randomUUID()}@example.test`;
    const user = await internalAdapter.createUser({ name: "Bench", email }, { method: "email-password" });
    const created = await auth.api.createApiKey({ body: { userId: user.id, name: "Production" } });
    secrets.push(created.key);
  }
  const settle = async () => {
    while (deferred.size > 0) await Promise.all(deferred);
  };
  return {
    secrets,
    settle,
    async verify(secret) {
      const { valid, error } = await auth.api.verifyApiKey({ body: { key: secret } });
      if (!valid) throw new Error(`refused: ${JSON.stringify(error)}`);
    },
    async close() {
      await settle();
      await pool.end();
    },
  };
}

/** As better-auth's documentation has it for Redis. */
function toSecondaryStorage(redis: Redis): SecondaryStorage {
  return {
    get: (key) => redis.get<string>(key),
    getAndDelete: (key) => redis.getdel<string>(key),
    async increment(key, ttl) {
      const value = await redis.incr(key);
      if (value === 1) await redis.expire(key, ttl);
      return value;
    },
    set: (key, value, ttl) => (ttl ? redis.set(key, value, { ex: ttl }) : redis.set(key, value)),
    async delete(key) {
      await redis.del(key);
    },
  };
}
