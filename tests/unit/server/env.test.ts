import { describe, expect, it } from "vitest";

import { parseEnvironment } from "@/server/env";

const production = {
  NODE_ENV: "production",
  NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k",
  CLERK_SECRET_KEY: "sk_live_x",
  UPSTASH_REDIS_REST_URL: "https://redis.example.com",
  UPSTASH_REDIS_REST_TOKEN: "token",
  DATABASE_URL: "postgresql://db.example.com/app",
  APP_ORIGIN: "https://app.example.com/",
};

describe("parseEnvironment", () => {
  it("accepts a complete production and fills in the defaults", () => {
    expect(parseEnvironment(production)).toMatchObject({
      API_KEY_PREFIX: "lk",
      API_KEY_ENVIRONMENT: "live",
      API_KEY_LIMIT: 5,
      APP_ORIGIN: "https://app.example.com",
      ALLOWED_ORIGINS: [],
      TRUSTED_PROXY_HOPS: 0,
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
    ["TRUSTED_PROXY_HOPS", "-1"],
    ["INTROSPECTION_SECRET", "short"],
    ["CRON_SECRET", "short"],
    ["METRICS_SECRET", "short"],
    ["PORT", "0"],
  ])("names %s when it is %j, without repeating the value", (name, value) => {
    let message = "";
    try {
      parseEnvironment({ ...production, [name]: value });
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain(name);
    if (value.length > 4) expect(message).not.toContain(value);
  });

  it("needs the webhook secret where access depends on a Clerk feature", () => {
    const gated = { ...production, API_ACCESS_FEATURE: "api_access" };
    expect(() => parseEnvironment(gated)).toThrow("CLERK_WEBHOOK_SIGNING_SECRET");
    expect(parseEnvironment({ ...gated, CLERK_WEBHOOK_SIGNING_SECRET: "whsec_x" })).toMatchObject({
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
});
