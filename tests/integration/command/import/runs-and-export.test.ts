import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { listApiKeys, revokeApiKey, rotateApiKey, verifyApiKey } from "@/server/keys";
import { closeOwner } from "@/server/owners";
import { rotateInput } from "@/server/shared/inputs";
import { createKeyOf, newCaller, startTestServer } from "@/tests/support/domain";
import {
  endOf,
  runLatchkey,
  sha256,
  startLatchkey,
  withoutFiles,
  worldmonitorKey,
  writeLines,
} from "@/tests/support/latchkey-command";
import { emptyDatabaseUrl } from "@/tests/support/services";

import { format, newOwner, shapes, useImports } from "./importing-server";

describe("import", () => {
  const { server, folder, database, importLines } = useImports();

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

  // The thousands of keys that are there by now take an export several pages.
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
