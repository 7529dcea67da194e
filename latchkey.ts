import { after } from "next/server";

import { createClerk } from "@/server/clerk/clerk";
import { createServerContext } from "@/server/context";
import { parseEnvironment } from "@/server/settings/env";

/** Puts the app together. Only here the settings become plain options, so what they are options of reads no environment. */
function compose() {
  const environment = parseEnvironment(process.env);
  const context = createServerContext({
    secretFormat: { prefix: environment.API_KEY_PREFIX, environment: environment.API_KEY_ENVIRONMENT },
    keyLimit: environment.API_KEY_LIMIT,
    accessFeature: environment.API_ACCESS_FEATURE,
    trustedProxyHops: environment.TRUSTED_PROXY_HOPS,
    databaseUrl: environment.DATABASE_URL,
    redis: {
      url: environment.UPSTASH_REDIS_REST_URL,
      token: environment.UPSTASH_REDIS_REST_TOKEN,
      prefix: environment.API_KEY_REDIS_PREFIX,
    },
    logLevel: environment.LOG_LEVEL,
  });
  const clerk = createClerk({
    secretKey: environment.CLERK_SECRET_KEY,
    jwtKey: environment.CLERK_JWT_KEY,
    apiUrl: environment.CLERK_API_URL,
    webhookSecret: environment.CLERK_WEBHOOK_SIGNING_SECRET,
    appOrigin: environment.APP_ORIGIN,
    accessFeature: environment.API_ACCESS_FEATURE,
  });
  // Next's after() lets a deferred task end, also in functions that freeze after their answer.
  return { environment, clerk, context: { ...context, defer: (task: () => Promise<void>) => after(task) } };
}

// Kept on globalThis, so that a process has one pool. Next evaluates a module once for each bundle, and in development at each reload.
const holder = globalThis as { latchkey?: ReturnType<typeof compose> };

/**
 * The settings, the context and the sign-in of this process. The first call makes them and connects to nothing yet.
 * @returns `environment`: the checked settings. `context`: what verbs and endpoints take. `clerk`: the sign-in.
 * @throws Error that names every setting that is missing or malformed.
 * @example
 * const verification = await verifyApiKey(getLatchkey().context, "lk_live_…");
 */
export function getLatchkey() {
  holder.latchkey ??= compose();
  return holder.latchkey;
}
