import { METHODS } from "node:http";

import { expect, test } from "@playwright/test";

import { withApp } from "../support/app-server";
import { createKeyOver, newHttpUser } from "../support/http-user";
import { type RawAnswer, sendRaw } from "../support/raw-http";

const address = (path: string) => `${process.env.BASE_URL}${path}`;
// CONNECT names a host, no address of ours: Node closes the connection.
const everyMethod = METHODS.filter((method) => method !== "CONNECT");

/** Every endpoint of a server with all of its settings, and what it has. */
const endpoints: [path: string, allow: string][] = [
  ["/api/v1/whoami", "GET, HEAD, DELETE, OPTIONS"],
  ["/api/v1/introspect", "POST, OPTIONS"],
  ["/api/v1/leaks", "POST, OPTIONS"],
  ["/api/v1/leaks/github", "POST, OPTIONS"],
  ["/api/history", "GET, HEAD, OPTIONS"],
  ["/api/health/live", "GET, HEAD, OPTIONS"],
  ["/api/health/ready", "GET, HEAD, OPTIONS"],
  ["/api/cron/purge", "GET, HEAD, OPTIONS"],
  ["/api/metrics", "GET, HEAD, OPTIONS"],
  ["/api/webhooks/clerk", "POST, OPTIONS"],
  ["/api/openapi.json", "GET, HEAD, OPTIONS"],
  ["/api/trpc/apiKeys.list", "GET, HEAD, POST, OPTIONS"],
  ["/api/invalidate-user-api-key-cache", "POST, OPTIONS"],
];

/** An error as a program reads it: never a page, never to be kept. */
function expectForPrograms(answer: RawAnswer, path: string) {
  expect(answer.headers["cache-control"]).toBe("no-store");
  expect(answer.headers["content-type"] ?? "").not.toContain("html");
  expect(answer.text).not.toMatch(/<html|<!doctype/i);
  const isProblem = path.startsWith("/api/v1") && !path.includes("introspect");
  if (isProblem && answer.text) expect(answer.headers["content-type"]).toBe("application/problem+json");
}

test("every endpoint tells OPTIONS what it has, and refuses every other method with the same Allow", async () => {
  const secret = "s".repeat(32);
  const settings = {
    ...{ INTROSPECTION_SECRET: secret, CRON_SECRET: secret, METRICS_SECRET: secret },
    GITHUB_SECRET_SCANNING: "on",
  };
  await withApp(settings, async (origin) => {
    for (const [path, allow] of endpoints) {
      const answers = await Promise.all(
        everyMethod.map(async (method) => ({ method, answer: await sendRaw(origin + path, method) })),
      );
      for (const { method, answer } of answers) {
        const told = { path, method, status: answer.status, allow: answer.headers.allow };
        if (method === "OPTIONS") expect(told).toEqual({ path, method, status: 204, allow });
        else if (allow.split(", ").includes(method)) expect([200, 400, 401, 415, 422]).toContain(answer.status);
        else expect(told).toEqual({ path, method, status: 405, allow });
        if (method !== "HEAD") expectForPrograms(answer, answer.status < 400 ? "" : path);
      }
    }
  });
});

test("HEAD is answered as GET is, without a body", async () => {
  const session = (await newHttpUser()).authorization;
  for (const [path, headers] of [
    ["/api/health/live", []],
    ["/api/openapi.json", []],
    ["/api/v1/whoami", []],
    ["/api/trpc/apiKeys.list", []],
    ["/api/trpc/apiKeys.list", [["Authorization", session]]],
  ] satisfies [string, [string, string][]][]) {
    const [get, head] = [await sendRaw(address(path), "GET", headers), await sendRaw(address(path), "HEAD", headers)];
    expect({ path, status: head.status, text: head.text }).toEqual({ path, status: get.status, text: "" });
    expect(head.headers["content-type"]).toBe(get.headers["content-type"]);
  }
});

