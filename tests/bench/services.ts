import { fork } from "node:child_process";
import { once } from "node:events";

/** A local Postgres, a real redis-server behind the bridge, and the sign-in, in a process of their own. */
export interface Services {
  /** The settings that lead the app to them. */
  environment: Record<string, string>;
  /** The redis-server itself. */
  redisSocketPath: string;
  /** Where it listens on loopback. */
  redisPort: number;
  /** Where the sign-in keeps the keys that session tokens are signed with. */
  clerkDirectory: string;
  /** The settings that lead to the embedded engine in its place. */
  embeddedRedis: Record<string, string>;
  stop(): Promise<void>;
}

/** @throws when they cannot be started; there has to be a redis-server on PATH. */
export async function startServices(): Promise<Services> {
  const child = fork(new URL("./services-process.ts", import.meta.url), { execArgv: ["--import", "tsx"] });
  const ended = once(child, "exit");
  const started = once(child, "message").then(([message]) => message as Omit<Services, "stop">);
  const failed = ended.then(() => {
    throw new Error("the services have not started");
  });
  const settings = await Promise.race([started, failed]);
  failed.catch(() => undefined);
  return {
    ...settings,
    async stop() {
      child.disconnect();
      await ended;
    },
  };
}

export function settingOf(services: Services, name: string): string {
  const value = services.environment[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}
