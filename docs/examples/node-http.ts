import { createServer } from "node:http";

import { createLatchkey } from "latchkey";

import { toNodeListener } from "./to-node-listener";

// A plain Node server, without Next and without a sign-in. It needs the app's settings of these names, the prefix too where the app has one:
// a revocation reaches the slots under that prefix only.
const { DATABASE_URL = "", UPSTASH_REDIS_REST_URL = "", UPSTASH_REDIS_REST_TOKEN = "" } = process.env;
const { API_KEY_REDIS_PREFIX = "latchkey:", PORT = "8080" } = process.env;

const latchkey = createLatchkey({
  secretFormat: { prefix: "lk", environment: "test" },
  databaseUrl: DATABASE_URL,
  redis: { url: UPSTASH_REDIS_REST_URL, token: UPSTASH_REDIS_REST_TOKEN, prefix: API_KEY_REDIS_PREFIX },
  scopes: ["reports:read"],
});
latchkey.startDraining();

const hello = latchkey.withApiKey((_request, { key }) => new Response(`Hello, ${key.ownerId}\n`), {
  scopes: ["reports:read"],
});

const listener = toNodeListener((request) =>
  new URL(request.url).pathname.startsWith("/api/") ? latchkey.handler(request) : hello(request, {}),
);
const server = createServer(listener).listen(Number(PORT), "127.0.0.1", () => console.log("ready"));
process.once("SIGTERM", () => server.close(() => void latchkey.close()));
