import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";

import { type APIResponse, expect, test } from "@playwright/test";

import { findFreePort } from "@/local/free-port";
import { mintSecret } from "@/server/keys/secret";

import { type AppCopy, buildAppCopy } from "../support/app-copy";
import { environmentFor, startApp } from "../support/app-server";
import { callProcedure, createKeyOver, newHttpUser } from "../support/http-user";
import { startPostgresProxy } from "../support/postgres-proxy";
import { sendRaw } from "../support/raw-http";
import { storeExpiry, storeOwner } from "../support/stored-keys";
import { youngMinute } from "../support/young-minute";

/** A route of a host app, as the README shows one. */
const reportsRoute = `
import { withApiKey } from "../../../../server/latchkey";

export const GET = withApiKey((_request, { key }) => Response.json({ reportsOf: key.ownerId }), {
  scopes: ["reports:read", "reports:write"],
});
`;

/** The route that docs/adopt/edge.md shows, for keys of this run's environment. */
async function edgeRoute() {
  const source = await readFile("docs/examples/next-edge-route.ts", "utf8");
  const options = "createEdgeVerifier({";
  expect(source).toContain(options);
  return source.replace(options, `${options} secretFormat: { prefix: "lk", environment: "test" },`);
}

/** What the edge route asks: it passes each request on to the app on this port, and notes its path and the status of the answer. */
async function startOrigin(port: number) {
  const answered: string[] = [];
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    const forwarded = httpRequest({ host: "localhost", port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response).on("finish", () => answered.push(`${url} ${answer.statusCode}`));
    });
    request.pipe(forwarded.on("error", () => response.destroy()));
  });
  await once(server.listen(0, "localhost"), "listening");
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    answered,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

// One build for both tests.
test.describe.configure({ mode: "serial" });
let copy: AppCopy;
test.beforeAll(async () => {
  test.setTimeout(180_000);
  const files = { "app/api/v1/reports/route.ts": reportsRoute, "app/api/v1/edge/route.ts": await edgeRoute() };
  copy = await buildAppCopy(files, environmentFor(await findFreePort(), {}));
});
test.afterAll(() => copy.remove());

test("a route on Next's edge runtime serves a key, refuses it from its revocation on, and reports its uses", async ({
  request,
}) => {
  const port = await findFreePort();
  const origin = await startOrigin(port);
  const app = await startApp(
    port,
    environmentFor(port, {
      API_KEY_ENVIRONMENT: "test",
      APP_ORIGIN: origin.url,
      INTROSPECTION_SECRET: randomBytes(32).toString("hex"),
    }),
    { folder: copy.folder },
  );
  try {
    const user = await newHttpUser();
    const { key, secret } = await createKeyOver(request, user, "Edge");
    const call = async (headers: Record<string, string>) => {
      const answer = await request.get(`http://localhost:${port}/api/v1/edge`, { headers });
      return { status: answer.status(), body: (await answer.json()) as unknown };
    };
    for (let served = 0; served < 3; served++)
      expect(await call({ "x-api-key": secret })).toEqual({ status: 200, body: user.userId });
    const used = async () => {
      const { result } = await callProcedure(request, user, "usage", { id: key.id });
      return (result as { last30Days: { count: number }[] }).last30Days.reduce((sum, { count }) => sum + count, 0);
    };
    expect(await call({})).toMatchObject({ status: 401, body: { code: "missing_api_key" } });
    const { result } = await callProcedure(request, user, "revoke", { id: key.id });
    expect(result).toMatchObject({ effect: { status: "effective" } });
    expect(await call({ "x-api-key": secret })).toMatchObject({ status: 401, body: { code: "api_key_revoked" } });
    await expect.poll(() => origin.answered, { timeout: 30_000 }).toContain("/api/v1/introspect/uses 204");
    // A server that ends writes what it has counted.
    await app.stop();
    expect(await used()).toBe(3);
  } finally {
    await app.stop();
    await origin.stop();
  }
});

