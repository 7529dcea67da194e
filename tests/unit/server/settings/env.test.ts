import { createPublicKey, generateKeyPairSync } from "node:crypto";

import { describe, expect, it } from "vitest";

import { parseDatabaseUrl, parseEnvironment, parseKeyEnvironment } from "@/server/settings/env";
import { fromEnvironment } from "@/server/settings/options";

const production = {
  NODE_ENV: "production",
  NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k",
  CLERK_SECRET_KEY: "sk_live_x",
  UPSTASH_REDIS_REST_URL: "https://redis.example.com",
  UPSTASH_REDIS_REST_TOKEN: "token",
  DATABASE_URL: "postgresql://db.example.com/app",
  APP_ORIGIN: "https://app.example.com/",
};

const message = (changes: Record<string, string | undefined>) => {
  try {
    parseEnvironment({ ...production, ...changes });
    return "";
  } catch (error) {
    return String(error);
  }
};
const longSecret = "0123456789abcdef0123456789ABCDEF";
const webhookSecret = `whsec_${Buffer.from("a signing secret of Clerk").toString("base64")}`;
const publicPem = (modulusLength: number) =>
  generateKeyPairSync("rsa", { modulusLength }).publicKey.export({ type: "spki", format: "pem" }).toString();

describe("parseEnvironment", () => {
  it("accepts a complete production and fills in the defaults", () => {
    expect(parseEnvironment(production)).toMatchObject({
      API_KEY_PREFIX: "lk",
      API_KEY_ENVIRONMENT: "live",
      API_KEY_LIMIT: 5,
      API_KEY_REDIS_PREFIX: "latchkey:",
      APP_ORIGIN: "https://app.example.com",
      ALLOWED_ORIGINS: [],
      TRUSTED_PROXY_HOPS: 0,
      HISTORY_DAYS: 365,
    });
  });

  it("defaults to test keys and the local origin in development", () => {
    const development = { ...production, NODE_ENV: "development", APP_ORIGIN: undefined, PORT: "3100" };
    expect(parseEnvironment(development)).toMatchObject({
      API_KEY_ENVIRONMENT: "test",
      APP_ORIGIN: "http://localhost:3100",
    });
  });

  it.each(Object.keys(production).filter((name) => name !== "NODE_ENV"))(
    "names %s when it is missing or empty",
    (name) => {
      expect(() => parseEnvironment({ ...production, [name]: undefined })).toThrow(name);
      expect(() => parseEnvironment({ ...production, [name]: "" })).toThrow(name);
    },
  );

  it.each([
    ["DATABASE_URL", "mysql://db/app"],
    ["UPSTASH_REDIS_REST_URL", "redis://host"],
    ["APP_ORIGIN", "app.example.com"],
    ["ALLOWED_ORIGINS", "https://a.example.com,nonsense"],
    ["API_KEY_PREFIX", "my-prefix"],
    ["API_KEY_PREFIX", "lk_x"],
    ["API_KEY_ENVIRONMENT", "staging"],
    ["API_KEY_LIMIT", "0"],
    ["API_KEY_LIMIT", "many"],
    ["API_KEY_REDIS_PREFIX", "my keys:"],
    ["API_KEY_REDIS_PREFIX", "keys*"],
    ["API_KEY_REDIS_PREFIX", "schlüssel:"],
    ["API_KEY_REDIS_PREFIX", "k".repeat(41)],
    ["TRUSTED_PROXY_HOPS", "-1"],
    ["HISTORY_DAYS", "0"],
    ["HISTORY_DAYS", "1.5"],
    ["HISTORY_DAYS", "for ever"],
    ["GITHUB_SECRET_SCANNING", "true"],
    ["GITHUB_SECRET_SCANNING_KEYS_URL", "api.github.com/meta"],
    ["GITHUB_SECRET_SCANNING_KEYS_URL", "http://keys.example.com/"],
    ["GITHUB_SECRET_SCANNING_KEYS_URL", "http://localhost.example.com/"],
    ["GITHUB_SECRET_SCANNING_KEYS_URL", "http://127.0.0.1:4000/"],
    ["GITHUB_SECRET_SCANNING_KEYS_URL", "HTTP://127.0.0.1:4000/"],
    ["GITHUB_SECRET_SCANNING_KEYS_URL", "https://ada:hush@keys.example.com/"],
    ["GITHUB_SECRET_SCANNING_KEYS_URL", "file:///etc/passwd"],
    ["LEAK_ACTION", "delete"],
    ["INTROSPECTION_SECRET", "short"],
    ["CRON_SECRET", "short"],
    ["METRICS_SECRET", "short"],
    ["PORT", "0"],
  ])("names %s when it is %j, without repeating the value", (name, value) => {
    expect(message({ [name]: value })).toContain(name);
    if (value.length > 4) expect(message({ [name]: value })).not.toContain(value);
  });

  const developing = { NODE_ENV: "development" };
  const testing = { ALLOW_LOCAL_CLERK: "e2e-only" };
  it.each([developing, testing])("takes the keys of a sender on this machine by plain HTTP only with %j", (changes) => {
    for (const host of ["localhost:4000", "127.0.0.1:4000", "[::1]:4000"]) {
      const url = { GITHUB_SECRET_SCANNING_KEYS_URL: `http://${host}/keys` };
      expect(message({ ...changes, ...url })).toBe("");
      expect(message(url)).toContain("GITHUB_SECRET_SCANNING_KEYS_URL");
      expect(fromEnvironment({ ...production, ...changes, ...url }).leaks.githubKeysUrl).toBe(`http://${host}/keys`);
    }
    expect(message({ ...changes, GITHUB_SECRET_SCANNING_KEYS_URL: "http://192.0.2.1/keys" })).not.toBe("");
  });

  it("leaves reports of GitHub's turned off, and ends what is reported", () => {
    expect(fromEnvironment(production).leaks).toEqual({
      action: "revoke",
      githubSecretScanning: false,
      githubKeysUrl: "https://api.github.com/meta/public_keys/secret_scanning",
    });
    const leaks = { GITHUB_SECRET_SCANNING: "on", LEAK_ACTION: "report" };
    expect(fromEnvironment({ ...production, ...leaks }).leaks).toMatchObject({
      action: "report",
      githubSecretScanning: true,
    });
  });

  it.each(["a", "host-app:keys_2:", "k".repeat(40)])("takes %j as the beginning of Redis keys", (prefix) => {
    const { API_KEY_REDIS_PREFIX } = parseEnvironment({ ...production, API_KEY_REDIS_PREFIX: prefix });
    expect(API_KEY_REDIS_PREFIX).toBe(prefix);
  });

  it.each([
    ["wm_:hex:40", [{ prefix: "wm_", characters: "hex", length: 40 }]],
    [
      " wm_:hex:40 , :letters:64,",
      [
        { prefix: "wm_", characters: "hex", length: 40 },
        { prefix: "", characters: "letters", length: 64 },
      ],
    ],
    ["lk_:base58:22", [{ prefix: "lk_", characters: "base58", length: 22 }]],
    ["a-b_C:base64url:256", [{ prefix: "a-b_C", characters: "base64url", length: 256 }]],
    [undefined, []],
  ])("reads the accepted shapes %j", (API_KEY_ACCEPT_FORMATS, shapes) => {
    expect(parseEnvironment({ ...production, API_KEY_ACCEPT_FORMATS }).API_KEY_ACCEPT_FORMATS).toEqual(shapes);
  });

  it.each([
    "old_:hex",
    "wm_:hex:40:1",
    "wm_:hex:0x28",
    "wm_:hex:40.0",
    "wm_:hex:-40",
    "wm_:octal:40",
    "wm_:toString:40",
    "wm_:HEX:40",
    "wm_:hex:15",
    "wm_:hex:23",
    "sk_:base58:18",
    "wm_:hex:257",
    ":letters:31",
    "w m:hex:40",
    "wm.:hex:40",
    `${"w".repeat(33)}:hex:40`,
    "wm_:hex:40;old_:hex:40",
    "lk_live_:base62:38",
    "lk_test_:base62:38",
    "lk_test_old_:hex:40",
    Array.from({ length: 21 }, (_, at) => `k${at}_:hex:40`).join(","),
  ])("refuses the accepted shapes %j with the setting's name, and repeats nothing", (API_KEY_ACCEPT_FORMATS) => {
    const told = message({ API_KEY_ACCEPT_FORMATS });
    expect(told).toContain("API_KEY_ACCEPT_FORMATS is malformed");
    expect(told).not.toContain(API_KEY_ACCEPT_FORMATS);
  });

  it("needs the webhook secret where access depends on a Clerk feature", () => {
    const gated = { ...production, API_ACCESS_FEATURE: "api_access" };
    expect(() => parseEnvironment(gated)).toThrow("CLERK_WEBHOOK_SIGNING_SECRET");
    expect(parseEnvironment({ ...gated, CLERK_WEBHOOK_SIGNING_SECRET: webhookSecret })).toMatchObject({
      API_ACCESS_FEATURE: "api_access",
    });
  });

  it("reads a list of allowed origins", () => {
    const { ALLOWED_ORIGINS } = parseEnvironment({
      ...production,
      ALLOWED_ORIGINS: "https://a.example.com, http://b.test:8080/",
    });
    expect(ALLOWED_ORIGINS).toEqual(["https://a.example.com", "http://b.test:8080"]);
  });

  it("takes white space around a value off, and takes what is empty then for unset", () => {
    const padded = Object.fromEntries(
      Object.entries({
        UPSTASH_REDIS_REST_URL: production.UPSTASH_REDIS_REST_URL,
        UPSTASH_REDIS_REST_TOKEN: "token",
        DATABASE_URL: production.DATABASE_URL,
        APP_ORIGIN: "https://app.example.com",
        ALLOWED_ORIGINS: "https://a.example.com",
        API_KEY_PREFIX: "lk",
        API_KEY_ENVIRONMENT: "test",
        API_KEY_LIMIT: "7",
        API_ACCESS_FEATURE: "api_access",
        CLERK_WEBHOOK_SIGNING_SECRET: webhookSecret,
        INTROSPECTION_SECRET: longSecret,
        CRON_SECRET: longSecret,
        METRICS_SECRET: longSecret,
        LOG_LEVEL: "warn",
      }).map(([name, value]) => [name, ` \t${value}\r\n`]),
    );
    expect(parseEnvironment({ ...production, ...padded })).toMatchObject({
      ...production,
      APP_ORIGIN: "https://app.example.com",
      ALLOWED_ORIGINS: ["https://a.example.com"],
      API_KEY_ENVIRONMENT: "test",
      API_KEY_LIMIT: 7,
      API_ACCESS_FEATURE: "api_access",
      CLERK_WEBHOOK_SIGNING_SECRET: webhookSecret,
      INTROSPECTION_SECRET: longSecret,
      CRON_SECRET: longSecret,
      METRICS_SECRET: longSecret,
      LOG_LEVEL: "warn",
    });
    const { METRICS_SECRET, PORT } = parseEnvironment({ ...production, METRICS_SECRET: " \n", PORT: " " });
    expect([METRICS_SECRET, PORT]).toEqual([undefined, 3000]);
    expect(message({ APP_ORIGIN: " " })).toContain("APP_ORIGIN is not set");
    expect(message({ NODE_ENV: "production\n", APP_ORIGIN: undefined })).toContain("APP_ORIGIN is not set");
  });

  it.each([
    ["INTROSPECTION_SECRET", `${longSecret} x`],
    ["INTROSPECTION_SECRET", `${longSecret}ü`],
    ["CRON_SECRET", `${longSecret}\nx`],
    ["METRICS_SECRET", `${longSecret}\u00a0x`],
    ["METRICS_SECRET", `"${longSecret}"`],
    ["CRON_SECRET", `'${longSecret}'`],
    ["UPSTASH_REDIS_REST_TOKEN", "tok en"],
    ["UPSTASH_REDIS_REST_TOKEN", "tokén"],
    ["UPSTASH_REDIS_REST_URL", "https://redis.example.com/a b"],
    ["UPSTASH_REDIS_REST_URL", "https://redis.exa\nmple.com"],
    ["UPSTASH_REDIS_REST_URL", "https://default:word@redis.example.com"],
    ["UPSTASH_REDIS_REST_URL", "https://redis.example.com?a=1"],
    ["UPSTASH_REDIS_REST_URL", '"https://redis.example.com"'],
    ["CLERK_API_URL", "api.clerk.example"],
    ["CLERK_SECRET_KEY", "sk_live_x\n"],
    ["CLERK_SECRET_KEY", " sk_live_x"],
    ["CLERK_SECRET_KEY", "sk_live_ü"],
    ["CLERK_SECRET_KEY", '"sk_live_x"'],
    ["CLERK_API_URL", "https://api.clerk.com\n"],
    ["CLERK_ENCRYPTION_KEY", "key\n"],
    ["NEXT_PUBLIC_CLERK_PROXY_URL", "/__clerk "],
    ["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", `${production.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY}\n`],
    ["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "pk_live_%%%"],
    ["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", `pk_live_${btoa("clerk.example.com")}`],
    ["CLERK_WEBHOOK_SIGNING_SECRET", "whsec_x"],
    ["CLERK_WEBHOOK_SIGNING_SECRET", "whsec_===="],
    ["CLERK_WEBHOOK_SIGNING_SECRET", webhookSecret.replace("whsec_", "")],
    ["CLERK_WEBHOOK_SIGNING_SECRET", `${webhookSecret} ${webhookSecret}`],
    ["CLERK_JWT_KEY", "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----"],
    ["CLERK_JWT_KEY", "sk_live_x_and_more"],
    ["API_ACCESS_FEATURE", "api access"],
    ["API_ACCESS_FEATURE", "api_access,other"],
    ["APP_ORIGIN", "https://app.example.com/path"],
    ["APP_ORIGIN", "https://app.example.com/?a=1"],
    ["APP_ORIGIN", "https://me:word@app.example.com"],
    ["APP_ORIGIN", "https://app.exam ple.com"],
    ["APP_ORIGIN", "ftp://app.example.com"],
    ["ALLOWED_ORIGINS", "https://a.example.com/path"],
    ["ALLOWED_ORIGINS", "*"],
    ["ALLOWED_ORIGINS", "https://*.example.com"],
    ["ALLOWED_ORIGINS", "https://a.example.com https://b.example.com"],
    ["ALLOWED_ORIGINS", "null"],
    ["DATABASE_URL", "db.example.com/app"],
    ["API_KEYS_ORG_PERMISSION", "org:admin"],
    ["API_KEYS_ORG_PERMISSION", "api_keys:manage"],
    ["API_KEYS_ORG_PERMISSION", "org:api_keys:manage:all"],
    ["API_KEYS_ORG_PERMISSION", "org::manage"],
    ["API_KEYS_ORG_PERMISSION", "org:api_keys:manage,org:reports:manage"],
    // Clerk's own permissions are in no session token.
    ["API_KEYS_ORG_PERMISSION", "org:sys_memberships:manage"],
    ["API_KEYS_ON_MEMBER_LEAVE", "delete"],
    ["API_KEYS_ON_MEMBER_LEAVE", "Revoke"],
    ["DATABASE_URL", "postgres:app"],
    ["DATABASE_URL", "postgres://a.example.com,b.example.com/app"],
    ["DATABASE_URL", "postgres://a.example.com:5432,b.example.com:5432/app"],
    ["DATABASE_URL", "postgres://db.example.com/app?port=x1234"],
    ["DATABASE_URL", "postgres://user:wo#rd@db.example.com/app"],
    ["DATABASE_URL", '"postgres://db.example.com/app"'],
  ])("refuses what would start and then never work: %s is %j", (name, value) => {
    expect(message({ [name]: value })).toMatch(new RegExp(`(^|\\W)${name} (is malformed|has white space|stands in)`));
    expect(message({ [name]: value })).not.toContain(value.trim());
    expect(message({ [name]: value, NODE_ENV: "development" })).toContain(name);
  });

  it.each([
    ["a trailing slash", "https://app.example.com/", "https://app.example.com"],
    ["capitals", "HTTPS://App.Example.COM", "https://app.example.com"],
    ["the default port of https", "https://app.example.com:443", "https://app.example.com"],
    ["the default port of http", "http://app.example.com:80/", "http://app.example.com"],
    ["letters outside ASCII", "https://bücher.example", "https://xn--bcher-kva.example"],
  ])("writes an origin with %s as browsers do", (_title, text, origin) => {
    expect(parseEnvironment({ ...production, APP_ORIGIN: text, ALLOWED_ORIGINS: `${text},` })).toMatchObject({
      APP_ORIGIN: origin,
      ALLOWED_ORIGINS: [origin],
    });
  });

  it.each([
    "postgres://user:word@/app?host=/cloudsql/project:region:instance",
    "postgresql:///app?host=/var/run/postgresql",
    "postgres://%2Fvar%2Frun%2Fpostgresql/app",
    "socket:/var/run/postgresql?db=app",
    "socket://user:word@/var/run/postgresql?db=app",
    "/var/run/postgresql app",
    "postgres://user:wo%20rd@db.example.com:6543/app?sslmode=no-verify",
    "postgres://[::1]:5432/app",
    "postgres://db.example.com",
  ])("lets the driver decide what leads to a database: %s", (url) => {
    expect(parseEnvironment({ ...production, DATABASE_URL: url }).DATABASE_URL).toBe(url);
  });

  it("leaves an organisation's keys to its admins, and keeps those of who leaves, unless it is told otherwise", () => {
    const { clerk, onMemberLeave } = fromEnvironment(production);
    expect([clerk.orgPermission, onMemberLeave]).toEqual([undefined, "keep"]);
    const told = fromEnvironment({
      ...production,
      API_KEYS_ORG_PERMISSION: " org:api-keys:manage_all ",
      API_KEYS_ON_MEMBER_LEAVE: "revoke",
    });
    expect([told.clerk.orgPermission, told.onMemberLeave]).toEqual(["org:api-keys:manage_all", "revoke"]);
  });

  it("reads the public key of the sessions in each form that a setting holds it in", () => {
    const pem = publicPem(2048);
    const base64 = pem.replace(/-----.*-----|\s/g, "");
    for (const text of [
      pem,
      pem.replaceAll("\n", "\\n"),
      pem.replaceAll("\n", "\\r\\n"),
      pem.replaceAll("\n", "\r\n"),
      pem.replaceAll("\n", " "),
      base64,
      `  ${pem}\n\n`,
    ]) {
      const key = parseEnvironment({ ...production, CLERK_JWT_KEY: text }).CLERK_JWT_KEY ?? "";
      expect(createPublicKey(key).export({ type: "spki", format: "pem" })).toBe(pem);
      // What Clerk's verifier looks for, which knows no other way to write it.
      expect(key.replace(/\n/g, "")).toBe(`-----BEGIN PUBLIC KEY-----${base64}-----END PUBLIC KEY-----`);
    }
  });

  it("refuses a public key that Clerk's verifier cannot use, and a private one", () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    for (const CLERK_JWT_KEY of [
      publicPem(3072),
      publicKey.export({ type: "spki", format: "pem" }).toString(),
      privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    ])
      expect(message({ CLERK_JWT_KEY })).toContain("CLERK_JWT_KEY is malformed");
  });

  it("names everything that is wrong at once", () => {
    const all = message({ APP_ORIGIN: "x", CRON_SECRET: "short", METRICS_SECRET: `'${longSecret}'` });
    for (const name of ["APP_ORIGIN", "CRON_SECRET", "METRICS_SECRET"]) expect(all).toContain(`- ${name} `);
  });
});

