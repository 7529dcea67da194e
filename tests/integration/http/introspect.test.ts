import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import { revokeApiKey } from "@/server/keys";
import { mintSecret } from "@/server/keys/secret";
import { apiKeys, owners } from "@/server/platform/schema";
import { fromPublicId } from "@/server/shared/public-id";
import { introspect } from "@/server/http/introspect";
import { introspectionSchema } from "@/server/http/schemas";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { slotKeyOf } from "@/tests/support/slots";
import { youngMinute } from "@/tests/support/young-minute";

const secret = "s".repeat(32);

describe("introspection", () => {
  const server = useTestServer("embedded", { accessFeature: "api_access" });

  function ask(body: string, headers: Record<string, string> = {}, configured: string | undefined = secret) {
    const form = { "content-type": "application/x-www-form-urlencoded", authorization: `Bearer ${secret}` };
    const request = new Request("http://localhost/x", { method: "POST", body, headers: { ...form, ...headers } });
    return introspect(server(), configured, request);
  }
  /** A client as RFC 7662 wants it: it reads `active`, never the status alone. */
  async function isActive(token: string): Promise<boolean> {
    const answer = await ask(new URLSearchParams({ token }).toString());
    expect(answer.status).toBe(200);
    return introspectionSchema.parse(await answer.json()).active;
  }
  const newOwner = () => newCaller({ hasAccessClaim: true });

  it("describes an accepted key", async () => {
    const caller = newOwner();
    const { key, secret: token } = await createKeyOf(server(), caller, { expiresInDays: 30 });
    const answer = await ask(`token=${token}&token_type_hint=access_token`);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(introspectionSchema.parse(await answer.json())).toEqual({
      active: true,
      token_type: "Bearer",
      sub: caller.ownerId,
      createdBy: caller.userId,
      client_id: key.id,
      name: key.name,
      environment: "test",
      secret: "current",
      requestsPerMinute: null,
      createdAt: key.createdAt.toISOString(),
      expiresAt: key.expiresAt?.toISOString(),
      scope: key.scopes.join(" "),
      iat: Math.floor(key.createdAt.getTime() / 1_000),
      exp: Math.floor((key.expiresAt?.getTime() ?? 0) / 1_000),
    });
  });

  it("says exactly inactive, and no reason, for every key that is not to be accepted", async () => {
    const caller = newOwner();
    const revoked = await createKeyOf(server(), caller);
    expect(await isActive(revoked.secret)).toBe(true);
    await revokeApiKey(server(), caller, revoked.key);
    const lapsing = newOwner();
    const lapsed = await createKeyOf(server(), lapsing);
    await server().db.update(owners).set({ accessAllowed: false }).where(eq(owners.id, lapsing.ownerId));
    const expired = await createKeyOf(server(), newOwner(), { expiresInDays: 1 });
    server().advance(86_400_000);
    const tokens = [
      revoked.secret,
      lapsed.secret,
      expired.secret,
      mintSecret({ prefix: "lk", environment: "test" }),
      mintSecret({ prefix: "lk", environment: "live" }),
      "nonsense",
    ];
    for (const token of tokens) {
      const answer = await ask(new URLSearchParams({ token }).toString());
      expect({ status: answer.status, text: await answer.text() }).toEqual({ status: 200, text: '{"active":false}' });
    }
    server().advance(-86_400_000);
  });

  it("tells who asks with a nonce why, in a header: the body stays as it is", async () => {
    const { key, secret: token } = await createKeyOf(server(), newOwner());
    const told = async (fields: Record<string, string>) => {
      const answer = await ask(new URLSearchParams({ token, ...fields }).toString());
      const { active } = introspectionSchema.parse(await answer.json());
      const headers = ["nonce", "refusal", "access"].map((name) => answer.headers.get(`latchkey-${name}`));
      return [active, ...headers];
    };
    const nonce = "0123456789abcdef";
    expect(await told({ nonce })).toEqual([true, nonce, null, "required"]);
    await server()
      .db.update(apiKeys)
      .set({ expiresAt: new Date(0) })
      .where(eq(apiKeys.id, fromPublicId(key.id)));
    await server().redis.purge.evaluate("redis.call('DEL', KEYS[1])", { keys: [slotKeyOf(token)], args: [] });
    expect(await told({ nonce })).toEqual([false, nonce, "expired", "required"]);
    for (const wrong of ["short", "a".repeat(65), "0123456789abcdef\r\nx: y", ""])
      expect(await told({ nonce: wrong }), JSON.stringify(wrong)).toEqual([false, null, null, null]);
  });

  it("counts the owner's limit only for who names the scopes of the route, and only if the key has them", async () => {
    const caller = newOwner();
    const { key, secret: token } = await createKeyOf(server(), caller);
    await server().db.update(owners).set({ requestsPerMinute: 1 }).where(eq(owners.id, caller.ownerId));
    const told = async (fields: Record<string, string>) => {
      const answer = await ask(new URLSearchParams({ token, ...fields }).toString());
      expect(introspectionSchema.parse(await answer.json())).toMatchObject({ active: true, requestsPerMinute: 1 });
      return [answer.headers.get("ratelimit")?.split(";")[1] ?? null, answer.headers.get("latchkey-refusal")];
    };
    const nonce = "0123456789abcdef";
    const scope = key.scopes.join(" ");
    expect(await told({})).toEqual([null, null]);
    expect(await told({ nonce })).toEqual([null, null]);
    expect(await told({ nonce, scope: `${scope} nothing:read` })).toEqual([null, null]);
    await youngMinute();
    expect(await told({ nonce, scope })).toEqual(["r=0", null]);
    expect(await told({ nonce, scope: "" })).toEqual(["r=0", "rate_limited"]);
  });

  it("wants the secret first, then one token in a form", async () => {
    expect((await ask("token=x", {}, "")).status).toBe(404);
    for (const authorization of ["", "Bearer", `Bearer ${secret}x`, `Basic ${secret}`, secret]) {
      const answer = await ask("token=x", { authorization });
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toContain("Bearer");
    }
    const bad: [string, Record<string, string>][] = [
      ["", {}],
      ["token=", {}],
      ["token=a&token=b", {}],
      ["key=x", {}],
      ['{"token":"x"}', { "content-type": "application/json" }],
      [`token=${"x".repeat(20_000)}`, {}],
    ];
    for (const [body, headers] of bad) {
      const answer = await ask(body, headers);
      expect({ body: body.slice(0, 20), status: answer.status }).toEqual({ body: body.slice(0, 20), status: 400 });
      expect(await answer.json()).toEqual({ error: "invalid_request" });
    }
  });

  it("says 503, and nothing about the key, when it cannot know", async () => {
    const { secret: token } = await createKeyOf(server(), newOwner());
    server().redisProxy.decide = () => "refuse";
    server().postgresProxy.sever();
    const answer = await ask(`token=${token}`);
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toContain("active");
    server().postgresProxy.heal();
    server().redisProxy.decide = () => "pass";
  });
});
