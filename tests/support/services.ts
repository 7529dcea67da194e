import { randomUUID } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";

import type { RedisPlace } from "@/server/platform/redis";

import type { RedisKind } from "./redis-kinds";
import { localAddress, type TestRedis } from "./server-instance";

export { redisKinds, redisWays } from "./redis-kinds";

/** A new database with all migrations, for the caller alone; it is gone after the run. */
export async function testDatabaseUrl(): Promise<string> {
  return copyDatabase(inject("templateDatabaseUrl"));
}

/** The same without any table. */
export async function emptyDatabaseUrl(): Promise<string> {
  return copyDatabase(new URL("/template1", inject("templateDatabaseUrl")).href);
}

/** A new database as another is, to which nobody may be connected. */
export async function copyDatabase(templateUrl: string): Promise<string> {
  const template = new URL(templateUrl);
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const admin = new URL("/postgres", template);
  const client = new pg.Client({ connectionString: admin.href });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template.pathname.slice(1)}`);
  } finally {
    await client.end();
  }
  return new URL(`/${name}`, template).href;
}

/** The run's Redis of that kind, which all tests share: each uses keys of its own. `url` and `token` reach every kind. */
export function testRedis(kind: RedisKind): TestRedis {
  const found = inject("redis").find((server) => server.kind === kind);
  if (!found) throw new Error(`There is no ${kind} in this run: iterate over redisKinds.`);
  const { url, token, socketPath } = found;
  return { url, token, ...(socketPath !== undefined && { socketPath }) };
}

/** The same without a proxy, from another process: it answers also while a test blocks its own. */
export function directPlaceOf(kind: RedisKind): RedisPlace {
  const port = inject("redis").find((server) => server.kind === kind)?.port;
  return port === undefined ? testRedis(kind) : { address: localAddress(port) };
}
