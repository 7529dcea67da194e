import { createHash, randomBytes } from "node:crypto";

import { type APIRequestContext, expect, test } from "@playwright/test";

import { bearerOf, callProcedure, createKeyOver, newHttpUser } from "../support/http-user";
import { youngMinute } from "../support/young-minute";

const path = "/api/invalidate-user-api-key-cache";
const hashOf = (secret: string) => createHash("sha256").update(secret).digest("hex");
const randomHash = () => randomBytes(32).toString("hex");
const ownOrigin = () => process.env.BASE_URL ?? "";

function post(request: APIRequestContext, headers: Record<string, string>, body: string) {
  return request.post(path, { headers: { "content-type": "application/json", ...headers }, data: Buffer.from(body) });
}

test.describe("the original invalidation endpoint", () => {
  test("purges an own key's cached copy, and the key goes on working", async ({ request }) => {
    const user = await newHttpUser();
    const { secret } = await createKeyOver(request, user);
    const whoami = () => request.get("/api/v1/whoami", { headers: { "x-api-key": secret } });
    expect((await whoami()).status()).toBe(200);
    const answer = await post(request, bearerOf(user), JSON.stringify({ keyHash: hashOf(secret) }));
    expect(answer.status()).toBe(200);
    expect(await answer.json()).toEqual({ ok: true });
    expect(answer.headers()).toMatchObject({
      vary: expect.stringContaining("Origin"),
      "cache-control": "no-store",
    });
    expect((await whoami()).status()).toBe(200);
  });

  test("looks at the origin first, and echoes an allowed one on every answer", async ({ request }) => {
    for (const origin of ["https://evil.example", "null", `${ownOrigin()}.evil.example`]) {
      for (const method of ["OPTIONS", "GET", "POST"]) {
        const answer = await request.fetch(path, { method, headers: { origin } });
        expect(answer.status()).toBe(403);
        expect(await answer.json()).toEqual({ error: "Origin not allowed" });
        expect(answer.headers()["access-control-allow-origin"]).toBeUndefined();
        expect(answer.headers().vary).toContain("Origin");
      }
    }
    const origin = ownOrigin();
    const preflight = await request.fetch(path, { method: "OPTIONS", headers: { origin } });
    expect(preflight.status()).toBe(204);
    expect(preflight.headers()).toMatchObject({
      "access-control-allow-origin": origin,
      "access-control-allow-methods": "POST, OPTIONS",
      "access-control-allow-headers": "Authorization, Content-Type",
    });
    const refused = await post(request, { origin }, "{}");
    expect(refused.status()).toBe(401);
    expect(refused.headers()["access-control-allow-origin"]).toBe(origin);
  });

  test("then at the method, the bearer, the body, its shape and the owner, in that order", async ({ request }) => {
    for (const method of ["GET", "PUT", "PATCH", "DELETE"])
      expect((await request.fetch(path, { method })).status()).toBe(405);

    const user = await newHttpUser();
    const expired = await newHttpUser({ expiresInSeconds: -120 });
    const elsewhere = await newHttpUser({ azp: "https://evil.example" });
    const { secret } = await createKeyOver(request, await newHttpUser());
    const bearers = [
      {},
      { authorization: "Bearer x" },
      { authorization: "Basic x" },
      bearerOf(expired),
      bearerOf(elsewhere),
    ];
    for (const headers of [...bearers, { cookie: `__session=${user.authorization.slice(7)}` }]) {
      const answer = await post(request, headers, "not json");
      expect(answer.status()).toBe(401);
      expect(await answer.json()).toEqual({ error: "UNAUTHENTICATED" });
    }
    const expectFailure = async (body: string, status: number, error: string) => {
      const answer = await post(request, bearerOf(user), body);
      expect({ body, status: answer.status(), ...((await answer.json()) as object) }).toEqual({ body, status, error });
    };
    for (const body of ["", "not json", "{"]) await expectFailure(body, 422, "Invalid JSON body");
    for (const body of ["null", "[]", "1", '"x"', "{}", '{"keyHash":5}', `{"keyHash":"${"A".repeat(64)}"}`])
      await expectFailure(body, 422, "Invalid keyHash");
    await expectFailure(JSON.stringify({ keyHash: hashOf(secret) }), 403, "FORBIDDEN");
    await expectFailure(JSON.stringify({ padding: "x".repeat(20_000) }), 413, "Body too large");
    expect((await post(request, bearerOf(user), JSON.stringify({ keyHash: randomHash(), other: 1 }))).status()).toBe(
      200,
    );
  });

  test("allows 60 calls a minute a user, shared with the procedure, and counts them before the body", async ({
    request,
  }) => {
    const user = await newHttpUser();
    const call = async () => (await post(request, bearerOf(user), "not json")).status();
    await youngMinute();
    for (let calls = 0; calls < 60; calls++) expect(await call()).toBe(422);
    // A call that Redis is too slow to count passes. tests/integration/keys/invalidate-cache.test.ts counts to one.
    await expect.poll(call).toBe(429);
    await expect
      .poll(async () => (await callProcedure(request, user, "invalidateCache", { keyHash: randomHash() })).status)
      .toBe(429);
    const other = await newHttpUser();
    expect((await post(request, bearerOf(other), "not json")).status()).toBe(422);
  });
});
