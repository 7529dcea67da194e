import { parseEnvironment } from "./env";

export type EnvironmentOptions = ReturnType<typeof fromEnvironment>;

/**
 * Reads the settings, checks them, and turns them into options for `createLatchkey`. docs/settings.md, which the package has too, explains each.
 * @param source by default the environment of the process.
 * @returns the options, and beside them `clerk` for `createClerk`, and `publishableKey`.
 * @throws Error that names every setting that is missing or malformed. It never repeats a value.
 * @example
 * const { clerk, ...options } = fromEnvironment();
 * const latchkey = createLatchkey({ ...options, identity: createClerk(clerk) });
 */
export function fromEnvironment(source: Record<string, string | undefined> = process.env) {
  const environment = parseEnvironment(source);
  return {
    secretFormat: {
      prefix: environment.API_KEY_PREFIX,
      environment: environment.API_KEY_ENVIRONMENT,
      accepted: environment.API_KEY_ACCEPT_FORMATS,
    },
    keyLimit: environment.API_KEY_LIMIT,
    accessFeature: environment.API_ACCESS_FEATURE,
    onMemberLeave: environment.API_KEYS_ON_MEMBER_LEAVE,
    trustedProxyHops: environment.TRUSTED_PROXY_HOPS,
    historyDays: environment.HISTORY_DAYS,
    leaks: {
      action: environment.LEAK_ACTION,
      githubSecretScanning: environment.GITHUB_SECRET_SCANNING === "on",
      githubKeysUrl: environment.GITHUB_SECRET_SCANNING_KEYS_URL,
    },
    databaseUrl: environment.DATABASE_URL,
    redis: { ...redisOf(environment), prefix: environment.API_KEY_REDIS_PREFIX },
    logLevel: environment.LOG_LEVEL,
    events: eventsOf(environment),
    http: {
      appOrigin: environment.APP_ORIGIN,
      allowedOrigins: environment.ALLOWED_ORIGINS,
      introspectionSecret: environment.INTROSPECTION_SECRET,
      cronSecret: environment.CRON_SECRET,
      metricsSecret: environment.METRICS_SECRET,
    },
    clerk: {
      secretKey: environment.CLERK_SECRET_KEY,
      jwtKey: environment.CLERK_JWT_KEY,
      apiUrl: environment.CLERK_API_URL,
      webhookSecret: environment.CLERK_WEBHOOK_SIGNING_SECRET,
      appOrigin: environment.APP_ORIGIN,
      accessFeature: environment.API_ACCESS_FEATURE,
      orgPermission: environment.API_KEYS_ORG_PERMISSION,
    },
    publishableKey: environment.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY,
  };
}

/** One of the two is set, and not both: the settings were checked. */
function redisOf(
  environment: ReturnType<typeof parseEnvironment>,
): { connection: string } | { url: string; token: string } {
  const { REDIS_URL: connection, UPSTASH_REDIS_REST_URL: url = "", UPSTASH_REDIS_REST_TOKEN: token = "" } = environment;
  return connection === undefined ? { url, token } : { connection };
}

function eventsOf({ EVENTS_WEBHOOK_URL: url, EVENTS_WEBHOOK_SECRET: secret }: ReturnType<typeof parseEnvironment>) {
  return url === undefined || secret === undefined ? undefined : { url, secret };
}
