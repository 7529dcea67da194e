import { createLatchkey, fromEnvironment, type LatchkeyOptions } from "latchkey";
import { describe, expect, it } from "vitest";

const options = {
  databaseUrl: "postgres://user:hush-hush@db.example.com/app",
  redis: { url: "https://redis.example.com", token: "hush-hush" },
};
const environment = {
  NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: "pk_test_Y2xlcmsuZXhhbXBsZS5jb20k",
  CLERK_SECRET_KEY: "sk_test_x",
  UPSTASH_REDIS_REST_URL: "https://redis.example.com",
  UPSTASH_REDIS_REST_TOKEN: "token",
  DATABASE_URL: "postgresql://db.example.com/app",
};

/** What `createLatchkey` says of options that no compiler has seen. */
function complaintOf(changes: object): string {
  try {
    createLatchkey({ ...options, ...changes });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("createLatchkey", () => {
  it("needs a database and a Redis, and has a default for everything else", async () => {
    await createLatchkey(options).close();
  });

  it("takes what fromEnvironment gives, as it is", async () => {
    await createLatchkey({ ...fromEnvironment(environment), scopes: ["reports:read"] }).close();
  });

  it("takes the address of a Redis in place of Upstash's two values, and connects to nothing yet", async () => {
    const redis = { connection: "rediss://user:p%40ss@redis.example.com:6380/2" };
    await createLatchkey({ ...options, redis }).close();
    const settings = { ...environment, UPSTASH_REDIS_REST_URL: "", UPSTASH_REDIS_REST_TOKEN: "" };
    await createLatchkey(fromEnvironment({ ...settings, REDIS_URL: redis.connection })).close();
  });

  it("takes an option that is undefined for one that is not given", async () => {
    const latchkey = createLatchkey({
      ...options,
      keyLimit: undefined,
      scopes: undefined,
    } as unknown as LatchkeyOptions);
    expect(latchkey.scopes).toEqual([]);
    await latchkey.close();
  });

  it.each<[string, object]>([
    ["databaseUrl", { databaseUrl: undefined }],
    ["databaseUrl", { databaseUrl: "mysql://hush-hush@db/app" }],
    ["redis", { redis: undefined }],
    ["redis.url", { redis: { ...options.redis, url: "redis://hush-hush@redis" } }],
    ["redis.token", { redis: { ...options.redis, token: "hush hush" } }],
    ["redis.token", { redis: { url: options.redis.url } }],
    ["redis.prefix", { redis: { ...options.redis, prefix: "hush hush:" } }],
    ["redis.password", { redis: { ...options.redis, password: "hush-hush" } }],
    ["redis.connection", { redis: { connection: "hush-hush" } }],
    ["redis.connection", { redis: { connection: "https://:hush-hush@redis.example.com" } }],
    ["redis.connection", { redis: { connection: "redis://:hush-hush@redis.example.com/hush" } }],
    ["redis.prefix", { redis: { connection: "redis://redis.example.com", prefix: "hush hush:" } }],
    ["redis.token", { redis: { connection: "redis://redis.example.com", token: "hush-hush" } }],
    ["secretFormat.prefix", { secretFormat: { prefix: "hush-hush", environment: "live" } }],
    ["secretFormat.environment", { secretFormat: { prefix: "lk", environment: "hush-hush" } }],
    ["keyLimit", { keyLimit: 0 }],
    ["keyLimit", { keyLimit: "5" }],
    ["keyLimit", { keyLimit: Number.NaN }],
    ["onMemberLeave", { onMemberLeave: "delete" }],
    ["trustedProxyHops", { trustedProxyHops: -1 }],
    ["historyDays", { historyDays: 0 }],
    ["historyDays", { historyDays: 0.5 }],
    ["trustedProxyHops", { trustedProxyHops: 1.5 }],
    ["leaks.action", { leaks: { action: "hush-hush" } }],
    ["leaks.githubSecretScanning", { leaks: { githubSecretScanning: "hush-hush" } }],
    ["leaks.githubKeysUrl", { leaks: { githubKeysUrl: "http://hush-hush.example.com" } }],
    ["leaks.githubKeysUrl", { leaks: { githubKeysUrl: "https://hush:hush@example.com" } }],
    ["leaks.keysUrl", { leaks: { keysUrl: "https://hush-hush.example.com" } }],
    ["events.secret", { events: { url: "https://example.com/", secret: "hush-hush" } }],
    ["events.url", { events: { url: "http://hush-hush.example.com/", secret: `whsec_${"A".repeat(32)}` } }],
    ["events.secret", { events: { url: "https://example.com/" } }],
    ["scopes", { scopes: "reports:read" }],
    ["scopes.1", { scopes: ["reports:read", "hush hush"] }],
    ["scopes.0", { scopes: [""] }],
    ["accessFeature", { accessFeature: "hush hush" }],
    ["logLevel", { logLevel: "hush-hush" }],
    ["identity", { identity: { readSession: () => null } }],
    ["identity", { identity: null }],
    ["defer", { defer: "hush-hush" }],
    ["now", { now: new Date() }],
    ["http.appOrigin", { http: { appOrigin: "https://hush-hush.example.com/path" } }],
    ["http.allowedOrigins.0", { http: { allowedOrigins: ["*"] } }],
    ["http.cronSecret", { http: { cronSecret: "hush-hush" } }],
    ["http.metricSecret", { http: { metricSecret: "hush-hush-hush-hush-hush-hush-hush-hush" } }],
    ["redisPrefix", { redisPrefix: "hush-hush" }],
    ["databaseURL", { databaseURL: "hush-hush" }],
  ])("refuses a wrong %s by its name and repeats no value (%j)", (name, changes) => {
    const complaint = complaintOf(changes);
    expect(complaint.split("\n- ").slice(1)).toEqual([
      expect.stringMatching(new RegExp(`^${name} is (not set|malformed: .|no option)`)),
    ]);
    expect(complaint).not.toContain("hush");
  });

  it("names all wrong options at once", () => {
    expect(complaintOf({ keyLimit: 0, colour: "red", redis: {} })).toBe(
      [
        "createLatchkey cannot use these options:",
        "redis.url is not set",
        "redis.token is not set",
        "keyLimit is malformed: Too small: expected number to be >=1",
        "colour is no option",
      ].join("\n- "),
    );
  });

  it.each([undefined, null, "postgres://hush-hush"])("refuses %j in the place of options", (value) => {
    expect(() => createLatchkey(value as unknown as LatchkeyOptions)).toThrow(
      /^createLatchkey cannot use these options/,
    );
  });
});

it("the complaint about settings names nothing that only this repository has", () => {
  expect(() => fromEnvironment({})).toThrow(/DATABASE_URL is not set/);
  expect(() => fromEnvironment({})).not.toThrow(/npm run|\.env\.example/);
});
