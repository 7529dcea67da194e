import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { EdgeVM } from "@edge-runtime/vm";
import { Miniflare } from "miniflare";
import { rolldown } from "rolldown";

import { createHandler } from "@/server/http";
import { noIdentity } from "@/server/http/no-identity";

import type { TestServer } from "./server-instance";

const introspectionSecret = "i".repeat(32);

/** Bundles a module as a deployment would, in one file. */
export async function bundleForEdge(input: string, format: "esm" | "iife"): Promise<string> {
  const build = await rolldown({
    input,
    platform: "browser",
    resolve: { alias: { "latchkey/edge": join(process.cwd(), "server/edge/index.ts") } },
  });
  try {
    const { output } = await build.generate({ format, name: "bundled", minify: true, exports: "named" });
    return output[0].code;
  } finally {
    await build.close();
  }
}

type OriginFate = "pass" | "refuse" | "hang" | { status: number; body: string; headers?: Record<string, string> };

/** The settings of a worker whose keys are test keys. */
export const workerSettings = (redis: { url: string; token: string }, origin: TestOrigin) => ({
  UPSTASH_REDIS_REST_URL: redis.url,
  UPSTASH_REDIS_REST_TOKEN: redis.token,
  APP_ORIGIN: origin.url,
  INTROSPECTION_SECRET: introspectionSecret,
  API_KEY_ENVIRONMENT: "test",
});

/** What a server's endpoints are served at, and what becomes of the requests that arrive. */
export interface TestOrigin {
  url: string;
  /** Path and body of each request, in order. */
  requests: { path: string; body: string }[];
  decide: (path: string, body: string) => OriginFate | Promise<OriginFate>;
  stop(): Promise<void>;
}

export async function startOrigin(server: TestServer): Promise<TestOrigin> {
  const http = {
    appOrigin: "",
    allowedOrigins: [],
    introspectionSecret,
    cronSecret: undefined,
    metricsSecret: undefined,
  };
  const handle = createHandler({ server, identity: noIdentity, http });
  const origin: TestOrigin = { url: "", requests: [], decide: () => "pass", stop: async () => {} };
  const listener = createServer((incoming, outgoing) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString("utf8");
      const path = incoming.url ?? "/";
      origin.requests.push({ path, body });
      const fate = await origin.decide(path, body);
      if (fate === "hang") return;
      if (fate === "refuse") return incoming.socket.destroy();
      if (fate !== "pass") return outgoing.writeHead(fate.status, fate.headers).end(fate.body);
      const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]);
      const answer = await handle(new Request(new URL(path, origin.url), { method: "POST", headers, body }));
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
    })().catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  origin.url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  origin.stop = () =>
    new Promise((resolve) => {
      listener.close(() => resolve());
      listener.closeAllConnections();
    });
  return origin;
}

/** An answer of a worker. */
interface EdgeAnswer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** A worker that runs: the example, as its page shows it. */
export interface EdgeWorker {
  ask(headers: Record<string, string>): Promise<EdgeAnswer>;
  stop(): Promise<void>;
}

export const runtimes = ["workerd", "edge-runtime"] as const;
const source = "docs/examples/worker.ts";
const address = "http://worker.example.com/reports";

/** @param env the worker's settings. */
export async function startWorker(
  runtime: (typeof runtimes)[number],
  env: Record<string, string>,
  compatibilityDate = "2025-06-01",
): Promise<EdgeWorker> {
  if (runtime === "edge-runtime") return startInVm(env);
  const script = await bundleForEdge(source, "esm");
  const worker = new Miniflare({ modules: true, script, bindings: env, compatibilityDate });
  await worker.ready;
  return {
    async ask(headers) {
      const answer = await worker.dispatchFetch(address, { headers });
      return toAnswer(answer.status, answer.headers, await answer.text());
    },
    stop: () => worker.dispose(),
  };
}

interface WorkerModule {
  default: { fetch(request: Request, env: object, ctx: object): Promise<Response> };
}

async function startInVm(env: Record<string, string>): Promise<EdgeWorker> {
  const vm = new EdgeVM();
  vm.evaluate(await bundleForEdge(source, "iife"));
  const { default: worker } = vm.evaluate<WorkerModule>("bundled");
  const InnerRequest = vm.evaluate<typeof Request>("Request");
  return {
    async ask(headers) {
      const ctx = { waitUntil: (task: Promise<unknown>) => void task };
      const answer = await worker.fetch(new InnerRequest(address, { headers }), env, ctx);
      return toAnswer(answer.status, answer.headers, await answer.text());
    },
    stop: async () => {},
  };
}

function toAnswer(status: number, headers: Iterable<[string, string]>, text: string): EdgeAnswer {
  return { status, headers: new Headers([...headers]), body: JSON.parse(text) as Record<string, unknown> };
}