test("an endpoint whose setting is missing is not there for any method", async () => {
  for (const path of ["/api/v1/introspect", "/api/cron/purge", "/api/metrics"])
    for (const method of ["GET", "HEAD", "POST", "OPTIONS", "DELETE", "TRACE"]) {
      const answer = await sendRaw(address(path), method);
      expect({ path, method, status: answer.status }).toEqual({ path, method, status: 404 });
      expect(answer.headers.allow).toBeUndefined();
      expectForPrograms(answer, path);
    }
});

test("an unknown address below /api is 404 for programs, whatever the method and however it is spelt", async () => {
  for (const path of [
    "/api",
    "/api/nothing",
    "/api/v1",
    "/api/v1/nothing?x=%ff",
    "/api/trpc",
    "/api/%ff",
    "/api/v1/%E0%A4",
  ])
    for (const method of ["GET", "HEAD", "POST", "OPTIONS", "TRACE", "PROPFIND"]) {
      const answer = await sendRaw(address(path), method);
      expect({ path, method, status: answer.status }).toEqual({ path, method, status: 404 });
      expectForPrograms(answer, path);
    }
});

test("what the framework answers by itself below /api is not to be kept either", async () => {
  const answer = await sendRaw(address("/api/v1/whoami/"), "GET");
  expect([answer.status, answer.headers.location]).toEqual([308, "/api/v1/whoami"]);
  expect(answer.headers["cache-control"]).toBe("no-store");
});

test("a procedure that is asked with the wrong one of GET and POST says which is right", async ({ request }) => {
  const { authorization } = await newHttpUser();
  const headers = { authorization, "content-type": "application/json" };
  const mutation = await request.get("/api/trpc/apiKeys.revokeAll", { headers });
  expect([mutation.status(), mutation.headers().allow]).toEqual([405, "POST, OPTIONS"]);
  const query = await request.post("/api/trpc/apiKeys.list", { headers, data: {} });
  expect([query.status(), query.headers().allow]).toEqual([405, "GET, HEAD, OPTIONS"]);
  const neither = await request.delete("/api/trpc/apiKeys.list", { headers });
  expect(await neither.json()).toMatchObject({ error: { json: { data: { code: "METHOD_NOT_SUPPORTED" } } } });
});

test("a method that only Node knows is refused for pages too, and runs no handler", async ({ request }) => {
  for (const path of ["/", "/settings/api-keys", "/nothing"])
    for (const method of ["TRACE", "PROPFIND", "LINK"]) {
      const answer = await sendRaw(address(path), method);
      expect({ path, method, status: answer.status, text: answer.text }).toEqual({
        path,
        method,
        status: 405,
        text: "",
      });
      expect(answer.headers).toMatchObject({ allow: "GET, HEAD", "cache-control": "no-store" });
    }
  const { secret } = await createKeyOver(request, await newHttpUser());
  const key: [string, string][] = [["X-API-Key", secret]];
  for (const method of ["TRACE", "PURGE"])
    expect((await sendRaw(address("/api/v1/whoami"), method, key)).status).toBe(405);
  // The mark of such a method, sent by a client, starts nothing that its own method would not.
  const marked: [string, string][] = [...key, ["X-Latchkey-Unroutable-Method", "DELETE"]];
  expect((await sendRaw(address("/api/v1/whoami"), "OPTIONS", marked)).status).toBe(405);
  expect((await sendRaw(address("/api/v1/whoami"), "GET", marked)).status).toBe(200);
});

test("the original endpoint looks at the origin before the method, odd methods too", async () => {
  const path = "/api/invalidate-user-api-key-cache";
  const foreign = await sendRaw(address(path), "TRACE", [["Origin", "https://evil.example"]]);
  expect([foreign.status, JSON.parse(foreign.text)]).toEqual([403, { error: "Origin not allowed" }]);
  expect(foreign.headers["access-control-allow-origin"]).toBeUndefined();
  const own = process.env.BASE_URL ?? "";
  const refused = await sendRaw(address(path), "TRACE", [["Origin", own]]);
  expect([refused.status, JSON.parse(refused.text)]).toEqual([405, { error: "Method not allowed" }]);
  expect(refused.headers["access-control-allow-origin"]).toBe(own);
});
