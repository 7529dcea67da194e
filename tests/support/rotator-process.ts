import { type Caller, rotateApiKey, verifyApiKey } from "@/server/keys";
import { createServerContext } from "@/server/context";
import { rotateInput } from "@/server/shared/inputs";

import { redisPrefix } from "./slots";

/** A server process that verifies the secret SECRET, or else rotates one key as ROTATION says; the crash tests kill it on the way. */
const { DATABASE_URL, REDIS_URL, REDIS_TOKEN, OWNER_ID, ROTATION, SECRET } = process.env;
if (!DATABASE_URL || !REDIS_URL || !REDIS_TOKEN || !OWNER_ID || !ROTATION) throw new Error("a setting is missing");
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
const caller: Caller = {
  ownerId: OWNER_ID,
  ownerKind: "user",
  ownerName: null,
  userId: OWNER_ID,
  hasAccessClaim: false,
  canManage: true,
  impersonatedBy: null,
};
if (SECRET) await verifyApiKey({ ...context, defer: () => undefined }, SECRET);
else await rotateApiKey(context, caller, rotateInput.parse(JSON.parse(ROTATION)));
await context.db.close();
