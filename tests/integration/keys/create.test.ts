import { describe, expect, it } from "vitest";

import { createApiKey, type CreatedApiKey, listApiKeys, revokeApiKey, verifyApiKey } from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { apiKeys, apiKeySecrets, owners } from "@/server/platform/schema";
import { asTold, createKeyOf, newCaller, newKeyInput, useTestServer } from "@/tests/support/domain";
import { and, eq, ne } from "drizzle-orm";

describe("createApiKey", () => {
  const server = useTestServer("embedded");

  it("stores the hash of the secret and no more of it than its display shows", async () => {
    const { key, secret } = await createKeyOf(server(), newCaller());
    expect(secret).toMatch(/^lk_test_[0-9A-Za-z]{38}$/);
    const [row] = await server()
      .db.select()
      .from(apiKeys)
      .innerJoin(apiKeySecrets, eq(apiKeySecrets.keyId, apiKeys.id))
      .where(eq(apiKeys.id, key.id.slice(4)));
    expect(row?.api_key_secrets.hash.equals(hashSecret(secret))).toBe(true);
    expect(JSON.stringify(row)).not.toContain(secret.slice(12, -4));
    expect(key.display).toBe(`${secret.slice(0, 12)}…${secret.slice(-4)}`);
    expect(JSON.stringify(key)).not.toMatch(/hash|secret/i);
  });

  it("of 20 concurrent creates exactly 5 succeed, and none of them is revoked for another", async () => {
    const caller = newCaller();
    const calls = await Promise.allSettled(Array.from({ length: 20 }, () => createKeyOf(server(), caller)));
    const created = calls.flatMap((call) => (call.status === "fulfilled" ? [call.value] : []));
    expect(created).toHaveLength(5);
    for (const call of calls)
      if (call.status === "rejected") expect(call.reason).toMatchObject({ code: "API_KEY_LIMIT_REACHED" });
    for (const { secret } of created) expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    expect(await listApiKeys(server(), caller)).toMatchObject({ limit: { used: 5, max: 5 } });
  });

  it("counts neither revoked nor expired keys against the limit", async () => {
    const caller = newCaller();
    const keys = [];
    for (let at = 0; at < 5; at++) keys.push(await createKeyOf(server(), caller, { expiresInDays: 1 }));
    await expect(createKeyOf(server(), caller)).rejects.toMatchObject({ code: "API_KEY_LIMIT_REACHED" });
    await revokeApiKey(server(), caller, { id: keys[0]?.key.id ?? "" });
    await createKeyOf(server(), caller);
    await expect(createKeyOf(server(), caller)).rejects.toMatchObject({ code: "API_KEY_LIMIT_REACHED" });
    server().advance(86_400_000);
    await createKeyOf(server(), caller);
    expect((await listApiKeys(server(), caller)).limit).toEqual({ used: 2, max: 5 });
    server().advance(-86_400_000);
  });

  it("lets an owner's own limit outrank the setting", async () => {
    const caller = newCaller();
    await server().db.insert(owners).values({ id: caller.ownerId, keyLimit: 1 });
    await createKeyOf(server(), caller);
    await expect(createKeyOf(server(), caller)).rejects.toMatchObject({ code: "API_KEY_LIMIT_REACHED" });
  });

  describe("retried", () => {
    it("gives the same key a fresh secret and revokes the lost one, even at the limit", async () => {
      const caller = newCaller();
      const input = newKeyInput();
      for (let at = 0; at < 4; at++) await createKeyOf(server(), caller);
      const lost = await createApiKey(server(), caller, input);
      const retried = await createApiKey(server(), caller, input);
      expect(retried.key.id).toBe(lost.key.id);
      expect(retried.replaced?.status).toBe("effective");
      expect(await verifyApiKey(server(), lost.secret)).toMatchObject({ valid: false });
      expect(await verifyApiKey(server(), retried.secret)).toMatchObject({ valid: true, key: { keyId: lost.key.id } });
    });

    it("at once, exactly one of the secrets works at the end", async () => {
      const caller = newCaller();
      const input = newKeyInput();
      const answers = await Promise.all(Array.from({ length: 4 }, () => createApiKey(server(), caller, input)));
      expect(new Set(answers.map((answer) => answer.key.id)).size).toBe(1);
      const verdicts = await Promise.all(answers.map((answer) => verifyApiKey(server(), answer.secret)));
      expect(verdicts.filter((verdict) => verdict.valid)).toHaveLength(1);
    });

    it("is refused, and changes nothing, with another input, too late, after a use, or once revoked", async () => {
      const caller = newCaller();
      const input = newKeyInput();
      const { key, secret } = await createApiKey(server(), caller, input);
      const refused = { code: "API_KEY_REQUEST_REUSED" };
      await expect(createApiKey(server(), caller, { ...input, name: "Other" })).rejects.toMatchObject(refused);
      server().advance(600_000);
      await expect(createApiKey(server(), caller, input)).rejects.toMatchObject(refused);
      server().advance(-600_000);
      expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
      await server().runDeferred();
      await expect(createApiKey(server(), caller, input)).rejects.toMatchObject(refused);
      await revokeApiKey(server(), caller, key);
      await expect(createApiKey(server(), caller, input)).rejects.toMatchObject(refused);
      expect((await listApiKeys(server(), caller)).keys).toHaveLength(1);
    });

    it("is refused after a use that was not written yet", async () => {
      const caller = newCaller();
      // Another key's use has just been written, so that this key's use waits for the next write.
      const other = await createKeyOf(server(), caller);
      await verifyApiKey(server(), other.secret);
      await server().runDeferred();
      const input = newKeyInput();
      const { secret } = await createApiKey(server(), caller, input);
      await verifyApiKey(server(), secret);
      await server().runDeferred();
      await expect(createApiKey(server(), caller, input)).rejects.toMatchObject({ code: "API_KEY_REQUEST_REUSED" });
      expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    });

    it("does not collide with another owner's request of the same id", async () => {
      const input = newKeyInput();
      const [a, b] = await Promise.all([
        createApiKey(server(), newCaller(), input),
        createApiKey(server(), newCaller(), input),
      ]);
      expect(a.key.id).not.toBe(b.key.id);
      expect(b.replaced).toBeNull();
    });

    it("then revoked, no secret of the key is accepted, though the purge of the lost one had failed", async () => {
      const caller = newCaller();
      const input = newKeyInput();
      const lost = await createApiKey(server(), caller, input);
      server().redisProxy.decide = (body) => (body.includes("'DEL'") ? "refuse" : "pass");
      const retried = await createApiKey(server(), caller, input);
      expect(retried.replaced?.status).toBe("pending");
      server().redisProxy.decide = () => "pass";
      server().redisProxy.requests.length = 0;
      expect((await revokeApiKey(server(), caller, retried.key)).effect.status).toBe("effective");
      const purge = server().redisProxy.requests.at(-1) ?? "";
      for (const secret of [lost.secret, retried.secret]) {
        expect(purge).toContain(hashSecret(secret).toString("hex"));
        expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: false });
      }
    });
  });

  it("finds out what became of its commit when the connection dies while committing, and keeps its secret", async () => {
    const caller = newCaller();
    let commits = 0;
    server().postgresProxy.decide = (statement) =>
      statement.startsWith("COMMIT") && commits++ === 0 ? "break after" : "pass";
    const { key, secret, replaced } = await createKeyOf(server(), caller);
    expect({ commits, replaced }).toEqual({ commits: 2, replaced: null });
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true, key: { keyId: key.id } });
    expect((await listApiKeys(server(), caller)).keys).toHaveLength(1);
  });

  it("never makes a hash valid again that a retry has revoked while the outcome of its own commit was in doubt", async () => {
    const caller = newCaller();
    const input = newKeyInput();
    let commits = 0;
    let retry: Promise<CreatedApiKey> | undefined;
    server().postgresProxy.decide = (statement) => {
      if (!statement.startsWith("COMMIT") || commits++ > 0) return "pass";
      // The person asks again while the first call does not know yet what became of it.
      retry = createApiKey(server(), caller, input);
      return "break after";
    };
    await expect(asTold(createApiKey(server(), caller, input))).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
    const { secret, replaced } = (await retry) ?? {};
    expect(replaced?.status).toBe("effective");
    expect(await verifyApiKey(server(), secret ?? "")).toMatchObject({ valid: true });
    const rows = await server()
      .db.select({ hash: apiKeySecrets.hash })
      .from(apiKeySecrets)
      .where(and(eq(apiKeySecrets.ownerId, caller.ownerId), ne(apiKeySecrets.state, "revoked")));
    expect(rows.map(({ hash }) => hash.toString("hex"))).toEqual([hashSecret(secret ?? "").toString("hex")]);
  });

  it("says so when the outcome of its commit is unknown, and the retry ends with one working key", async () => {
    const caller = newCaller();
    const input = newKeyInput();
    server().postgresProxy.decide = (statement) => (statement.startsWith("COMMIT") ? "break after" : "pass");
    await expect(asTold(createApiKey(server(), caller, input))).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
    server().postgresProxy.decide = () => "pass";
    const { secret } = await createApiKey(server(), caller, input);
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    expect((await listApiKeys(server(), caller)).keys).toHaveLength(1);
  });

  describe("security", () => {
    it("refuses an impersonated session", async () => {
      const caller = newCaller({ impersonatedBy: "user_support" });
      await expect(createKeyOf(server(), caller)).rejects.toMatchObject({ code: "IMPERSONATED" });
    });

    it("refuses a closed owner", async () => {
      const caller = newCaller();
      await server().db.insert(owners).values({ id: caller.ownerId, closedAt: new Date() });
      await expect(createKeyOf(server(), caller)).rejects.toMatchObject({ code: "API_ACCESS_REQUIRED" });
    });
  });
});

describe("createApiKey with a required feature", () => {
  const server = useTestServer("embedded", { accessFeature: "api_access" });

  it("refuses a session without it, and lists that access is missing", async () => {
    const caller = newCaller({ hasAccessClaim: false });
    await expect(createKeyOf(server(), caller)).rejects.toMatchObject({ code: "API_ACCESS_REQUIRED" });
    expect(await listApiKeys(server(), caller)).toMatchObject({ keys: [], access: { allowed: false } });
  });

  it("does not let a stale session grant what the owner's row takes away", async () => {
    const caller = newCaller({ hasAccessClaim: true });
    await server().db.insert(owners).values({ id: caller.ownerId, accessAllowed: false });
    await expect(createKeyOf(server(), caller)).rejects.toMatchObject({ code: "API_ACCESS_REQUIRED" });
    const [row] = await server().db.select().from(owners).where(eq(owners.id, caller.ownerId));
    expect(row?.accessAllowed).toBe(false);
  });
});
