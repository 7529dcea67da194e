import { revokeApiKey } from "@/server/keys";
import { createServerContext } from "@/server/context";

/** A server process that revokes one key and prints the effect; the crash tests kill it on the way. */
const { DATABASE_URL, REDIS_URL, REDIS_TOKEN, OWNER_ID, KEY_ID } = process.env;
if (!DATABASE_URL || !REDIS_URL || !REDIS_TOKEN || !OWNER_ID || !KEY_ID) throw new Error("a setting is missing");
const context = createServerContext({
  API_KEY_PREFIX: "lk",
  API_KEY_ENVIRONMENT: "test",
  API_KEY_LIMIT: 5,
  API_ACCESS_FEATURE: undefined,
  TRUSTED_PROXY_HOPS: 0,
  DATABASE_URL,
  UPSTASH_REDIS_REST_URL: REDIS_URL,
  UPSTASH_REDIS_REST_TOKEN: REDIS_TOKEN,
  LOG_LEVEL: "silent",
});
const { effect } = await revokeApiKey(context, { ownerId: OWNER_ID }, { id: KEY_ID });
process.stdout.write(JSON.stringify(effect));
await context.db.close();
