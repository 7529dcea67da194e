import { buildForProduction } from "./production-build";
import type { Services } from "./services";
import type { EvalRequest } from "./slot-eval";

/**
 * What the gateway is compared with: handlers that do nothing but the one EVAL of a verification, each in a request of its own or batched
 * as the app batches them; the last one answers as much as whoami does.
 */
export const emptyRoutes = {
  bare: { path: "/api/bench/bare", evaluate: "slot.evaluate(script, call)", answer: "new Response()" },
  batched: { path: "/api/bench/batched", evaluate: "evaluate(call)", answer: "new Response()" },
  sameAnswer: { path: "/api/bench/same-answer", evaluate: "evaluate(call)", answer: "Response.json(answer)" },
};

const routeSource = ({ evaluate, answer }: (typeof emptyRoutes)["bare"]) => `
import { openServer } from "@/server/keys";
import { getLatchkey } from "@/server/latchkey";
import type { ScriptCall } from "@/server/platform/redis";

const [script, call] = JSON.parse(process.env.BENCH_EVAL ?? '["", { "keys": [], "args": [] }]') as [string, ScriptCall];
const { slot } = openServer(getLatchkey().server).redis;
export const evaluate = slot.forManyCallers(script);
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

/** Serves a production build of the app plus the empty handlers, which the app itself does not ship. */
export async function serveWithEmptyRoutes(services: Services, evalRequest: EvalRequest) {
  const files: Record<string, string> = {};
  for (const route of Object.values(emptyRoutes)) files[`app${route.path}/route.ts`] = routeSource(route);
  const build = await buildForProduction(services, files);
  try {
    const server = await build.start({ BENCH_EVAL: JSON.stringify(evalRequest) });
    return {
      origin: server.origin,
      async stop() {
        await server.stop();
        await build.remove();
      },
    };
  } catch (error) {
    await build.remove();
    throw error;
  }
}
