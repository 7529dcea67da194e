import { afterAll, beforeAll } from "vitest";

import { toDomainError } from "@/server/platform/database";

import type { RedisKind } from "./redis-kinds";
import { type Settings, startServerInstance, type TestServer } from "./server-instance";
import { testDatabaseUrl, testRedis } from "./services";

export { createKeyOf, newCaller, newKeyInput } from "./server-instance";

/** A verb's promise, with its fault as the edges tell it. */
export async function asTold<T>(call: Promise<T>): Promise<T> {
  return call.catch((fault: unknown) => {
    throw toDomainError(fault) ?? fault;
  });
}

export function startTestServer(redisKind: RedisKind, databaseUrl: string, settings: Settings = {}) {
  return startServerInstance(databaseUrl, testRedis(redisKind), settings);
}

/** A test server for a test file, started before its tests and stopped after them. */
export function useTestServer(redisKind: RedisKind, settings: Settings = {}): () => TestServer {
  let server: TestServer | undefined;
  beforeAll(async () => {
    server = await startTestServer(redisKind, await testDatabaseUrl(), settings);
  });
  afterAll(() => server?.close());
  return () => {
    if (!server) throw new Error("the test server has not started");
    return server;
  };
}
