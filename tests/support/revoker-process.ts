import { revokeApiKey } from "@/server/keys";
import { createServerContext } from "@/server/context";

import { redisPrefix } from "./slots";

/** A server process that revokes one key and prints the effect; the crash tests kill it on the way. */
const { DATABASE_URL, REDIS_URL, REDIS_TOKEN, OWNER_ID, KEY_ID } = process.env;
if (!DATABASE_URL || !REDIS_URL || !REDIS_TOKEN || !OWNER_ID || !KEY_ID) throw new Error("a setting is missing");
const context = createServerContext({
  secretFormat: { prefix: "lk", environment: "test" },
  scopes: [],
  keyLimit: 5,
  accessFeature: undefined,
  onMemberLeave: "keep",
  trustedProxyHops: 0,
  databaseUrl: DATABASE_URL,
  redis: { url: REDIS_URL, token: REDIS_TOKEN, prefix: redisPrefix },
  logLevel: "silent",
});
const { effect } = await revokeApiKey(
  context,
  { ownerId: OWNER_ID, userId: OWNER_ID, canManage: true, impersonatedBy: null },
  { id: KEY_ID },
);
process.stdout.write(JSON.stringify(effect));
await context.db.close();
