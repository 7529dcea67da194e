import { randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";

import { apiKey } from "@better-auth/api-key";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { readFileSync } from "node:fs";
import pg from "pg";
import { describe, expect, it } from "vitest";

import { createApiKey, listApiKeys, revokeApiKey, rotateApiKey, verifyApiKey } from "@/server/keys";
import { createWithApiKey } from "@/server/http/with-api-key";
import { closeOwner, setOwnerAccess } from "@/server/owners";
import { createKeyOf, newCaller, newKeyInput, startTestServer, useTestServer } from "@/tests/support/domain";
import {
  endOf,
  runLatchkey,
  sha256,
  startLatchkey,
  unkeyKey,
  withoutFiles,
  worldmonitorKey,
  writeLines,
} from "@/tests/support/latchkey-command";
import { makeFolder } from "@/tests/support/make-folder";
import { emptyDatabaseUrl } from "@/tests/support/services";
import { rotateInput } from "@/server/shared/inputs";
import type { AcceptedShape, SecretFormat } from "@/server/shared/secret-format";

const accepted: AcceptedShape[] = [
  { prefix: "wm_", characters: "hex", length: 40 },
  ...[22, 21, 20, 19].map((length) => ({ prefix: "sk_", characters: "base58" as const, length })),
  { prefix: "", characters: "letters", length: 64 },
];

const format: SecretFormat = { prefix: "lk", environment: "test", accepted };

const shapes = { API_KEY_ACCEPT_FORMATS: "wm_:hex:40,sk_:base58:22,:letters:64" };

describe("import", () => {
  const server = useTestServer("embedded", { secretFormat: format });
  const folder = makeFolder();
  const newOwner = () => `user_${randomUUID()}`;
  const database = () => server().postgresProxy.target;

  async function importLines(lines: (object | string)[], ...args: string[]) {
    const file = await writeLines(join(folder(), `${randomUUID()}.ndjson`), lines);
    const ended = await runLatchkey(["import", file, "--json", ...args], { DATABASE_URL: database(), ...shapes });
    return { ...ended, file, told: ended.output ? (JSON.parse(ended.output) as Record<string, number>) : {} };
  }
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

  it("names each refused line by its number and reason, imports the others, and ends with 1", async () => {
    const ownerId = newOwner();
    const closed = newOwner();
    await closeOwner(server(), { ownerId: closed, reason: "deleted", at: new Date() });
    const foreign = worldmonitorKey(newOwner());
    await importLines([foreign.line]);
    const twice = worldmonitorKey(ownerId);
    const good = [worldmonitorKey(ownerId), worldmonitorKey(ownerId)];
    const secret = worldmonitorKey(ownerId);
    const { code, told, errors, output, file } = await importLines([
      good[0]?.line ?? "",
      "{ no JSON",
      "",
      { ...foreign.line, ownerId },
      twice.line,
      { ...twice.line, ownerId: newOwner() },
      worldmonitorKey(closed).line,
      { ...secret.line, display: secret.secret },
      { ...worldmonitorKey(ownerId).line, hash: secret.secret },
      "x".repeat(20_000),
      good[1]?.line ?? "",
    ]);
    expect(code).toBe(1);
    expect(told).toMatchObject({ lines: 11, imported: 3, alreadyThere: 0, refused: 7 });
    const refusals = errors.split("\n").filter((line) => line.startsWith("line "));
    expect(refusals.toSorted()).toEqual([
      "line 10: it is too long, or is not UTF-8",
      "line 2: this is no JSON object",
      "line 4: another owner has this key",
      "line 6: another owner has this key",
      "line 7: the owner's account is closed",
      expect.stringMatching(/^line 8: display: /),
      expect.stringMatching(/^line 9: hash: /),
    ]);
    for (const hidden of [foreign.line.hash, secret.line.hash, secret.secret, ownerId, "no JSON"])
      expect(errors + output).not.toContain(hidden === "no JSON" ? "{ no" : hidden);
    for (const { secret: works } of good) expect(await verifyApiKey(server(), works)).toMatchObject({ valid: true });
    expect(await verifyApiKey(server(), foreign.secret)).toMatchObject({
      valid: true,
      key: { ownerId: foreign.line.ownerId },
    });
    expect((await runLatchkey(["import", file], { DATABASE_URL: database() })).output).toContain("3 already there");
  });

  it("reads standard input, lines that end as Windows writes them, a byte order mark and no last line break", async () => {
    const lines = [worldmonitorKey(newOwner()).line, worldmonitorKey(newOwner()).line];
    const input = `\ufeff${lines.map((line) => JSON.stringify(line)).join("\r\n")}`;
    const { code, output } = await runLatchkey(["import", "-", "--json"], { DATABASE_URL: database() }, input);
    expect({ code, told: JSON.parse(output) as object }).toMatchObject({ code: 0, told: { lines: 2, imported: 2 } });
  });

  it("makes keys of API_KEY_ENVIRONMENT, and warns of keys whose shape nothing accepts", async () => {
    const { line, secret } = worldmonitorKey(newOwner());
    const settings = { DATABASE_URL: database(), API_KEY_ENVIRONMENT: "live" };
    const { code, output, errors } = await runLatchkey(["import", "-"], settings, JSON.stringify(line));
    expect({ code, output }).toEqual({
      code: 0,
      output: "1 lines: 1 keys imported (live), 0 already there, 0 refused\n",
    });
    expect(errors).toContain("API_KEY_ACCEPT_FORMATS");
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "unknown" });
    const another = JSON.stringify(worldmonitorKey(newOwner()).line);
    const known = await runLatchkey(
      ["import", "-", "--scopes", "all"],
      { ...settings, API_KEY_ACCEPT_FORMATS: "wm_:hex:40" },
      another,
    );
    expect(known.errors).toBe("");
  });

  it("says what is wrong with a file that cannot be read, and with a database without tables", async () => {
    const missing = await runLatchkey(["import", join(folder(), "nothing.ndjson")], { DATABASE_URL: database() });
    expect(missing).toMatchObject({ code: 1, errors: "The file cannot be read: ENOENT.\n", output: "" });
    const directory = await runLatchkey(["import", folder()], { DATABASE_URL: database() });
    expect(directory).toMatchObject({ code: 1, errors: "The file cannot be read: EISDIR.\n" });
    const input = JSON.stringify(worldmonitorKey(newOwner()).line);
    const empty = await runLatchkey(["import", "-"], { DATABASE_URL: await emptyDatabaseUrl() }, input);
    expect(empty).toMatchObject({
      code: 1,
      errors: "The database has no tables of Latchkey. Run `latchkey migrate` first.\n",
    });
    const unreachable = await runLatchkey(["import", "-"], { DATABASE_URL: "postgres://me:word@127.0.0.1:1/x" }, input);
    expect(unreachable.code).toBe(1);
    expect(unreachable.errors).toContain("ECONNREFUSED");
    expect(unreachable.errors).not.toContain("word");
  });

  it("killed in the middle keeps what was committed, and the next run imports the rest once", async () => {
    const owners = Array.from({ length: 50 }, newOwner);
    const keys = Array.from({ length: 3_500 }, (_, at) => worldmonitorKey(owners[at % 50] ?? ""));
    const file = await writeLines(
      join(folder(), "killed.ndjson"),
      keys.map(({ line }) => line),
    );
    const url = server().postgresProxy.url;
    const child = startLatchkey(["import", file], { ...withoutFiles, DATABASE_URL: url });
    let commits = 0;
    server().postgresProxy.decide = (statement) => {
      if (!statement.startsWith("COMMIT") || ++commits < 3) return "pass";
      child.kill("SIGKILL");
      return "break";
    };
    const killed = await endOf(child);
    server().postgresProxy.decide = () => "pass";
    expect(killed).toMatchObject({ code: null, output: "" });
    const again = await runLatchkey(["import", file, "--json"], { DATABASE_URL: database() });
    expect(JSON.parse(again.output)).toMatchObject({ lines: 3_500, imported: 1_500, alreadyThere: 2_000, refused: 0 });
    for (const { secret } of [keys[0], keys[2_500], keys[3_499]].flatMap((key) => key ?? []))
      expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
  });

  it("run twenty times at once imports each key once", async () => {
    const owners = Array.from({ length: 10 }, newOwner);
    const keys = Array.from({ length: 2_100 }, (_, at) => worldmonitorKey(owners[at % 10] ?? ""));
    const file = await writeLines(
      join(folder(), "twenty.ndjson"),
      keys.map(({ line }) => line),
    );
    const runs = await Promise.all(
      Array.from({ length: 20 }, () =>
        runLatchkey(["import", file, "--json", "--scopes", "all"], { DATABASE_URL: database(), ...shapes }),
      ),
    );
    expect(runs.map(({ code, errors }) => ({ code, errors }))).toEqual(runs.map(() => ({ code: 0, errors: "" })));
    const told = runs.map(({ output }) => JSON.parse(output) as { imported: number; alreadyThere: number });
    expect(told.reduce((sum, { imported }) => sum + imported, 0)).toBe(2_100);
    expect(told.reduce((sum, { alreadyThere }) => sum + alreadyThere, 0)).toBe(19 * 2_100);
  }, 120_000);

  it("of the same hashes for two owners at once gives each hash to one of them, and the other is told", async () => {
    const [ada, grace] = [newOwner(), newOwner()];
    const keys = Array.from({ length: 300 }, () => worldmonitorKey(ada));
    const files = await Promise.all(
      [ada, grace].map((ownerId) =>
        writeLines(
          join(folder(), `${ownerId}.ndjson`),
          keys.map(({ line }) => ({ ...line, ownerId })),
        ),
      ),
    );
    const runs = await Promise.all(
      files.map((file) => runLatchkey(["import", file, "--json"], { DATABASE_URL: database() })),
    );
    const told = runs.map(({ output }) => JSON.parse(output) as { imported: number; refused: number });
    expect(told.map(({ imported, refused }) => imported + refused)).toEqual([300, 300]);
    expect(told.reduce((sum, { imported }) => sum + imported, 0)).toBe(300);
  });

  describe("with export", () => {
    it("shows every key without its hash, and none of its secrets", async () => {
      const ownerId = newOwner();
      const { line, secret } = worldmonitorKey(ownerId);
      await importLines([line]);
      const own = await createKeyOf(server(), newCaller({ ownerId }));
      await revokeApiKey(server(), newCaller({ ownerId }), own.key);
      const { code, output, errors } = await runLatchkey(["export"], { DATABASE_URL: database() });
      expect({ code, errors }).toEqual({ code: 0, errors: "" });
      const rows = output
        .trim()
        .split("\n")
        .map((row) => JSON.parse(row) as Record<string, unknown>);
      expect(rows.filter((row) => row.ownerId === ownerId)).toMatchObject([
        { name: "Old", display: line.display, revokedAt: null },
        { id: own.key.id, display: own.key.display, revokedBy: "owner" },
      ]);
      const hashes = [secret, own.secret].flatMap((each) =>
        (["hex", "base64", "base64url"] as const).map((as) => sha256(each).toString(as)),
      );
      for (const hidden of [secret, own.secret, ...hashes]) expect(output).not.toContain(hidden);
    });

    it("--with-hashes keeps the end of an old secret that a rotation has replaced, and leaves out one that has ended", async () => {
      const owner = newCaller();
      const rotated = async () => {
        const { key, secret: old } = await createKeyOf(server(), owner, { expiresInDays: 30 });
        const input = rotateInput.parse({ id: key.id, requestId: randomUUID(), graceSeconds: 300 });
        const { secret: fresh } = await rotateApiKey(server(), owner, input);
        return { key, old, fresh };
      };
      const [grace, waiting] = [await rotated(), await rotated()];
      // Its grace is over for the command, whose clock is the real one.
      server().advance(-600_000);
      const ended = await rotated();
      await verifyApiKey(server(), ended.fresh);
      server().advance(600_000);
      await verifyApiKey(server(), grace.fresh);
      const old = (await listApiKeys(server(), owner)).keys.find(({ id }) => id === grace.key.id)?.rotation;
      if (old?.state !== "grace") throw new Error("no grace runs");

      const file = join(folder(), "rotated.ndjson");
      expect(await runLatchkey(["export", "--with-hashes", file], { DATABASE_URL: database() })).toMatchObject({
        code: 0,
      });
      const rows = readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { hash: string; ownerId: string; expiresAt: string | null });
      const endOfSecret = (secret: string) =>
        rows.find(({ hash }) => hash === sha256(secret).toString("hex"))?.expiresAt;
      expect(endOfSecret(grace.old)).toBe(old.endsAt.toISOString());
      expect(endOfSecret(grace.fresh)).toBe(grace.key.expiresAt?.toISOString());
      for (const secret of [waiting.old, waiting.fresh])
        expect(endOfSecret(secret)).toBe(waiting.key.expiresAt?.toISOString());
      expect(endOfSecret(ended.old)).toBeUndefined();
      expect(endOfSecret(ended.fresh)).toBe(ended.key.expiresAt?.toISOString());

      const shown = await runLatchkey(["export"], { DATABASE_URL: database() });
      for (const line of shown.output.trim().split("\n"))
        expect(Object.keys(JSON.parse(line) as object)).not.toContain("beside");
    });

    it("--with-hashes, imported elsewhere, verifies there: live keys alone, in a file of mode 600", async () => {
      const owner = newCaller();
      const [own, dead] = [await createKeyOf(server(), owner), await createKeyOf(server(), owner)];
      await revokeApiKey(server(), owner, dead.key);
      const { line, secret } = worldmonitorKey(owner.ownerId, {
        scopes: ["reports:read"],
        expiresAt: "2999-01-01T00:00:00Z",
      });
      const lapsed = worldmonitorKey(owner.ownerId, {
        expiresAt: "2020-01-01T00:00:00Z",
        createdAt: "2019-01-01T00:00:00Z",
      });
      await importLines([line, lapsed.line]);
      const file = join(folder(), "hashes.ndjson");
      const written = await runLatchkey(["export", "--with-hashes", file], { DATABASE_URL: database() });
      expect(written).toMatchObject({ code: 0, output: "" });
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      const exported = readFileSync(file, "utf8");
      for (const gone of [dead.secret, lapsed.secret]) expect(exported).not.toContain(sha256(gone).toString("hex"));

      const elsewhere = await emptyDatabaseUrl();
      expect((await runLatchkey(["migrate"], { DATABASE_URL: elsewhere })).code).toBe(0);
      const { code, output } = await runLatchkey(["import", file], { DATABASE_URL: elsewhere, ...shapes });
      expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining(" 0 refused") as string });
      const there = await startTestServer("embedded", elsewhere, { secretFormat: format, redisPrefix: "elsewhere:" });
      try {
        expect(await verifyApiKey(there, own.secret)).toMatchObject({ valid: true, key: { ownerId: owner.ownerId } });
        expect(await verifyApiKey(there, secret)).toMatchObject({ valid: true, key: { scopes: ["reports:read"] } });
        expect((await listApiKeys(there, owner)).keys.map(({ display }) => display).toSorted()).toEqual(
          [own.key.display, line.display].toSorted(),
        );
      } finally {
        await there.close();
      }
    });
  });
});
