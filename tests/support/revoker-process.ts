import { revokeApiKey } from "@/server/keys";
import { createServerContext } from "@/server/context";
import type { RedisPlace } from "@/server/platform/redis";

import { redisPrefix } from "./slots";

/** A server process that revokes one key and prints the effect; the crash tests kill it on the way. */
const { DATABASE_URL, REDIS_PLACE, OWNER_ID, KEY_ID } = process.env;
if (!DATABASE_URL || !REDIS_PLACE || !OWNER_ID || !KEY_ID) throw new Error("a setting is missing");
const context = createServerContext({
  secretFormat: { prefix: "lk", environment: "test" },
  scopes: [],
  keyLimit: 5,
  accessFeature: undefined,
  trustedProxyHops: 0,
  databaseUrl: DATABASE_URL,
  redis: { ...(JSON.parse(REDIS_PLACE) as RedisPlace), prefix: redisPrefix },
  logLevel: "silent",
});
const { effect } = await revokeApiKey(context, { ownerId: OWNER_ID }, { id: KEY_ID });
process.stdout.write(JSON.stringify(effect));
context.redis.close();
await context.db.close();
