import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { findFreePort } from "@/local/free-port";
import { productionEnvironment } from "@/local/production-environment";

import { buildApp, startApp } from "../support/app-server";
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
    await buildApp(folder, environment);
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
  const server = await startApp(port, settings, { folder, output: "ignore" });
  return { origin: `http://localhost:${port}`, stop: () => server.stop() };
}
