import { randomUUID } from "node:crypto";

import superjson, { type SuperJSONResult } from "superjson";
import { beforeEach, describe, expect, it } from "vitest";

import { type Caller, verifyApiKey } from "@/server/keys";
import { newCaller, useTestServer } from "@/tests/support/domain";
import { createTrpcHandler } from "latchkey/trpc";
import type { Session } from "@/server/http/identity";

interface Answer {
  status: number;
  text: string;
  data?: unknown;
  error?: {
    message: string;
    data: { code: string; domainCode: string | null; fieldErrors: Record<string, string[]> | null };
  };
}

describe("the router apiKeys", () => {
  const server = useTestServer("embedded");

  beforeEach(() => {
    server().postgresProxy.heal();
    server().redisProxy.decide = () => "pass";
  });

  function answer(session: Session, request: Request): Promise<Response> {
    const getLatchkey = () => ({ server: server(), identity: { readSession: () => Promise.resolve(session) } });
    return createTrpcHandler(getLatchkey, { endpoint: "/api/trpc" })(request);
  }

  /** One call as it comes over HTTP. */
  async function call(session: Session, procedure: string, input: unknown, method = "POST"): Promise<Answer> {
    const isQuery = ["list", "effect", "history"].includes(procedure);
    const body = JSON.stringify(superjson.serialize(input));
    const url = new URL(`http://localhost/api/trpc/apiKeys.${procedure}`);
    if (isQuery) url.searchParams.set("input", body);
    const init = isQuery ? {} : { method, body, headers: { "content-type": "application/json" } };
    const response = await answer(session, new Request(url, init));
    const text = await response.text();
    const parsed = JSON.parse(text) as { result?: { data: SuperJSONResult }; error?: SuperJSONResult };
    return {
      status: response.status,
      text,
      ...(parsed.result && { data: superjson.deserialize(parsed.result.data) }),
      ...(parsed.error && { error: superjson.deserialize<NonNullable<Answer["error"]>>(parsed.error) }),
    };
  }
  const as = (caller: Caller): Session => ({ status: "signed_in", caller });
  const createInput = () => ({ name: "CI", requestId: randomUUID() });

  const procedures: [string, unknown][] = [
    ["list", undefined],
    ["create", { name: "x", requestId: randomUUID() }],
    ["rename", { id: `key_${randomUUID()}`, name: "x" }],
    ["rotate", { id: `key_${randomUUID()}`, requestId: randomUUID(), graceSeconds: 300 }],
    ["cancelRotation", { id: `key_${randomUUID()}` }],
    ["endGrace", { id: `key_${randomUUID()}` }],
    ["revoke", { id: `key_${randomUUID()}` }],
    ["effect", { id: `key_${randomUUID()}` }],
    ["revokeAll", {}],
    ["history", {}],
    ["invalidateCache", { keyHash: "0".repeat(64) }],
  ];

  it.each(procedures)(
    "%s is refused without a user, and says so rather than answering with nothing",
    async (name, input) => {
      const answer = await call({ status: "signed_out" }, name, input);
      expect(answer).toMatchObject({ status: 401, error: { data: { code: "UNAUTHORIZED" } } });
    },
  );

  it.each(procedures)("%s does not call an outage of the signing keys a missing user", async (name, input) => {
    const answer = await call({ status: "unavailable" }, name, input);
    expect(answer).toMatchObject({ status: 503, error: { data: { domainCode: "SERVICE_UNAVAILABLE" } } });
  });

  it("creates, lists, renames and revokes, with dates as dates", async () => {
    const session = as(newCaller());
    const created = (await call(session, "create", createInput())).data as { key: { id: string }; secret: string };
    expect(created).toMatchObject({ key: { createdAt: expect.any(Date) as Date }, replaced: null });
    const { id } = created.key;
    expect((await call(session, "rename", { id, name: " Build " })).data).toMatchObject({ id, name: "Build" });
    expect((await call(session, "effect", { id })).data).toBeNull();
    const revoked = await call(session, "revoke", { id });
    expect(revoked.data).toMatchObject({
      key: { id, status: "revoked" },
      effect: { status: "effective", at: expect.any(Date) as Date },
    });
    const listed = await call(session, "list", undefined);
    expect(listed.data).toMatchObject({
      keys: [{ id, name: "Build" }],
      limit: { used: 0, max: 5 },
      access: { allowed: true },
    });
    const history = await call(session, "history", undefined);
    expect(history.data).toMatchObject({
      events: [
        { action: "key.revocation_effective", at: expect.any(Date) as Date },
        { action: "key.revoked", keyId: id, keyName: "Build" },
        { action: "key.renamed", detail: { from: "CI", to: "Build" } },
        { action: "key.created", keyName: "CI" },
      ],
      nextCursor: null,
    });
    for (const answer of [revoked, listed, history]) expect(answer.text).not.toContain(created.secret.slice(12, 36));
  });

  it("rotates, cancels a rotation and ends a grace", async () => {
    const session = as(newCaller());
    const { key } = (await call(session, "create", createInput())).data as { key: { id: string } };
    const { id } = key;
    const rotate = () => call(session, "rotate", { id, requestId: randomUUID(), graceSeconds: 300 });
    expect((await rotate()).data).toMatchObject({
      key: { id, rotatedAt: null, rotation: { state: "waiting", since: expect.any(Date) as Date, graceSeconds: 300 } },
      secret: expect.stringMatching(/^lk_test_/) as string,
      replaced: null,
    });
    expect(await call(session, "endGrace", { id })).toMatchObject({
      status: 409,
      error: { data: { code: "CONFLICT", domainCode: "API_KEY_ROTATING" } },
    });
    expect((await call(session, "cancelRotation", { id })).data).toMatchObject({
      key: { rotation: null },
      effect: { status: "effective", at: expect.any(Date) as Date },
    });
    const { secret } = (await rotate()).data as { secret: string };
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    const listed = await call(session, "list", undefined);
    const grace = { state: "grace", endsAt: expect.any(Date) as Date, effect: null };
    expect(listed.data).toMatchObject({ keys: [{ id, rotatedAt: expect.any(Date) as Date, rotation: grace }] });
    expect(listed.text).not.toContain(secret.slice(12, 36));
    expect(await rotate()).toMatchObject({ status: 409, error: { data: { domainCode: "API_KEY_ROTATING" } } });
    expect((await call(session, "endGrace", { id })).data).toMatchObject({ key: { rotation: null } });
    await call(session, "revoke", { id });
    expect(await rotate()).toMatchObject({ status: 409, error: { data: { domainCode: "API_KEY_NOT_ACTIVE" } } });
  });

  it.each([
    ["create", { name: "", requestId: randomUUID() }, "name"],
    ["create", { name: "   ", requestId: randomUUID() }, "name"],
    ["create", { name: "x".repeat(65), requestId: randomUUID() }, "name"],
    ["create", { name: "a\u0000b", requestId: randomUUID() }, "name"],
    ["create", { name: "a\u202eb", requestId: randomUUID() }, "name"],
    ["create", { name: "\u3164\u200d", requestId: randomUUID() }, "name"],
    ["create", { name: "a\ud83d", requestId: randomUUID() }, "name"],
    ["rename", { id: `key_${randomUUID()}`, name: "\u2800" }, "name"],
    ["rename", { id: `key_${randomUUID()}`, name: "👨‍👩‍👧‍👦".repeat(11) }, "name"],
    ["create", { name: "x", requestId: "1" }, "requestId"],
    ["create", { name: "x", requestId: randomUUID(), expiresInDays: 0 }, "expiresInDays"],
    ["create", { name: "x", requestId: randomUUID(), expiresInDays: 366 }, "expiresInDays"],
    ["create", { name: "x", requestId: randomUUID(), expiresInDays: 1.5 }, "expiresInDays"],
    ["create", { name: "x", requestId: randomUUID(), scopes: ["everything:do"] }, "scopes"],
    ["rename", { id: "key_1", name: "x" }, "id"],
    ["rotate", { id: `key_${randomUUID()}`, requestId: randomUUID(), graceSeconds: 299 }, "graceSeconds"],
    ["rotate", { id: `key_${randomUUID()}`, requestId: randomUUID(), graceSeconds: 604_801 }, "graceSeconds"],
    ["rotate", { id: `key_${randomUUID()}`, requestId: randomUUID(), graceSeconds: -1 }, "graceSeconds"],
    ["rotate", { id: `key_${randomUUID()}`, requestId: randomUUID(), graceSeconds: 300.5 }, "graceSeconds"],
    ["rotate", { id: `key_${randomUUID()}`, requestId: randomUUID() }, "graceSeconds"],
    ["rotate", { id: `key_${randomUUID()}`, requestId: "1", graceSeconds: 0 }, "requestId"],
    ["endGrace", { id: "key_1" }, "id"],
    ["revoke", { id: "' or 1=1 --" }, "id"],
    ["effect", { id: 5 }, "id"],
    ["history", { id: "key_1" }, "id"],
    ["history", { cursor: "" }, "cursor"],
    ["history", { cursor: "1" }, "cursor"],
    ["history", { cursor: "00000000-0000-4000-8000-000000000000" }, "cursor"],
    ["history", { cursor: "01890000-0000-7000-8000-000000000000' or true --" }, "cursor"],
    ["history", { limit: 0 }, "limit"],
    ["history", { limit: 101 }, "limit"],
    ["history", { limit: 1.5 }, "limit"],
    ["invalidateCache", { keyHash: "A".repeat(64) }, "keyHash"],
    ["invalidateCache", { keyHash: "0".repeat(63) }, "keyHash"],
  ])("%s answers %j with an error at the field", async (name, input, field) => {
    const { status, error } = await call(as(newCaller()), name, input);
    expect(status).toBe(400);
    expect(error?.data.fieldErrors?.[field]).toEqual([expect.any(String)]);
  });

  it.each([
    ["create", null],
    ["create", []],
    ["create", "x"],
    ["create", { name: "x", requestId: randomUUID(), ownerId: "user_victim" }],
    ["revoke", { id: `key_${randomUUID()}`, ownerId: "user_victim" }],
    ["history", { ownerId: "user_victim" }],
    ["history", { cursor: 5 }],
    ["history", null],
    ["invalidateCache", { keyHash: "0".repeat(64), extra: 1 }],
  ])("%s refuses %j: unknown fields and wrong types are a 400", async (name, input) => {
    expect(await call(as(newCaller()), name, input)).toMatchObject({
      status: 400,
      error: { data: { code: "BAD_REQUEST" } },
    });
  });

  it.each([
    ["کلید می‌خواهم", "کلید می‌خواهم"],
    ["ශ්‍රී ලංකා", "ශ්‍රී ලංකා"],
    ["👨‍👩‍👧‍👦".repeat(9), "👨‍👩‍👧‍👦".repeat(9)],
    [" Cafe\u0301  1\u00a0", "Café 1"],
  ])("creates and renames to %j, and stores it in its normal form", async (name, stored) => {
    const session = as(newCaller());
    const { key } = (await call(session, "create", { ...createInput(), name })).data as {
      key: { id: string; name: string };
    };
    expect(key.name).toBe(stored);
    expect((await call(session, "rename", { id: key.id, name: `${name} 2` })).data).toMatchObject({
      name: `${stored} 2`,
    });
    expect((await call(session, "list", undefined)).data).toMatchObject({ keys: [{ name: `${stored} 2` }] });
  });

  it("maps each violation to its status and domain code", async () => {
    const session = as(newCaller());
    const missing = { id: "key_01890000-0000-7000-8000-000000000000" };
    expect(await call(session, "revoke", missing)).toMatchObject({
      status: 404,
      error: { data: { domainCode: "API_KEY_NOT_FOUND" } },
    });
    expect(await call(session, "history", missing)).toMatchObject({
      status: 404,
      error: { data: { domainCode: "API_KEY_NOT_FOUND" } },
    });
    for (let at = 0; at < 5; at++) await call(session, "create", createInput());
    expect(await call(session, "create", createInput())).toMatchObject({
      status: 409,
      error: { data: { code: "CONFLICT", domainCode: "API_KEY_LIMIT_REACHED" } },
    });
    const impersonated = as(newCaller({ impersonatedBy: "user_support" }));
    expect(await call(impersonated, "create", createInput())).toMatchObject({
      status: 403,
      error: { data: { domainCode: "IMPERSONATED" } },
    });
    expect(await call(impersonated, "list", undefined)).toMatchObject({ status: 200 });
  });

  it("calls a database outage an outage, and lets no SQL, host or stack reach the client", async () => {
    server().postgresProxy.sever();
    for (const [name, input] of procedures) {
      const { status, error, text } = await call(as(newCaller()), name, input);
      expect({ name, status, code: error?.data.domainCode }).toEqual({
        name,
        status: 503,
        code: "SERVICE_UNAVAILABLE",
      });
      expect(text).not.toMatch(/select|insert|127\.0\.0\.1|ECONN|stack|\.ts/i);
    }
  });

  it("does not run a mutation that comes as a GET", async () => {
    const url = `http://localhost/api/trpc/apiKeys.revoke?input=${encodeURIComponent(JSON.stringify({ json: { id: "x" } }))}`;
    const response = await answer(as(newCaller()), new Request(url));
    expect(response.status).toBe(405);
  });
});
