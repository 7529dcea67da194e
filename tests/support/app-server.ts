import { createRequire } from "node:module";

import { type Child, startChild } from "@/local/child";
import { findFreePort } from "@/local/free-port";
import { productionEnvironment } from "@/local/production-environment";

import { sendRaw } from "./raw-http";

type Output = "inherit" | "ignore";

/** Makes the production build of an app in another folder, which has to be below this one: modules are looked up from there. */
export async function buildApp(folder: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const build = await runNext(["build"], environment, folder, ["ignore", "ignore", "inherit"]);
  if ((await build.exited) !== 0) throw new Error(`The app in ${folder} cannot be built.`);
}

/** Serves a production build, this one's or another folder's, and resolves once it answers. Rejects with its exit code when it ends instead. */
export async function startApp(
  port: number,
  environment: NodeJS.ProcessEnv,
  { folder = ".", output = "inherit" }: { folder?: string; output?: Output } = {},
): Promise<Child> {
  const app = await spawnApp(port, environment, { folder, output });
  await answers(`http://localhost:${port}/api/health/live`, app);
  return app;
}

/** The same, without waiting for an answer. */
export function spawnApp(
  port: number,
  environment: NodeJS.ProcessEnv,
  { folder, output }: { folder: string; output: Output },
): Promise<Child> {
  const args = ["start", "-H", "localhost", "-p", String(port)];
  return runNext(args, environment, folder, ["ignore", output, output]);
}

function runNext(args: string[], environment: NodeJS.ProcessEnv, cwd: string, stdio: Output[]): Promise<Child> {
  const next = createRequire(import.meta.url).resolve("next/dist/bin/next");
  return startChild(process.execPath, [next, ...args], {
    environment,
    cwd,
    stdio,
    stopSignals: ["SIGTERM", "SIGKILL"],
    graceMilliseconds: 5_000,
    signals: "group",
  });
}

/** Resolves when the page answers; rejects when the server has ended instead. */
async function answers(url: string, app: Child) {
  let end: number | string | undefined;
  void app.exited.then((code) => (end = code));
  while (end === undefined) {
    // Not fetch: its connection would stay open, and keep a server that is told to end for some seconds.
    const response = await sendRaw(url, "GET").catch(() => undefined);
    if (response?.status === 200) return;
    if (response && response.status >= 500) throw new Error(`${url} answers ${response.status}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`The app ended before it answered (${end}).`);
}

const settings = [
  "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY",
  "CLERK_SECRET_KEY",
  "UPSTASH_REDIS_REST_URL",
  "UPSTASH_REDIS_REST_TOKEN",
  "DATABASE_URL",
  "CLERK_JWT_KEY",
  "CLERK_API_URL",
  "CLERK_FAPI_URL",
  "NEXT_PUBLIC_CLERK_PROXY_URL",
  "CLERK_WEBHOOK_SIGNING_SECRET",
  "API_ACCESS_FEATURE",
] as const;

/** A production's settings, as the run's own server has them, on another port. */
export function environmentFor(port: number, changes: Record<string, string | undefined>): NodeJS.ProcessEnv {
  // spawn() leaves out what is undefined.
  const own = Object.fromEntries(settings.map((name) => [name, process.env[name]]));
  return { ...productionEnvironment(), ...own, APP_ORIGIN: `http://localhost:${port}`, ...changes };
}

/** Serves it once more, with other settings, for as long as `work` takes. */
export async function withApp(changes: Record<string, string | undefined>, work: (origin: string) => Promise<void>) {
  const port = await findFreePort();
  const app: Child = await startApp(port, environmentFor(port, changes));
  try {
    await work(`http://localhost:${port}`);
  } finally {
    await app.stop();
  }
}