test("every row of the gateway's table, on a production build of an app with a route of its own", async ({
  request,
}) => {
  const port = await findFreePort();
  const database = await startPostgresProxy(process.env.DATABASE_URL ?? "");
  const environment = environmentFor(port, { DATABASE_URL: database.url, API_KEY_ENVIRONMENT: "test" });
  const app = await startApp(port, environment, { folder: copy.folder });
  try {
    const ask = async (path: string, headers: Record<string, string>) => {
      const answer = await request.get(`http://localhost:${port}/api/v1/${path}`, { headers });
      expect(answer.headers()["cache-control"]).toBe("no-store");
      return answer;
    };
    const newKey = async (
      prepare: (user: Awaited<ReturnType<typeof newHttpUser>>) => Promise<unknown> = async () => {},
    ) => {
      const user = await newHttpUser();
      const { key, secret } = await createKeyOver(request, user, "Row");
      await prepare(user);
      return { user, key, secret };
    };
    const refusalOf = async (answer: APIResponse) => {
      expect(answer.headers()["content-type"]).toBe("application/problem+json");
      const problem = (await answer.json()) as Record<string, unknown>;
      const text = expect.stringMatching(/\S/);
      expect(problem).toEqual({ type: text, title: text, detail: text, code: text, status: answer.status() });
      return { code: problem.code, status: answer.status(), headers: answer.headers(), detail: problem.detail };
    };
    const refusal = async (path: string, headers: Record<string, string>) => refusalOf(await ask(path, headers));
    const good = await newKey();
    const other = await newKey();

    for (const headers of [{ "x-api-key": good.secret }, { authorization: `Bearer ${good.secret}`, "x-api-key": "" }])
      expect(await (await ask("reports", headers)).json()).toEqual({ reportsOf: good.user.userId });

    // What this route does not export, the framework answers; a method that only Node knows runs no handler.
    for (const method of ["OPTIONS", "POST", "TRACE", "PROPFIND"]) {
      const answer = await sendRaw(`http://localhost:${port}/api/v1/reports`, method, [["X-API-Key", good.secret]]);
      expect({ method, status: answer.status, text: answer.text }).toEqual({
        method,
        status: method === "OPTIONS" ? 204 : 405,
        text: "",
      });
      expect(answer.headers["cache-control"]).toBe("no-store");
      if (method !== "POST") expect(answer.headers.allow).toBe("GET, HEAD, OPTIONS");
    }

    expect(
      await refusal("reports", { authorization: `Bearer ${good.secret}`, "x-api-key": other.secret }),
    ).toMatchObject({ status: 400, code: "ambiguous_credentials" });

    const missing = await refusal("reports", {});
    expect(missing).toMatchObject({ status: 401, code: "missing_api_key" });
    expect(missing.headers["www-authenticate"]).toMatch(/^Bearer (?!.*error=)/);

    const revoked = await newKey(async () => {});
    await callProcedure(request, revoked.user, "revoke", { id: revoked.key.id });
    const expired = await newKey((user) => storeExpiry(user, "Row", -1));
    for (const [code, secret] of [
      ["invalid_api_key", "lk_test_short"],
      ["invalid_api_key", mintSecret({ prefix: "lk", environment: "test" })],
      ["invalid_api_key", mintSecret({ prefix: "lk", environment: "live" })],
      ["api_key_revoked", revoked.secret],
      ["api_key_expired", expired.secret],
    ] as const) {
      const refused = await refusal("reports", { authorization: `Bearer ${secret}` });
      expect(refused).toMatchObject({ status: 401, code });
      expect(refused.headers["www-authenticate"]).toMatch(/^Bearer .*error="invalid_token"/);
    }

    const lapsed = await newKey((user) => storeOwner(user, { accessAllowed: false }));
    expect(await refusal("reports", { "x-api-key": lapsed.secret })).toMatchObject({
      status: 403,
      code: "api_access_required",
    });

    const { result } = await callProcedure(request, other.user, "create", {
      name: "Reader",
      requestId: crypto.randomUUID(),
      scopes: ["reports:read"],
    });
    const reader = result as { secret: string };
    const insufficient = await refusal("reports", { "x-api-key": reader.secret });
    expect(insufficient).toMatchObject({ status: 403, code: "insufficient_scope" });
    expect(insufficient.detail).toContain("reports:write");
    expect(insufficient.detail).not.toContain("reports:read");
    expect(insufficient.headers["www-authenticate"]).toMatch(
      /^Bearer .*error="insufficient_scope", scope="reports:read reports:write"/,
    );
    expect((await ask("whoami", { "x-api-key": reader.secret })).status()).toBe(200);

    // Redis may miss its time budget here, and the call is not counted then. tests/integration/http/rate-limits.test.ts counts to one.
    const limited = await newKey((user) => storeOwner(user, { requestsPerMinute: 2 }));
    const askLimited = async (isWanted: (answer: APIResponse) => boolean) => {
      let answer = await ask("reports", { "x-api-key": limited.secret });
      for (let more = 0; more < 10 && !isWanted(answer); more++)
        answer = await ask("reports", { "x-api-key": limited.secret });
      return answer;
    };
    await youngMinute();
    const within = await askLimited((answer) => "ratelimit" in answer.headers());
    expect(within.status()).toBe(200);
    expect(within.headers()).toMatchObject({
      "ratelimit-policy": '"owner";q=2;w=60',
      ratelimit: expect.stringMatching(/^"owner";r=[01];t=\d+$/),
    });
    const over = await refusalOf(await askLimited((answer) => answer.status() !== 200));
    expect(over).toMatchObject({ status: 429, code: "rate_limited" });
    expect(over.headers["retry-after"]).toMatch(/^[1-9]\d*$/);

    const unseen = await newKey();
    database.sever();
    // The cached key is good all the same; of the other one nobody can say anything.
    expect((await ask("reports", { "x-api-key": good.secret })).status()).toBe(200);
    const unavailable = await refusal("reports", { "x-api-key": unseen.secret });
    expect(unavailable).toMatchObject({ status: 503, code: "verification_unavailable" });
    expect(unavailable.headers["retry-after"]).toMatch(/^[1-9]\d*$/);
    expect(unavailable.headers).not.toHaveProperty("www-authenticate");
  } finally {
    await app.stop();
    await database.stop();
  }
});
