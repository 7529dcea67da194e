import { createServer } from "node:http";

import { createLatchkey, VerificationUnavailableError } from "latchkey";

// Keys verified by a plain Node server, without Next and without a sign-in. It needs the app's settings of these names, the prefix too where the
// app has one: a revocation reaches the slots under that prefix only.
const { DATABASE_URL = "", UPSTASH_REDIS_REST_URL = "", UPSTASH_REDIS_REST_TOKEN = "" } = process.env;
const { API_KEY_REDIS_PREFIX = "latchkey:", PORT = "8080" } = process.env;

const latchkey = createLatchkey({
  secretFormat: { prefix: "lk", environment: "test" },
  databaseUrl: DATABASE_URL,
  redis: { url: UPSTASH_REDIS_REST_URL, token: UPSTASH_REDIS_REST_TOKEN, prefix: API_KEY_REDIS_PREFIX },
});

createServer((request, response) => {
  const [, secret = ""] = /^bearer +(.+)$/i.exec(request.headers.authorization ?? "") ?? [];
  latchkey
    .verify(secret)
    .then((verification) => {
      if (verification.valid) response.end(`Hello, ${verification.key.ownerId}\n`);
      else response.writeHead(401).end(`${verification.reason}\n`);
    })
    .catch((error: unknown) => response.writeHead(error instanceof VerificationUnavailableError ? 503 : 500).end());
}).listen(Number(PORT), "127.0.0.1", () => console.log("ready"));
