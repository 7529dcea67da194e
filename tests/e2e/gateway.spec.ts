import { expect, test } from "@playwright/test";

import { callProcedure, createKeyOver, newHttpUser } from "../support/http-user";

test.describe("the gateway over HTTP", () => {
  test("accepts a key, refuses it once revoked, and forbids caching", async ({ request }) => {
    const user = await newHttpUser();
    const { key, secret } = await createKeyOver(request, user, "CI");
    const whoami = () => request.get("/api/v1/whoami", { headers: { authorization: `Bearer ${secret}` } });
    const accepted = await whoami();
    expect(accepted.status()).toBe(200);
    expect(accepted.headers()["cache-control"]).toBe("no-store");
    const scopes = expect.any(Array);
    const expected = {
      keyId: key.id,
      ownerId: user.userId,
      createdBy: user.userId,
      name: "CI",
      environment: "test",
      scopes,
      expiresAt: null,
      secret: "current",
    };
    expect(await accepted.json()).toEqual(expected);
    expect(await callProcedure(request, user, "revoke", { id: key.id })).toMatchObject({
      result: { effect: { status: "effective" } },
    });
    const refused = await whoami();
    expect(refused.status()).toBe(401);
    expect(refused.headers()).toMatchObject({
      "content-type": "application/problem+json",
      "www-authenticate": expect.stringContaining('error="invalid_token"'),
    });
    expect(await refused.json()).toMatchObject({ code: "api_key_revoked", status: 401 });
  });

  test("lets a key revoke itself, and the page's list knows by whom", async ({ request }) => {
    const user = await newHttpUser();
    const { secret } = await createKeyOver(request, user);
    const answer = await request.delete("/api/v1/whoami", { headers: { "x-api-key": secret } });
    expect(answer.status()).toBe(200);
    expect(await answer.json()).toMatchObject({ status: "effective" });
    expect(await callProcedure(request, user, "list")).toMatchObject({
      result: { keys: [{ status: "revoked", revokedBy: "key" }] },
    });
  });

  test("takes a key from headers only", async ({ request }) => {
    const { secret } = await createKeyOver(request, await newHttpUser());
    const inQuery = await request.get(`/api/v1/whoami?api_key=${secret}&x-api-key=${secret}`);
    const inCookie = await request.get("/api/v1/whoami", { headers: { cookie: `x-api-key=${secret}` } });
    for (const answer of [inQuery, inCookie]) expect(await answer.json()).toMatchObject({ code: "missing_api_key" });
  });

  test("a session that rides along changes nothing", async ({ request }) => {
    const [owner, rider] = [await newHttpUser(), await newHttpUser()];
    const { secret } = await createKeyOver(request, owner);
    const headers = {
      authorization: rider.authorization,
      "x-api-key": secret,
      cookie: `__session=${rider.authorization.slice(7)}`,
    };
    expect(await (await request.get("/api/v1/whoami", { headers })).json()).toMatchObject({ ownerId: owner.userId });
  });

  test("answers wrong methods and unknown addresses with problems", async ({ request }) => {
    const post = await request.post("/api/v1/whoami");
    expect(post.status()).toBe(405);
    expect(post.headers().allow).toContain("DELETE");
    const unknown = await request.get("/api/v1/nothing");
    expect(unknown.status()).toBe(404);
    for (const answer of [post, unknown]) expect(answer.headers()["content-type"]).toBe("application/problem+json");
  });
});

test.describe("tRPC over HTTP", () => {
  test("refuses nobody's call, a broken and a huge body, each with a 4xx", async ({ request }) => {
    const user = await newHttpUser();
    expect(await callProcedure(request, null, "list")).toMatchObject({
      status: 401,
      error: { data: { code: "UNAUTHORIZED" } },
    });
    const headers = { authorization: user.authorization, "content-type": "application/json" };
    const send = async (data: string) =>
      (await request.post("/api/trpc/apiKeys.create", { headers, data: Buffer.from(data) })).status();
    for (const body of ["", "{", "null", "[]", '{"json":null}']) expect(await send(body)).toBe(400);
    expect(await send(JSON.stringify({ json: { name: "x".repeat(100_000) } }))).toBe(413);
    expect((await request.get("/api/trpc/apiKeys.nothing", { headers })).status()).toBe(404);
    expect((await request.delete("/api/trpc/apiKeys.list", { headers })).status()).toBe(405);
  });

  test("an impersonated session may list and revoke, not create", async ({ request }) => {
    const owner = await newHttpUser();
    const impersonated = await newHttpUser({ userId: owner.userId, act: { sub: "user_support" } });
    const { key } = await createKeyOver(request, owner);
    const create = { name: "x", requestId: crypto.randomUUID() };
    expect(await callProcedure(request, impersonated, "create", create)).toMatchObject({
      status: 403,
      error: { data: { domainCode: "IMPERSONATED" } },
    });
    expect((await callProcedure(request, impersonated, "list")).status).toBe(200);
    expect((await callProcedure(request, impersonated, "revoke", { id: key.id })).status).toBe(200);
  });

  test("a user without the feature cannot create, by any session of theirs", async ({ request }) => {
    const user = await newHttpUser({ features: [] });
    const create = { name: "x", requestId: crypto.randomUUID() };
    expect(await callProcedure(request, user, "create", create)).toMatchObject({
      status: 403,
      error: { data: { domainCode: "API_ACCESS_REQUIRED" } },
    });
  });
});

test.describe("operations", () => {
  test("health tells what is reachable, and secret endpoints without a secret are not there", async ({ request }) => {
    expect((await request.get("/api/health/live")).status()).toBe(200);
    const ready = await request.get("/api/health/ready");
    expect(ready.status()).toBe(200);
    expect(await ready.json()).toMatchObject({ status: "ok", postgres: "ok", redis: "ok" });
    for (const path of ["/api/cron/purge", "/api/metrics"]) expect((await request.get(path)).status()).toBe(404);
  });

  test("every answer carries the security headers, and pages a policy without inline scripts", async ({ request }) => {
    const page = await request.get("/");
    const api = await request.get("/api/v1/whoami");
    for (const answer of [page, api])
      expect(answer.headers()).toMatchObject({
        "x-content-type-options": "nosniff",
        "referrer-policy": expect.any(String),
        "strict-transport-security": expect.stringContaining("max-age="),
      });
    expect(page.headers()["x-powered-by"]).toBeUndefined();
    const policy = page.headers()["content-security-policy"] ?? "";
    expect(policy).toContain("frame-ancestors 'none'");
    const [scripts = ""] = /script-src [^;]*/.exec(policy) ?? [];
    expect(scripts).toContain("'nonce-");
    expect(scripts).not.toMatch(/unsafe-inline|unsafe-eval|https?:|\*/);
  });
});
