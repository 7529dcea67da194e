import { createServer } from "node:http";

import { Hono } from "hono";
import { createLatchkey } from "latchkey";

import { toNodeListener } from "./to-node-listener";

const { DATABASE_URL = "", UPSTASH_REDIS_REST_URL = "", UPSTASH_REDIS_REST_TOKEN = "" } = process.env;
const { API_KEY_REDIS_PREFIX = "latchkey:", PORT = "8080" } = process.env;

const latchkey = createLatchkey({
  secretFormat: { prefix: "lk", environment: "test" },
  databaseUrl: DATABASE_URL,
  redis: { url: UPSTASH_REDIS_REST_URL, token: UPSTASH_REDIS_REST_TOKEN, prefix: API_KEY_REDIS_PREFIX },
  scopes: ["reports:read"],
});
latchkey.startDraining();

const app = new Hono();
const hello = latchkey.withApiKey((_request, { key }) => new Response(`Hello, ${key.ownerId}\n`), {
  scopes: ["reports:read"],
});
app.get("/", (c) => hello(c.req.raw, {}));
app.all("/api/*", (c) => latchkey.handler(c.req.raw));

// `@hono/node-server`, Bun or Deno serve `app.fetch` as well.
const server = createServer(toNodeListener(app.fetch)).listen(Number(PORT), "127.0.0.1", () => console.log("ready"));
process.once("SIGTERM", () => server.close(() => void latchkey.close()));
