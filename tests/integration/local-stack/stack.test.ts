import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";

import { startLocalPostgres } from "@/local/postgres";
import { startLocalStack } from "@/local/stack";
import { contentsOf, deployEarlier } from "@/tests/support/earlier-deployment";
import { testDatabaseUrl } from "@/tests/support/services";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "latchkey-stack-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function tables(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows }: { rows: { name: string }[] } = await client.query(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'latchkey'",
    );
    return rows.map((row) => row.name);
  } finally {
    await client.end();
  }
}

test("whatever is unset is started and migrated, and its settings are handed over", async () => {
  const stack = await startLocalStack({ directory, port: 4321, settings: {}, redis: "embedded", durable: false });
  try {
    expect(stack.environment).toMatchObject({ PORT: "4321", APP_ORIGIN: "http://localhost:4321" });
    expect(Object.keys(stack.parts).sort()).toEqual(["clerk", "postgres", "redis"]);
    expect(await tables(stack.environment.DATABASE_URL ?? "")).toContain("api_keys");
    const { UPSTASH_REDIS_REST_URL: url = "", UPSTASH_REDIS_REST_TOKEN: token } = stack.environment;
    const answer = await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: '["PING"]',
    });
    expect(await answer.json()).toEqual({ result: "PONG" });
    expect(stack.environment.CLERK_SECRET_KEY).toMatch(/^sk_test_/);
  } finally {
    await stack.stop();
  }
});

test("the database of a folder from 0.1 is upgraded by a start, and keeps its keys", async () => {
  const postgres = await startLocalPostgres({ directory });
  await deployEarlier(postgres.url);
  const before = await contentsOf(postgres.url, "public");
  await postgres.stop();
  const stack = await startLocalStack({ directory, port: 4321, settings: {}, redis: "embedded" });
  try {
    expect(await contentsOf(stack.environment.DATABASE_URL ?? "", "latchkey")).toMatchObject(before);
  } finally {
    await stack.stop();
  }
});

test("what is set is used as it is: nothing is started for it, and no setting is replaced", async () => {
  const stack = await startLocalStack({
    directory,
    port: 4321,
    settings: {
      // Read as the app reads them: white space around a value is none of it, and an origin is written as browsers do.
      APP_ORIGIN: " https://Dev.example.test:443/\n",
      DATABASE_URL: `${await testDatabaseUrl()}\n`,
      UPSTASH_REDIS_REST_URL: "https://redis.example.test ",
      UPSTASH_REDIS_REST_TOKEN: "token",
      NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: "pk_test_of-someone",
      CLERK_SECRET_KEY: "sk_test_of-someone",
    },
  });
  expect(stack.environment).toEqual({ PORT: "4321", APP_ORIGIN: "https://dev.example.test" });
  expect(stack.parts).toEqual({});
  expect(await readdir(directory)).toEqual([]);
  await stack.stop();
});

test("REDIS_URL is used in place of a local Redis, and refused beside Upstash's settings", async () => {
  const settings = {
    DATABASE_URL: await testDatabaseUrl(),
    NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: "pk_test_of-someone",
    CLERK_SECRET_KEY: "sk_test_of-someone",
    REDIS_URL: "redis://:word@redis.example.test",
  };
  const stack = await startLocalStack({ directory, port: 4321, settings });
  expect([stack.parts, Object.keys(stack.environment)]).toEqual([{}, ["PORT", "APP_ORIGIN"]]);
  await stack.stop();
  const upstash = { UPSTASH_REDIS_REST_URL: "https://redis.example.test", UPSTASH_REDIS_REST_TOKEN: "token" };
  const start = startLocalStack({ directory, port: 4321, settings: { ...settings, ...upstash } });
  await expect(start).rejects.toThrow("REDIS_URL");
});

test("when one service cannot start, those that did are stopped, and its error is told", async () => {
  await writeFile(join(directory, "clerk"), "a file where the sign-in wants its folder");
  await expect(startLocalStack({ directory, port: 4321, settings: {}, redis: "embedded" })).rejects.toThrow("clerk");
  const data = await readdir(join(directory, "postgres/data"));
  expect(data).toContain("PG_VERSION");
  expect(data).not.toContain("postmaster.pid");
});
