import { createServer } from "node:http";

import { VerificationUnavailableError, verifyApiKey } from "../../server/keys";
import { createServerContext } from "../../server/context";
import { readBearer } from "../../server/http/bearer";

// Latchkey's domain without Next: the same keys, verified by a plain Node server. Needs the app's settings of these names, the prefix too
// where the app has one: a revocation reaches the slots under that prefix only.
const { DATABASE_URL = "", UPSTASH_REDIS_REST_URL = "", UPSTASH_REDIS_REST_TOKEN = "" } = process.env;
const { API_KEY_REDIS_PREFIX = "latchkey:", PORT = "8080" } = process.env;

const context = createServerContext({
  secretFormat: { prefix: "lk", environment: "test" },
  keyLimit: 5,
  accessFeature: undefined,
  trustedProxyHops: 0,
  logLevel: "info",
  databaseUrl: DATABASE_URL,
  redis: { url: UPSTASH_REDIS_REST_URL, token: UPSTASH_REDIS_REST_TOKEN, prefix: API_KEY_REDIS_PREFIX },
});
// A long-lived process just runs what need not delay an answer.
const verifyContext = { ...context, defer: (task: () => Promise<void>) => void task() };

createServer((request, response) => {
  const secret = readBearer(request.headers.authorization) ?? "";
  verifyApiKey(verifyContext, secret)
    .then((verification) => {
      if (verification.valid) response.end(`Hello, ${verification.key.ownerId}\n`);
      else response.writeHead(401).end(`${verification.reason}\n`);
    })
    .catch((error: unknown) => response.writeHead(error instanceof VerificationUnavailableError ? 503 : 500).end());
}).listen(Number(PORT), "127.0.0.1", () => console.log("ready"));
