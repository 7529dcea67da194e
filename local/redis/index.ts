import { randomBytes } from "node:crypto";

import { startBridge } from "./bridge";
import { createEngine } from "./engine/engine";
import { findRedisServer, startRedisServer, type RedisServer } from "./redis-server";
import type { Backend } from "./reply";
import { createRespClient } from "./resp-client";

export { findRedisServer } from "./redis-server";

export type LocalRedis = {
  kind: "redis-server" | "valkey-server" | "embedded";
  /** `http://127.0.0.1:<port>` */
  url: string;
  token: string;
  stop: () => Promise<void>;
  /** The real server behind it, where there is one: to reach it raw, and to kill, hang or restart it. */
  process?: Pick<RedisServer, "pid" | "socketPath" | "restart">;
};

/**
 * A local Redis behind Upstash's REST API, on loopback, with a new token and no data at each start.
 * `auto` takes the redis-server or valkey-server on PATH, else the embedded engine; `redis-server` rejects without one.
 * `directory` holds the server's socket and log; `port` 0 (the default) takes a free one.
 */
export async function startLocalRedis(options: {
  server: "auto" | "embedded" | "redis-server";
  directory: string;
  port?: number;
}): Promise<LocalRedis> {
  const token = randomBytes(24).toString("hex");
  const path = options.server === "embedded" ? null : findRedisServer();
  if (path === null && options.server === "redis-server")
    throw new Error("no redis-server or valkey-server 7 or later on PATH");
  const port = options.port ?? 0;
  if (path === null) return { kind: "embedded", token, ...(await serve(createEngine(), token, port)) };

  const server = await startRedisServer(path, options.directory);
  try {
    const { url, stop } = await serve(createRespClient(server.socketPath), token, port);
    const stopAll = async (): Promise<void> => {
      await stop();
      await server.stop();
    };
    return { kind: server.kind, token, url, process: server, stop: stopAll };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function serve(
  backend: Backend,
  token: string,
  port: number,
): Promise<{ url: string; stop: () => Promise<void> }> {
  try {
    const bridge = await startBridge(backend, token, port);
    const stop = async (): Promise<void> => {
      await bridge.stop();
      await backend.close();
    };
    return { url: bridge.url, stop };
  } catch (error) {
    await backend.close();
    throw error;
  }
}
