import { describe, expect, it } from "vitest";

import { parseEnvironment, parseKeyEnvironment } from "@/server/settings/env";
import { fromEnvironment } from "@/server/settings/options";

const development = {
  NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: "pk_test_Y2xlcmsuZXhhbXBsZS5jb20k",
  CLERK_SECRET_KEY: "sk_test_x",
  UPSTASH_REDIS_REST_URL: "https://redis.example.com",
  UPSTASH_REDIS_REST_TOKEN: "token",
  DATABASE_URL: "postgresql://db.example.com/app",
  APP_ORIGIN: "https://app.example.com",
};
const production = {
  ...development,
  NODE_ENV: "production",
  NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k",
};
const secretOf = (bytes: number, fill = 1) => `whsec_${Buffer.alloc(bytes, fill).toString("base64")}`;
const url = "https://example.com/hooks?tenant=1";
const complaint = (settings: Record<string, string | undefined>) => {
  try {
    parseEnvironment(settings);
    return "";
  } catch (error) {
    return String(error);
  }
};

describe("the settings of events", () => {
  it.each([
    secretOf(24),
    secretOf(64),
    secretOf(32),
    // What a base64 may have beside letters and digits.
    secretOf(33, 255),
    `${secretOf(24)} ${secretOf(32)}`,
    ` ${secretOf(24)}  ${secretOf(32)} `,
  ])("take the secret %j", (secret) => {
    const { events } = fromEnvironment({ ...production, EVENTS_WEBHOOK_URL: url, EVENTS_WEBHOOK_SECRET: secret });
    expect(events).toEqual({ url, secret: secret.trim().replace(/ +/, " ") });
  });

  it.each([
    secretOf(23),
    secretOf(65),
    secretOf(32).slice("whsec_".length),
    secretOf(32).replace("=", ""),
    `${secretOf(32)}x`,
    `${secretOf(32)},${secretOf(32)}`,
    `${secretOf(24)} ${secretOf(32)} ${secretOf(33)}`,
    `"${secretOf(32)}"`,
    secretOf(33, 255).replaceAll("/", "_"),
    "whsec_hush-hush-hush-hush-hush-hush-hush",
  ])("refuse the secret %j by its name, and repeat nothing of it", (secret) => {
    const told = complaint({ ...production, EVENTS_WEBHOOK_URL: url, EVENTS_WEBHOOK_SECRET: secret });
    expect(told).toContain("EVENTS_WEBHOOK_SECRET");
    expect(told).not.toContain(secret);
    for (const part of secret.split(/[ ,"]/)) if (part.length > 6) expect(told).not.toContain(part);
  });

  it.each([
    "example.com/hooks",
    "ftp://example.com/",
    "http://example.com/",
    "http://127.0.0.1.example.com/",
    "http://localhost.example.com/",
    "http://[::2]/",
    "https://user:hush@example.com/",
    "https://example.com/#part",
    "https://example.com/a b",
  ])("refuse the address %j by its name, in development too", (address) => {
    const told = complaint({ ...development, EVENTS_WEBHOOK_URL: address, EVENTS_WEBHOOK_SECRET: secretOf(32) });
    expect(told).toContain("EVENTS_WEBHOOK_URL is malformed");
    expect(told).not.toContain(address);
  });

  it.each(["http://localhost:3000/hooks", "http://127.0.0.1:1/", "http://127.9.9.9/", "http://[::1]:3000/"])(
    "take %j in development and in end-to-end tests alone",
    (address) => {
      const set = { EVENTS_WEBHOOK_URL: address, EVENTS_WEBHOOK_SECRET: secretOf(32) };
      expect(complaint({ ...development, ...set })).toBe("");
      expect(complaint({ ...production, ...set })).toContain("EVENTS_WEBHOOK_URL is malformed");
      expect(complaint({ ...production, ...set, EVENTS_WEBHOOK_URL: address.replace("http", "HTTP") })).toContain(
        "EVENTS_WEBHOOK_URL is malformed",
      );
      expect(complaint({ ...production, ...set, ALLOW_LOCAL_CLERK: "e2e-only" })).toBe("");
    },
  );

  it("are both set, or neither", () => {
    expect(fromEnvironment(production).events).toBeUndefined();
    expect(complaint({ ...production, EVENTS_WEBHOOK_URL: url })).toContain("EVENTS_WEBHOOK_SECRET is not set");
    expect(complaint({ ...production, EVENTS_WEBHOOK_SECRET: secretOf(32) })).toContain(
      "EVENTS_WEBHOOK_URL is not set",
    );
  });

  it("are known to a command as far as it needs them: whether what it records is to be sent", () => {
    const { DATABASE_URL } = production;
    const sends = (address?: string) => parseKeyEnvironment({ DATABASE_URL, EVENTS_WEBHOOK_URL: address }).sendsEvents;
    expect([sends(url), sends("malformed"), sends(" "), sends()]).toEqual([true, true, false, false]);
  });
});
