import type { Child } from "@/local/child";
import { findFreePort } from "@/local/free-port";
import { productionEnvironment } from "@/local/production-environment";

import { buildAppCopy } from "../support/app-copy";
import { startApp } from "../support/app-server";
import type { Services } from "./services";

/** A process that serves the build, by `next start`. */
export interface ProductionServer {
  origin: string;
  port: number;
  pid: number;
  stop(): Promise<void>;
}

/** A production build of a copy of the app, so that later edits of the sources do not reach it. */
export interface ProductionBuild {
  folder: string;
  /** What a server is started with, on a port of its own. */
  environmentFor(port: number, changes?: Settings): NodeJS.ProcessEnv;
  start(changes?: Settings): Promise<ProductionServer>;
  remove(): Promise<void>;
}

type Settings = Record<string, string | undefined>;

/** The settings that lead a server to Redis by TCP in place of REST. */
export const redisByTcp = (services: Services): Settings => ({
  REDIS_URL: `redis://127.0.0.1:${services.redisPort}`,
  UPSTASH_REDIS_REST_URL: undefined,
  UPSTASH_REDIS_REST_TOKEN: undefined,
});

/** @param files what the copy has besides the app, by path */
export async function buildForProduction(
  services: Services,
  files: Record<string, string> = {},
): Promise<ProductionBuild> {
  const environmentFor = (port: number, changes: Settings = {}) => ({
    ...productionEnvironment(),
    API_KEY_ENVIRONMENT: "test",
    ...services.environment,
    LOG_LEVEL: "silent",
    ...changes,
    PORT: String(port),
  });
  const copy = await buildAppCopy(files, environmentFor(await findFreePort()));
  return {
    ...copy,
    environmentFor,
    async start(changes) {
      const port = await findFreePort();
      const server: Child = await startApp(port, environmentFor(port, changes), { ...copy, output: "ignore" });
      return { origin: `http://localhost:${port}`, port, pid: server.pid, stop: () => server.stop() };
    },
  };
}
