import { after } from "next/server";

import { createClerk } from "@/server/clerk/clerk";
import { createServerContext } from "@/server/context";
import { parseEnvironment } from "@/server/settings/env";

/** Puts the app together from its settings. Only here they become options; server/ itself reads no environment. */
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
  // Next's after() runs a deferred task to its end, also on functions that freeze once they have answered.
  return { environment, clerk, context: { ...context, defer: (task: () => Promise<void>) => after(task) } };
}

// On globalThis: Next evaluates a module once for each of its bundles, and development once for each reload. There is one pool.
const holder = globalThis as { latchkey?: ReturnType<typeof compose> };

/** This process's settings, context and sign-in. Made at the first call. @throws Error that names every setting that is missing or malformed. */
export function getLatchkey() {
  holder.latchkey ??= compose();
  return holder.latchkey;
}
