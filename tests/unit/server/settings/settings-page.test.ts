import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { parseEnvironment, settingNames } from "@/server/settings/env";

const page = readFileSync("docs/settings.md", "utf8");
const rows = page
  .split("\n")
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .flatMap(([, name = "", fallback = ""]) =>
    /^`[A-Z]/.test(name) ? [{ name: name.replaceAll("`", ""), fallback }] : [],
  );
const required = {
  NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k",
  CLERK_SECRET_KEY: "sk_live_x",
  UPSTASH_REDIS_REST_URL: "https://redis.example.com",
  UPSTASH_REDIS_REST_TOKEN: "token",
  DATABASE_URL: "postgresql://db.example.com/app",
  APP_ORIGIN: "https://app.example.com",
};

describe("docs/settings.md", () => {
  it("has a row for each setting that is read, and for no other", () => {
    expect(rows.map(({ name }) => name).sort()).toEqual([...settingNames].sort());
  });

  it("calls exactly those required without which no production starts", () => {
    const named = rows.filter(({ fallback }) => fallback === "required").map(({ name }) => name);
    expect(named.sort()).toEqual(Object.keys(required).sort());
    const production = { ...required, NODE_ENV: "production" };
    expect(() => parseEnvironment(production)).not.toThrow();
    for (const name of named) expect(() => parseEnvironment({ ...production, [name]: "" }), name).toThrow(name);
  });

  it("tells the defaults that are in use", () => {
    const told = rows.flatMap(({ name, fallback }) => {
      const [, value] = /^`([^`]+)`/.exec(fallback) ?? [];
      return value === undefined || name === "API_KEY_ENVIRONMENT" ? [] : [[name, value]];
    });
    expect(told.length).toBeGreaterThan(5);
    const inUse: Record<string, unknown> = parseEnvironment(required);
    for (const [name = "", value] of told) expect(String(inUse[name]), name).toBe(value);
  });
});
