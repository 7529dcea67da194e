import { describe, expect, test } from "vitest";

import { assertClerkKeys } from "@/server/settings/clerk-guard";

const publishable = (host: string) => `pk_test_${Buffer.from(`${host}$`).toString("base64")}`;
const local = { NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: publishable("clerk.local.invalid"), CLERK_SECRET_KEY: "sk_test_x" };
const real = {
  NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: publishable("calm-owl-1.clerk.accounts.dev"),
  CLERK_SECRET_KEY: "sk_test_x",
};

describe.each(["build", "start"] as const)("a production %s", (phase) => {
  test("with the local sign-in's key is refused", () => {
    expect(() => assertClerkKeys(local, phase)).toThrow(/^NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY .*local sign-in/);
  });

  test.each(["", "1", "true", "e2e", "E2E-ONLY"])("is not let through by ALLOW_LOCAL_CLERK=%j", (value) => {
    expect(() => assertClerkKeys({ ...local, ALLOW_LOCAL_CLERK: value }, phase)).toThrow(/local sign-in/);
  });

  test("passes with the local sign-in's key for end-to-end tests", () => {
    expect(() => assertClerkKeys({ ...local, ALLOW_LOCAL_CLERK: "e2e-only" }, phase)).not.toThrow();
  });

  test.each([
    ["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", `${real.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY}\n`],
    ["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", `"${real.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY}"`],
    ["CLERK_SECRET_KEY", "sk_test_x "],
    ["NEXT_PUBLIC_CLERK_DOMAIN", "example.com\n"],
  ])("with white space or quotes in %s, which Clerk reads itself, is refused by that name: %j", (name, value) => {
    expect(() => assertClerkKeys({ ...real, [name]: value }, phase)).toThrow(new RegExp(`^${name} has white space`));
  });

  test("with the local sign-in's key is refused, white space or not", () => {
    const padded = { ...local, NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: ` ${local.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY}\n` };
    expect(() => assertClerkKeys(padded, phase)).toThrow(/local sign-in/);
  });

  test("passes with the keys of a real instance", () => {
    expect(() => assertClerkKeys(real, phase)).not.toThrow();
  });
});

test.each([
  ["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", {}],
  ["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", { CLERK_SECRET_KEY: "sk_test_x" }],
  ["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", { ...real, NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: "" }],
  ["CLERK_SECRET_KEY", { NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: real.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY }],
  ["CLERK_SECRET_KEY", { ...real, CLERK_SECRET_KEY: "" }],
])("a production start without %s is refused by that name: %j", (name, env) => {
  expect(() => assertClerkKeys(env, "start")).toThrow(new RegExp(`^${name} is not set`));
});

test("a build may come before the keys", () => {
  expect(() => assertClerkKeys({}, "build")).not.toThrow();
});

test("a key that is no base64 is no reason to crash with another error", () => {
  expect(() => assertClerkKeys({ ...real, NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: "pk_live_%%%" }, "start")).not.toThrow();
});
