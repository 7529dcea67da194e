import { rmSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestProject } from "vitest/node";

import { startLocalPostgres } from "@/local/postgres";
import { startLocalRedis } from "@/local/redis";
import { migrateDatabase } from "@/server/platform/migrate";

import { compile } from "./compile";
import { type RedisKind, restKinds } from "./redis-kinds";
import { startTcpForwarder } from "./tcp-forwarder";

declare module "vitest" {
  interface ProvidedContext {
    /** A migrated database that nobody connects to: the template of every test's own. */
    templateDatabaseUrl: string;
    redis: { kind: RedisKind; url: string; token: string; socketPath?: string; port?: number }[];
  }
}

/** Starts, once for the run, what integration tests share, in a temporary folder; returns what stops it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), "latchkey-tests-"));
  // An interrupted run ends without its teardown. The services end by themselves then; the folder would stay.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  const started: { stop(): Promise<void> }[] = [];
  const teardown = async () => {
    await Promise.allSettled(started.map((service) => service.stop()));
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const postgres = await startLocalPostgres({ directory, durable: false });
    started.push(postgres);
    await migrateDatabase(postgres.url);
    project.provide("templateDatabaseUrl", postgres.url);
    const redis = [];
    for (const kind of restKinds) {
      const server = await startLocalRedis({ server: kind, directory: join(directory, kind) });
      started.push(server);
      redis.push({ kind, url: server.url, token: server.token });
      if (!server.process) continue;
      const { socketPath } = server.process;
      const forwarder = await startTcpForwarder(socketPath);
      started.push(forwarder);
      redis.push({ kind: "tcp" as const, url: server.url, token: server.token, socketPath, port: forwarder.port });
    }
    project.provide("redis", redis);
    started.push(await compileCommand());
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}

/** Compiles the operator's command for latchkey-command.ts, whose processes get this one's environment. */
async function compileCommand() {
  const file = await compile("server/command/main.ts");
  const folder = dirname(file);
  const stop = () => rm(folder, { recursive: true, force: true });
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  await cp("server/platform/migrations", join(folder, "migrations"), { recursive: true });
  process.env.COMPILED_COMMAND = file;
  return { stop };
}