describe("the settings of a command", () => {
  const DATABASE_URL = production.DATABASE_URL;

  it("that migrates are its database alone, whatever else is wrong", () => {
    const broken = { NODE_ENV: "production", APP_ORIGIN: "x", CRON_SECRET: "short", API_KEY_ACCEPT_FORMATS: "x" };
    expect(parseDatabaseUrl({ ...broken, DATABASE_URL: ` ${DATABASE_URL}\n` })).toBe(DATABASE_URL);
    for (const url of [undefined, "", "mysql://db/app", `"${DATABASE_URL}"`])
      expect(() => parseDatabaseUrl({ ...broken, DATABASE_URL: url })).toThrow(/^DATABASE_URL (is|stands)/);
  });

  it("that works on keys are of keys and the database, without Clerk and Redis", () => {
    expect(parseKeyEnvironment({ DATABASE_URL, CRON_SECRET: "short" })).toMatchObject({
      API_KEY_ENVIRONMENT: "test",
      API_KEY_PREFIX: "lk",
      API_KEY_ACCEPT_FORMATS: [],
    });
    expect(parseKeyEnvironment({ DATABASE_URL, NODE_ENV: "production" }).API_KEY_ENVIRONMENT).toBe("live");
    expect(() => parseKeyEnvironment({ DATABASE_URL, API_KEY_ACCEPT_FORMATS: "x" })).toThrow("API_KEY_ACCEPT_FORMATS");
  });
});
