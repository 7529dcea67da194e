import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { parseEnvironment, settingNames } from "@/server/settings/env";

/** Read, and still nothing that anybody sets. */
const nobodySets = [
  // Next sets both.
  "NODE_ENV",
  "NEXT_RUNTIME",
  // It opens a guard, for the end-to-end tests alone.
  "ALLOW_LOCAL_CLERK",
];

const example = Object.fromEntries(
  [...readFileSync(".env.example", "utf8").matchAll(/^([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name = "", value]) => [
    name,
    value,
  ]),
);
const shipped = [
  ...readdirSync(".")
    .filter((name) => /\.ts$/.test(name) && !/^(drizzle|playwright|vitest|next-env)\b/.test(name))
    .map((name) => readFileSync(name, "utf8")),
  ...["app", "server", "trpc"].flatMap((folder) => sourcesOf(folder, /\.tsx?$/)),
].join("\n");
const readHere = new Set([...settingNames, ...namesReadIn(shipped)]);
const readByClerkAlone = namesReadIn(sourcesOf("node_modules/@clerk/nextjs/dist/esm", /\.js$/).join("\n")).filter(
  (name) => !readHere.has(name),
);

describe(".env.example", () => {
  it("names every setting that is read", () => {
    const missing = [...readHere].filter((name) => !(name in example) && !nobodySets.includes(name));
    expect(missing).toEqual([]);
  });

  it("names none that nothing reads", () => {
    const unread = Object.keys(example).filter((name) => !readHere.has(name) && !readByClerkAlone.includes(name));
    expect(unread).toEqual([]);
  });

  it("names none that the code overrules by passing Clerk the option itself", () => {
    const overruled = readByClerkAlone.filter((name) => new RegExp(`\\b${optionOf(name)}[=:]`).test(shipped));
    expect(overruled).toContain("NEXT_PUBLIC_CLERK_SIGN_IN_URL");
    expect(overruled.filter((name) => name in example)).toEqual([]);
  });

  it("names none of those that nobody sets", () => {
    expect(nobodySets.filter((name) => name in example)).toEqual([]);
  });

  it("changes nothing when it is copied as it is: its values are the defaults", () => {
    const required = {
      NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: "pk_test_Y2xlcmsuZXhhbXBsZS5jb20k",
      CLERK_SECRET_KEY: "sk_test_x",
      UPSTASH_REDIS_REST_URL: "https://redis.example.com",
      UPSTASH_REDIS_REST_TOKEN: "token",
      DATABASE_URL: "postgresql://db.example.com/app",
    };
    expect(parseEnvironment({ ...example, ...required })).toEqual(parseEnvironment(required));
  });
});

function sourcesOf(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => pattern.test(path))
    .map((path) => readFileSync(join(folder, path), "utf8"));
}

function namesReadIn(source: string): string[] {
  return [...new Set([...source.matchAll(/\benv\.([A-Z][A-Z0-9_]+)/g)].map(([, name = ""]) => name))];
}

/** NEXT_PUBLIC_CLERK_SIGN_IN_URL is what Clerk takes where it is not given `signInUrl`. */
function optionOf(name: string): string {
  const words = name.replace(/^(NEXT_PUBLIC_)?CLERK_/, "").toLowerCase();
  return words.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
