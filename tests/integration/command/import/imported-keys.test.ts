import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

import { apiKey } from "@better-auth/api-key";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import pg from "pg";
import { describe, expect, it } from "vitest";

import { createWithApiKey } from "@/server/http/with-api-key";
import { createApiKey, listApiKeys, revokeApiKey, verifyApiKey } from "@/server/keys";
import { setOwnerAccess } from "@/server/owners";
import { createKeyOf, newCaller, newKeyInput } from "@/tests/support/domain";
import { sha256, unkeyKey, worldmonitorKey } from "@/tests/support/latchkey-command";
import { emptyDatabaseUrl } from "@/tests/support/services";

import { newOwner, useImports } from "./importing-server";

describe("import", () => {
  const { server, importLines } = useImports();
  const withApiKey = createWithApiKey(() => server());
  const whoami = withApiKey((_request, { key }) => Response.json(key));
  const ask = (headers: Record<string, string>) => whoami(new Request("http://localhost/x", { headers }), {});

  async function betterAuthKeys() {
    const url = await emptyDatabaseUrl();
    const pool = new pg.Pool({ connectionString: url });
    const auth = betterAuth({
      baseURL: "http://localhost",
      secret: "only for this test: nothing is signed",
      database: pool,
      telemetry: { enabled: false },
      logger: { disabled: true },
      plugins: [apiKey({ rateLimit: { enabled: false } })],
    });
    await (await getMigrations(auth.options)).runMigrations();
    const { internalAdapter } = await auth.$context;
    const email = `${randomUUID()}@example.test`;
    const user = await internalAdapter.createUser({ name: "Ada", email }, { method: "email-password" });
    const { key: secret } = await auth.api.createApiKey({ body: { userId: user.id, name: "Old" } });
    await auth.api.createApiKey({ body: { userId: user.id, expiresIn: 86_400 } });
    const [, statement = ""] = /```sql\n(.*?)```/s.exec(readFileSync("docs/import/better-auth.md", "utf8")) ?? [];
    const { rows } = await pool.query<{ json_build_object: object }>(statement);
    await pool.end();
    return { secret, ownerId: user.id, lines: rows.map((row) => row.json_build_object) };
  }

  it.each([
    ["worldmonitor", () => worldmonitorKey("user_wm")],
    ["Unkey", () => unkeyKey("user_unkey")],
    [
      "better-auth",
      async () => {
        const { secret, ownerId, lines } = await betterAuthKeys();
        expect(lines).toHaveLength(2);
        expect(lines).toContainEqual(
          expect.objectContaining({ name: "Imported", expiresAt: expect.any(String) as string }),
        );
        const line = lines.find((one) => "name" in one && one.name === "Old") ?? {};
        return { secret, line: { ...line, ownerId } };
      },
    ],
  ])(
    "a key of %s goes on working with its old secret, at one request for a hit, and ends with a receipt",
    async (_system, make) => {
      const { secret, line } = await make();
      const { code, told } = await importLines([line]);
      expect({ code, told }).toMatchObject({ code: 0, told: { lines: 1, imported: 1, alreadyThere: 0, refused: 0 } });

      const owner = { ownerId: line.ownerId };
      expect(await (await ask({ authorization: `Bearer ${secret}` })).json()).toMatchObject({ ...owner, name: "Old" });
      await server().usage.flush();
      await server().runDeferred();
      server().redisProxy.requests.length = 0;
      server().postgresProxy.statements.length = 0;
      expect((await ask({ "x-api-key": secret })).status).toBe(200);
      expect([server().redisProxy.requests.length, server().postgresProxy.statements.length]).toEqual([1, 0]);
      await server().runDeferred();

      const { keys } = await listApiKeys(server(), newCaller(owner));
      expect(keys).toMatchObject([{ name: "Old", status: "active", environment: "test" }]);
      const { id, display } = keys[0] ?? { id: "", display: "" };
      expect(secret.startsWith(display.slice(0, display.indexOf("…")))).toBe(true);

      const { effect } = await revokeApiKey(server(), newCaller(owner), { id });
      expect(effect.status).toBe("effective");
      const after = await ask({ authorization: `Bearer ${secret}` });
      expect([after.status, ((await after.json()) as { code: string }).code]).toEqual([401, "api_key_revoked"]);
    },
  );

  it("of an owner of whose plan nothing is known is refused, unless the import says that the owner has access", async () => {
    const ctx = { ...server(), settings: { ...server().settings, accessFeature: "api_access" } };
    const keys = { unknown: newOwner(), fresh: newOwner(), again: newOwner(), lapsed: newOwner() };
    const [unknown, fresh, again, lapsed] = Object.values(keys).map((ownerId) => worldmonitorKey(ownerId));
    await setOwnerAccess(server(), { ownerId: keys.lapsed, at: new Date(), allowed: false, until: null });
    await importLines([unknown?.line ?? {}, again?.line ?? {}]);
    const { told } = await importLines(
      [fresh, again, lapsed].map((key) => key?.line ?? {}),
      "--with-access",
    );
    expect(told).toMatchObject({ imported: 2, alreadyThere: 1 });

    const verdicts = [unknown, fresh, again, lapsed].map((key) => verifyApiKey(ctx, key?.secret ?? ""));
    const refused = { valid: false, reason: "access_required" };
    expect(await Promise.all(verdicts)).toMatchObject([refused, { valid: true }, { valid: true }, refused]);
  });

  it("tried before its import is refused, and accepted 10 s later at the latest", async () => {
    const { secret, line } = worldmonitorKey(newOwner());
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "unknown" });
    await importLines([line]);
    server().advance(10_000);
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    server().advance(-10_000);
  });

  it("keeps the times and scopes that the file gives, and judges the expiry", async () => {
    const ownerId = newOwner();
    const times = {
      createdAt: "2024-02-29T12:00:00+02:00",
      expiresAt: "2025-01-01T00:00:00Z",
      scopes: ["reports:read"],
    };
    const { secret, line } = worldmonitorKey(ownerId, times);
    await importLines([line]);
    const { keys } = await listApiKeys(server(), newCaller({ ownerId }));
    expect(keys).toMatchObject([
      {
        createdAt: new Date("2024-02-29T10:00:00Z"),
        expiresAt: new Date(times.expiresAt),
        scopes: times.scopes,
        status: "expired",
      },
    ]);
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "expired" });
  });

  it("gives the scopes of --scopes to a key that names none, and says how many keys have none", async () => {
    const imported = async (fields: object, ...args: string[]) => {
      const ownerId = newOwner();
      const { told, errors } = await importLines([worldmonitorKey(ownerId, fields).line], ...args);
      const { keys } = await listApiKeys(server(), newCaller({ ownerId }));
      return { scopes: keys[0]?.scopes, withoutScopes: told.withoutScopes, isTold: errors.includes("no scopes") };
    };
    const given = ["--scopes", "reports:write, reports:read"];
    const both = { withoutScopes: 0, isTold: false };
    expect(await imported({}, ...given)).toEqual({ scopes: ["reports:write", "reports:read"], ...both });
    expect(await imported({ scopes: ["projects:read"] }, ...given)).toEqual({ scopes: ["projects:read"], ...both });
    expect(await imported({})).toEqual({ scopes: [], withoutScopes: 1, isTold: true });
  });

  it("changes nothing when the same file is imported again, and says how many were there", async () => {
    const ownerId = newOwner();
    const lines = Array.from({ length: 7 }, () => worldmonitorKey(ownerId).line);
    expect((await importLines(lines)).told).toMatchObject({ imported: 7, alreadyThere: 0 });
    const caller = newCaller({ ownerId });
    const first = await listApiKeys(server(), caller);
    expect(first.limit).toEqual({ used: 7, max: 5 });
    const again = await importLines([
      ...lines.map((line) => ({ ...line, name: "Other" })),
      worldmonitorKey(ownerId).line,
    ]);
    expect({ code: again.code, told: again.told }).toMatchObject({ code: 0, told: { imported: 1, alreadyThere: 7 } });
    const second = await listApiKeys(server(), caller);
    expect(second.keys).toHaveLength(8);
    expect(second.keys).toEqual(expect.arrayContaining(first.keys));
    await expect(createApiKey(server(), caller, newKeyInput())).rejects.toMatchObject({
      code: "API_KEY_LIMIT_REACHED",
    });
  });

  it("leaves a hash that was ever revoked as it is", async () => {
    const ownerId = newOwner();
    const { secret, line } = worldmonitorKey(ownerId);
    await importLines([line]);
    const { keys } = await listApiKeys(server(), newCaller({ ownerId }));
    await revokeApiKey(server(), newCaller({ ownerId }), { id: keys[0]?.id ?? "" });
    const own = await createKeyOf(server(), newCaller({ ownerId }));
    await revokeApiKey(server(), newCaller({ ownerId }), own.key);
    const ownLine = { ...line, hash: sha256(own.secret).toString("base64url"), display: own.key.display };
    expect((await importLines([line, ownLine])).told).toMatchObject({
      imported: 0,
      alreadyThere: 2,
      revoked: 2,
      refused: 0,
    });
    for (const dead of [secret, own.secret])
      expect(await verifyApiKey(server(), dead)).toEqual({ valid: false, reason: "revoked" });
  });

  it("a secret that a retried create has replaced stays dead, too", async () => {
    const caller = newCaller();
    const input = newKeyInput();
    const lost = await createApiKey(server(), caller, input);
    const kept = await createApiKey(server(), caller, input);
    const hash = sha256(lost.secret).toString("hex");
    const line = { ownerId: caller.ownerId, name: "Back", hash, display: lost.key.display };
    expect((await importLines([line])).told).toMatchObject({ imported: 0, alreadyThere: 1, revoked: 1 });
    expect(await verifyApiKey(server(), lost.secret)).toEqual({ valid: false, reason: "revoked" });
    expect(await verifyApiKey(server(), kept.secret)).toMatchObject({ valid: true });
  });
});
