import { createLatchkey, type Verification } from "latchkey";
import { createEdgeVerifier } from "latchkey/edge";
import { createHandler, withApiKey } from "latchkey/http";
import { findSecrets } from "latchkey/shared";

/** Compiled in a host, against the packed types. An error that does not come is one, too. */
export const latchkey = createLatchkey({
  databaseUrl: "postgres://db.example.com/app",
  redis: { url: "https://redis.example.com", token: "token" },
  scopes: ["reports:read", "reports:write"],
});
export const handler: (request: Request) => Promise<Response> = createHandler(latchkey, { basePath: "/gateway" });
export const GET = latchkey.withApiKey((_request, { key }) => Response.json(key.ownerId), { scopes: ["reports:read"] });
export const POST = withApiKey(
  () => latchkey,
  () => new Response(),
  { scopes: ["reports:write"] },
);
export const verification: Promise<Verification> = latchkey.verify(findSecrets("")[0] ?? "");

export const edge = createEdgeVerifier({
  redis: { url: "https://redis.example.com", token: "token" },
  origin: "https://app.example.com",
  introspectionSecret: "secret",
});
export const worker: (
  request: Request,
  context: { waitUntil?: (task: Promise<unknown>) => void },
) => Promise<Response> = edge.withApiKey((_request, { key }) => Response.json(key.ownerId), {
  scopes: ["reports:read"],
});

// @ts-expect-error There is no such option.
createEdgeVerifier({ redis: { url: "", token: "" }, origin: "", introspectionSecret: "", databaseUrl: "" });
// @ts-expect-error There is no such scope.
latchkey.withApiKey(() => new Response(), { scopes: ["reports:raed"] });
// @ts-expect-error There is no such option.
createLatchkey({ databaseUrl: "", redis: { url: "", token: "" }, keyLimits: 5 });
// @ts-expect-error Nothing of the inside is seen.
export type Inside = (typeof latchkey.server)["db"];
