import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { findFreePort } from "@/local/free-port";
import { startLocalRedis } from "@/local/redis";
import { createRespClient } from "@/local/redis/resp-client";
import { startLocalStack } from "@/local/stack";

// A process of its own, so that the Redis bridge takes no turn from the event loop whose latencies are measured.
const directory = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
// Durable: a commit waits for the disk, as in production.
const stack = await startLocalStack({
  directory,
  port: await findFreePort(),
  settings: {},
  redis: "redis-server",
  durable: true,
});
const redisPort = await findFreePort();
const socketPath = stack.parts.redis?.process?.socketPath ?? "";
const raw = createRespClient(socketPath);
await raw.pipeline([
  ["CONFIG", "SET", "bind", "127.0.0.1"],
  ["CONFIG", "SET", "port", String(redisPort)],
]);
await raw.close();
const embedded = await startLocalRedis({ server: "embedded", directory });
process.once("disconnect", () => {
  void Promise.all([stack.stop(), embedded.stop()])
    .finally(() => rm(directory, { recursive: true, force: true }))
    .finally(() => process.exit());
});
// Ctrl-C reaches the whole group; the order of the end is the command's business.
process.on("SIGINT", () => undefined);
process.send?.({
  environment: stack.environment,
  redisSocketPath: socketPath,
  redisPort,
  // As startLocalStack has it.
  clerkDirectory: join(directory, "clerk"),
  embeddedRedis: { UPSTASH_REDIS_REST_URL: embedded.url, UPSTASH_REDIS_REST_TOKEN: embedded.token },
});
