import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";

import { revokeApiKey } from "@/server/keys";
import { mintSecret } from "@/server/keys/secret";
import { apiKeys, owners } from "@/server/platform/schema";
import { createRevokeSelf, createWithApiKey } from "@/server/http/with-api-key";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";

describe("withApiKey", () => {
  const server = useTestServer("embedded", { accessFeature: "api_access" });
  const withApiKey = createWithApiKey(() => server());
  const whoami = withApiKey((_request, { key }) => Response.json({ keyId: key.keyId, ownerId: key.ownerId }));
  const revokeSelf = createRevokeSelf(() => server());

  const request = (headers: Record<string, string>, method = "GET") =>
    new Request("http://localhost/x", { method, headers });
  const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });
  const newKey = (fields = {}) => createKeyOf(server(), newCaller({ hasAccessClaim: true }), fields);

  beforeEach(() => {
    server().redisProxy.decide = () => "pass";
    server().postgresProxy.heal();
  });

  async function expectProblem(response: Response, status: number, code: string, challenge?: string) {
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("www-authenticate")).toBe(challenge ?? null);
    const problem = (await response.json()) as Record<string, unknown>;
    expect(problem).toEqual({
      type: expect.any(String) as string,
      title: expect.any(String) as string,
      detail: expect.any(String) as string,
      status,
      code,
    });
  }
  const invalidToken = 'Bearer realm="api", error="invalid_token"';

  it("hands the verified key to the handler, by either header, and forbids caching", async () => {
    const { key, secret } = await newKey();
    for (const headers of [bearer(secret), { "x-api-key": secret }]) {
      const response = await whoami(request(headers), {});
      expect(response.status).toBe(200);
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(await response.json()).toMatchObject({ keyId: key.id });
    }
  });

  it("answers each refusal as the table says", async () => {
    await expectProblem(await whoami(request({}), {}), 401, "missing_api_key", 'Bearer realm="api"');
    await expectProblem(await whoami(request(bearer("eyJ")), {}), 401, "invalid_api_key", invalidToken);
    await expectProblem(await whoami(request({ "x-api-key": "nonsense" }), {}), 401, "invalid_api_key", invalidToken);
    const unknown = mintSecret({ prefix: "lk", environment: "test" });
    await expectProblem(await whoami(request(bearer(unknown)), {}), 401, "invalid_api_key", invalidToken);
    const two = { ...bearer(unknown), "x-api-key": mintSecret({ prefix: "lk", environment: "test" }) };
    await expectProblem(await whoami(request(two), {}), 400, "ambiguous_credentials");
  });

  it("answers expired, revoked and lapsed keys each by its own code", async () => {
    const expired = await newKey({ expiresInDays: 1 });
    await server()
      .db.update(apiKeys)
      .set({ expiresAt: new Date(0) })
      .where(eq(apiKeys.id, expired.key.id.slice(4)));
    await expectProblem(await whoami(request(bearer(expired.secret)), {}), 401, "api_key_expired", invalidToken);

    const owner = newCaller({ hasAccessClaim: true });
    const revoked = await createKeyOf(server(), owner);
    await revokeApiKey(server(), owner, revoked.key);
    await expectProblem(await whoami(request(bearer(revoked.secret)), {}), 401, "api_key_revoked", invalidToken);

    const lapsing = newCaller({ hasAccessClaim: true });
    const lapsed = await createKeyOf(server(), lapsing);
    await server().db.update(owners).set({ accessAllowed: false }).where(eq(owners.id, lapsing.ownerId));
    await expectProblem(await whoami(request(bearer(lapsed.secret)), {}), 403, "api_access_required");
  });

  it("names the scopes that are needed", async () => {
    const { secret } = await newKey();
    const scoped = withApiKey(() => new Response("ok"), { scopes: ["reports:read", "reports:write"] });
    expect((await scoped(request(bearer(secret)), {})).status).toBe(200);
    const other = await newKey();
    await server()
      .db.update(apiKeys)
      .set({ scopes: ["reports:read"] })
      .where(eq(apiKeys.id, other.key.id.slice(4)));
    const refused = await scoped(request(bearer(other.secret)), {});
    const challenge = 'Bearer realm="api", error="insufficient_scope", scope="reports:read reports:write"';
    await expectProblem(refused, 403, "insufficient_scope", challenge);
  });

  it("says 503 with Retry-After, never 401, when it cannot know", async () => {
    const { secret } = await newKey();
    server().redisProxy.decide = () => "refuse";
    server().postgresProxy.sever();
    for (const response of [
      await whoami(request(bearer(secret)), {}),
      await revokeSelf(request(bearer(secret), "DELETE")),
    ]) {
      expect(response.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
      await expectProblem(response, 503, "verification_unavailable");
    }
  });

  describe("a key that revokes itself", () => {
    it("is told the effect, the same one when repeated, and is refused from then on", async () => {
      const { secret } = await newKey();
      const first = await revokeSelf(request(bearer(secret), "DELETE"));
      expect(first.status).toBe(200);
      const effect: unknown = await first.json();
      expect(effect).toEqual({ status: "effective", at: expect.any(String) as string });
      const second = await revokeSelf(request({ "x-api-key": secret }, "DELETE"));
      expect(await second.json()).toEqual(effect);
      await expectProblem(await whoami(request(bearer(secret)), {}), 401, "api_key_revoked", invalidToken);
    });

    it("may do so when lapsed; an unknown or malformed one is 401", async () => {
      const owner = newCaller({ hasAccessClaim: true });
      const { secret } = await createKeyOf(server(), owner);
      await server().db.update(owners).set({ accessAllowed: false }).where(eq(owners.id, owner.ownerId));
      expect((await revokeSelf(request(bearer(secret), "DELETE"))).status).toBe(200);
      const unknown = mintSecret({ prefix: "lk", environment: "test" });
      for (const bad of [unknown, "lk_test_x"])
        await expectProblem(await revokeSelf(request(bearer(bad), "DELETE")), 401, "invalid_api_key", invalidToken);
      await expectProblem(await revokeSelf(request({}, "DELETE")), 401, "missing_api_key", 'Bearer realm="api"');
    });
  });

  it("trusts no inbound identity header", async () => {
    const caller = newCaller({ hasAccessClaim: true });
    const { secret } = await createKeyOf(server(), caller);
    const headers = {
      ...bearer(secret),
      "x-user-id": "user_victim",
      "x-owner-id": "user_victim",
      cookie: "__session=x",
    };
    expect(await (await whoami(request(headers), {})).json()).toMatchObject({ ownerId: caller.ownerId });
  });
});
