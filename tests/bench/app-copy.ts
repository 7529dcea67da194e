import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { type Child, startChild } from "@/local/child";
import { findFreePort } from "@/local/free-port";
import { productionEnvironment } from "@/local/production-environment";

import type { Services } from "./services";
import type { EvalRequest } from "./slot-eval";

const sources = [
  ..."app server trpc".split(" "),
  ..."instrumentation.ts instrumentation-node.ts middleware.ts next.config.ts package.json postcss.config.mjs tsconfig.json".split(
    " ",
  ),
];

/**
 * What the gateway is compared with: handlers that do nothing but the one EVAL of a verification, each in a request of its own or batched
 * as the app batches them; the last one answers as much as whoami does.
 */
export const emptyRoutes = {
  bare: { path: "/api/bench/bare", evaluate: "slot.eval(script, keys, args)", answer: "new Response()" },
  batched: { path: "/api/bench/batched", evaluate: "evaluate(keys, args)", answer: "new Response()" },
  sameAnswer: { path: "/api/bench/same-answer", evaluate: "evaluate(keys, args)", answer: "Response.json(answer)" },
};

const routeSource = ({ evaluate, answer }: (typeof emptyRoutes)["bare"]) => `
import { getServerContext } from "@/server/context";
import { createBatchedEval } from "@/server/redis/batched-eval";

const [script, keys, args] = JSON.parse(process.env.BENCH_EVAL ?? '["", [], []]') as [string, string[], string[]];
const { slot } = getServerContext().redis;
export const evaluate = createBatchedEval(slot, script);
export const answer = {
  keyId: "key_00000000-0000-7000-8000-000000000000",
  ownerId: "user_000000000000000000000000",
  name: "Production",
  environment: "test",
  scopes: ["projects:read", "reports:read"],
  expiresAt: null,
};

export async function GET(_request: Request): Promise<Response> {
  await ${evaluate};
  return ${answer};
}
`;

/** A production build of the app plus the empty handlers, which the app itself does not ship. */
export interface AppCopy {
  /** Serves it, with the empty handlers' EVAL. */
  start(evalRequest: EvalRequest): Promise<{ origin: string; stop(): Promise<void> }>;
  remove(): Promise<void>;
}

/** Builds a copy in a folder below this one, since modules are looked up from there. Takes about a minute. */
export async function buildAppCopy(services: Services): Promise<AppCopy> {
  await mkdir(".local", { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(".local", "bench-app-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await Promise.all(sources.map((name) => cp(name, join(folder, name), { recursive: true })));
    for (const route of Object.values(emptyRoutes)) {
      const file = join(folder, "app", route.path, "route.ts");
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, routeSource(route));
    }
    const environment = { ...productionEnvironment(), API_KEY_ENVIRONMENT: "test", ...services.environment };
    const build = await runNext(["build"], folder, environment, "inherit");
    if ((await build.exited) !== 0) throw new Error("the app's copy cannot be built");
    return { remove, start: (evalRequest) => serve(folder, environment, evalRequest) };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function serve(folder: string, environment: NodeJS.ProcessEnv, evalRequest: EvalRequest) {
  const port = await findFreePort();
  const settings = {
    ...environment,
    PORT: String(port),
    BENCH_EVAL: JSON.stringify(evalRequest),
    LOG_LEVEL: "silent",
  };
  const server = await runNext(["start", "-H", "localhost", "-p", String(port)], folder, settings, "ignore");
  const origin = `http://localhost:${port}`;
  let end: number | string | undefined;
  void server.exited.then((code) => (end = code));
  while (end === undefined) {
    const answer = await fetch(`${origin}/api/health/live`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return { origin, stop: () => server.stop() };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the app's copy ended before it answered (${end})`);
}

function runNext(
  args: string[],
  folder: string,
  environment: NodeJS.ProcessEnv,
  errors: "inherit" | "ignore",
): Promise<Child> {
  const next = createRequire(import.meta.url).resolve("next/dist/bin/next");
  return startChild(process.execPath, [next, ...args], {
    environment,
    cwd: folder,
    stdio: ["ignore", "ignore", errors],
    stopSignals: ["SIGTERM", "SIGKILL"],
    graceMilliseconds: 5_000,
    signals: "group",
  });
}
