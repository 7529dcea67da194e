import { revokeApiKey, rotateApiKey, verifyApiKey } from "@/server/keys";
import { createServerContext } from "@/server/context";
import type { EventSettings } from "@/server/events";
import { endExposedKeys } from "@/server/leaks";
import type { RedisPlace } from "@/server/platform/redis";
import type { RotateInput } from "@/server/shared/inputs";

import { newCaller } from "./server-instance";
import { redisPrefix } from "./slots";

/** What the process does. */
export type Act =
  | { do: "revoke"; ownerId: string; id: string }
  | { do: "rotate"; ownerId: string; input: RotateInput }
  | { do: "verify"; secret: string }
  | { do: "report"; token: string }
  | { do: "send" };

/** A server process that does one thing. The crash tests kill it on the way. */
const { DATABASE_URL, REDIS_PLACE, EVENTS, ACT } = process.env;
if (!DATABASE_URL || !REDIS_PLACE || !ACT) throw new Error("a setting is missing");
const context = createServerContext({
  secretFormat: { prefix: "lk", environment: "test" },
  scopes: [],
  keyLimit: 5,
  accessFeature: undefined,
  onMemberLeave: "keep",
  trustedProxyHops: 0,
  databaseUrl: DATABASE_URL,
  redis: { ...(JSON.parse(REDIS_PLACE) as RedisPlace), prefix: redisPrefix },
  logLevel: "silent",
  events: EVENTS ? (JSON.parse(EVENTS) as EventSettings) : undefined,
});
// A first call waits for its connection, on a busy machine for longer than it may take. Then a step would be left out.
for (;;) if (await context.redis.slot.evaluate("return 1", { keys: ["none"], args: [] }).catch(() => null)) break;
const act = JSON.parse(ACT) as Act;
if (act.do === "send") await context.events?.sendAll();
else if (act.do === "report") await report(act.token);
else if (act.do === "verify") await verifyApiKey({ ...context, defer: () => undefined }, act.secret);
else {
  const caller = newCaller({ ownerId: act.ownerId, userId: act.ownerId });
  if (act.do === "revoke") await revokeApiKey(context, caller, { id: act.id });
  else await rotateApiKey(context, caller, act.input);
}
context.redis.close();
await context.db.close();

/** As GitHub's report, with the purge that follows it. */
async function report(token: string): Promise<void> {
  const deferred: (() => Promise<void>)[] = [];
  const findings = [{ token, location: "content", url: "https://example.com/a" }];
  await endExposedKeys({ ...context, defer: (task) => void deferred.push(task) }, findings, { source: "github" });
  for (const task of deferred) await task();
}
