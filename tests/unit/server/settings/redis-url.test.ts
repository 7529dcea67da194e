import { describe, expect, it } from "vitest";

import { parseEnvironment } from "@/server/settings/env";
import { fromEnvironment } from "@/server/settings/options";
import { readRedisAddress } from "@/server/settings/redis-address";

const others = {
  NODE_ENV: "production",
  NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k",
  CLERK_SECRET_KEY: "sk_live_x",
  DATABASE_URL: "postgresql://db.example.com/app",
  APP_ORIGIN: "https://app.example.com",
};
const upstash = { UPSTASH_REDIS_REST_URL: "https://redis.example.com", UPSTASH_REDIS_REST_TOKEN: "token" };
const tcp = { REDIS_URL: "redis://:hush-hush@redis.example.com" };

function problemsOf(settings: Record<string, string>): string {
  try {
    parseEnvironment({ ...others, ...settings });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("REDIS_URL", () => {
  it("takes the place of Upstash's two settings", () => {
    expect(problemsOf(tcp)).toBe("");
    expect(fromEnvironment({ ...others, ...tcp }).redis).toEqual({ connection: tcp.REDIS_URL, prefix: "latchkey:" });
    expect(fromEnvironment({ ...others, ...upstash }).redis).toEqual({
      url: upstash.UPSTASH_REDIS_REST_URL,
      token: upstash.UPSTASH_REDIS_REST_TOKEN,
      prefix: "latchkey:",
    });
  });

  it.each([
    ["both of Upstash's", upstash],
    ["Upstash's address", { UPSTASH_REDIS_REST_URL: upstash.UPSTASH_REDIS_REST_URL }],
    ["Upstash's token", { UPSTASH_REDIS_REST_TOKEN: upstash.UPSTASH_REDIS_REST_TOKEN }],
  ])("is refused beside %s, and both are named", (_title, beside) => {
    const problems = problemsOf({ ...tcp, ...beside });
    for (const name of ["REDIS_URL", ...Object.keys(beside)]) expect(problems).toContain(name);
    expect(problems).not.toContain("hush-hush");
  });

  it("is named where no Redis is set at all", () => {
    expect(problemsOf({})).toContain("REDIS_URL");
  });

  it.each([
    "redis.example.com:6379",
    "http://redis.example.com",
    "redis://",
    "redis://:6379",
    "redis://redis.example.com/app",
    "redis://redis.example.com/-1",
    "redis://redis.example.com?db=1",
    "redis://redis.example.com#1",
    "redis://redis.example.com:99999",
    "redis://one.example.com,two.example.com",
    "redis://user@redis.example.com",
    "redis://:hush-hush%@redis.example.com",
    "redis://:hush hush@redis.example.com",
    '"redis://redis.example.com"',
  ])("is refused as %s, and no part of it is repeated", (text) => {
    const problems = problemsOf({ REDIS_URL: text });
    expect(problems).toContain("REDIS_URL");
    expect(problems).not.toMatch(/hush|example/);
  });

  it.each([
    ["redis://redis.example.com", { host: "redis.example.com", port: 6379, isEncrypted: false, database: 0 }],
    ["redis://[::1]:6380/", { host: "::1", port: 6380, isEncrypted: false, database: 0 }],
    [
      "rediss://:p%40ss%2Fword@10.0.0.1:7000/12",
      { host: "10.0.0.1", port: 7000, isEncrypted: true, database: 12, password: "p@ss/word" },
    ],
    [
      "redis://app:word@cache/3",
      { host: "cache", port: 6379, isEncrypted: false, database: 3, username: "app", password: "word" },
    ],
  ])("is read as it says: %s", (text, address) => {
    expect(readRedisAddress(text)).toEqual(address);
  });
});
