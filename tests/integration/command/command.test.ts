import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import pg from "pg";
import { describe, expect, it } from "vitest";

import { mintSecret } from "@/server/keys/secret";
import { readServices, writeServices } from "@/local/services-file";
import {
  endOf,
  runLatchkey,
  sha256,
  startLatchkey,
  unkeyKey,
  worldmonitorKey,
  writeLines,
} from "@/tests/support/latchkey-command";
import { makeFolder } from "@/tests/support/make-folder";
import { emptyDatabaseUrl, testDatabaseUrl, testRedis } from "@/tests/support/services";

const folder = makeFolder();

async function tablesOf(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rowCount } = await client.query("select from pg_tables where schemaname = 'latchkey'");
  await client.end();
  return rowCount ?? 0;
}

describe("latchkey migrate", () => {
  it("needs DATABASE_URL alone, whatever else is malformed, and may run again and at once", async () => {
    const url = await emptyDatabaseUrl();
    const settings = { DATABASE_URL: url, API_KEY_ACCEPT_FORMATS: "x", APP_ORIGIN: "x", CLERK_SECRET_KEY: "x" };
    const runs = await Promise.all([1, 2, 3].map(() => runLatchkey(["migrate"], settings)));
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(await tablesOf(url)).toBeGreaterThan(3);
    expect((await runLatchkey(["migrate"], settings)).code).toBe(0);
  });

  it("ends with 1 and the setting's name when DATABASE_URL is missing or malformed, without its value", async () => {
    expect(await runLatchkey(["migrate"], {})).toMatchObject({ code: 1, errors: "DATABASE_URL is not set\n" });
    const malformed = await runLatchkey(["migrate"], { DATABASE_URL: "mysql://me:word@db/app" });
    expect(malformed).toMatchObject({
      code: 1,
      errors: expect.stringContaining("DATABASE_URL is malformed") as string,
    });
    expect(malformed.errors).not.toContain("word");
  });

  it("reads the .env files of its folder by Next's rules, and the environment before them", async () => {
    const [fromFile, fromEnvironment] = [await emptyDatabaseUrl(), await emptyDatabaseUrl()];
    const home = join(folder(), "with-env");
    await mkdir(home);
    await writeFile(join(home, ".env"), "DATABASE_URL=mysql://nothing\n");
    await writeFile(join(home, ".env.production.local"), `DATABASE_URL=${fromFile}\n`);
    const run = (settings: Record<string, string>) => endOf(startLatchkey(["migrate"], settings, home));
    expect((await run({ NODE_ENV: "production" })).code).toBe(0);
    expect((await run({ NODE_ENV: "development" })).code).toBe(1);
    expect((await run({ NODE_ENV: "development", DATABASE_URL: fromEnvironment })).code).toBe(0);
    expect(await tablesOf(fromFile)).toBeGreaterThan(3);
    expect(await tablesOf(fromEnvironment)).toBeGreaterThan(3);
  });
});

describe("wrong use", () => {
  it.each([
    ["an unknown command", ["explode-now"]],
    ["an unknown option", ["migrate", "--explode-now"]],
    ["an argument too many", ["migrate", "explode-now"]],
    ["no file", ["import"]],
    ["no file to write to", ["export", "--with-hashes"]],
    ["no command", []],
  ])("ends with 2 for %s, and repeats nothing that was typed", async (_title, args) => {
    const { code, output, errors } = await runLatchkey(args, {});
    expect(code).toBe(2);
    expect(output).toBe("");
    expect(errors).toMatch(/latchkey --help|Usage: latchkey/);
    expect(errors).not.toContain("explode");
  });

  it("is not the wish for help", async () => {
    for (const args of [["--help"], ["import", "--help"]]) {
      const { code, output, errors } = await runLatchkey(args, {});
      expect([code, errors]).toEqual([0, ""]);
      expect(output).toContain("Usage: latchkey");
    }
  });

  const secret = mintSecret({ prefix: "acme", environment: "live" });
  const foreign = worldmonitorKey("user_1");
  it.each([
    ["a secret", ["import", secret]],
    ["a secret of another shape", ["import", foreign.secret]],
    ["a secret of a third shape", ["find", unkeyKey("user_1").secret]],
    ["a secret with a wrong character", ["find", secret.replace(/.$/, "!")]],
    ["a secret in an option", ["export", `--with-hashes=${secret}`]],
    ["a secret in a line", [`Authorization: Bearer ${secret}`]],
    ["a hash", ["import", foreign.line.hash]],
    ["a hash in base64", ["find", sha256(secret).toString("base64")]],
    ["a hash in base64url", ["find", sha256(secret).toString("base64url")]],
    ["a hash with its name", ["find", `sha256:${foreign.line.hash}`]],
    ["a hash in an option", ["find", `--hash=${sha256(secret).toString("base64")}`]],
    ["a hash as Postgres shows it", ["find", `\\x${foreign.line.hash}`]],
  ])("%s as an argument is named as spoilt, and not repeated", async (_title, args) => {
    const shapes = { API_KEY_ACCEPT_FORMATS: "wm_:hex:40,sk_:base58:22,sk_:base58:21,sk_:base58:20" };
    const { code, output, errors } = await runLatchkey(args, shapes);
    expect(code).toBe(2);
    expect(errors).toContain("revoke that key");
    for (const argument of args) expect(output + errors).not.toContain(argument.slice(-20));
  });
});

describe("export --with-hashes", () => {
  it("writes only to a file that nobody else may read, and leaves any other as it was", async () => {
    const settings = { DATABASE_URL: await testDatabaseUrl() };
    await runLatchkey(["import", "-"], settings, JSON.stringify(worldmonitorKey("user_1").line));
    const at = (name: string) => join(folder(), name);
    await writeFile(at("open"), "before", { mode: 0o644 });
    await writeFile(at("group"), "before");
    await chmod(at("group"), 0o640);
    await writeFile(at("private"), "before", { mode: 0o600 });
    await symlink(at("private"), at("link"));
    for (const path of [at("open"), at("group"), at("link"), folder(), "-", "/dev/stdout", at("nowhere/file")]) {
      const { code, output, errors } = await runLatchkey(["export", "--with-hashes", path], settings);
      expect({ path, code, output }).toEqual({ path, code: 1, output: "" });
      expect(errors).not.toBe("");
    }
    for (const path of ["open", "group", "private"]) expect(await readFile(at(path), "utf8")).toBe("before");
    expect((await runLatchkey(["export", "--with-hashes", at("private")], settings)).code).toBe(0);
    expect(await readFile(at("private"), "utf8")).toContain("user_1");
    expect((await stat(at("private"))).mode & 0o777).toBe(0o600);
  });
});

describe("npm run keys", () => {
  /** In a folder of its own, whose `.local` it then uses. */
  async function runKeys(args: string[], settings: Record<string, string>, home: string) {
    const { PATH, HOME } = process.env;
    const loader = join(process.cwd(), "node_modules/tsx/dist/loader.mjs");
    const child = spawn(process.execPath, ["--import", loader, join(process.cwd(), "local/keys.ts"), ...args], {
      cwd: home,
      env: {
        ...(PATH && { PATH }),
        ...(HOME && { HOME }),
        NODE_ENV: "development",
        TSX_TSCONFIG_PATH: join(process.cwd(), "tsconfig.json"),
        ...settings,
      },
      stdio: ["pipe", "pipe", "pipe"],
    });
    return endOf(child);
  }

  async function homeWith(name: string, files: Record<string, string> = {}) {
    const home = join(folder(), name);
    await mkdir(join(home, ".local"), { recursive: true });
    for (const [file, text] of Object.entries(files)) await writeFile(join(home, file), text);
    return home;
  }

  it("beside `npm run dev` uses its database where none is set, and says so", async () => {
    const home = await homeWith("beside", { ".env.local": "DATABASE_URL=\n" });
    const url = await emptyDatabaseUrl();
    const remove = await writeServices(join(home, ".local"), { DATABASE_URL: url, PORT: "3000" });
    expect((await stat(join(home, ".local/services.json"))).mode & 0o777).toBe(0o600);
    const { code, errors } = await runKeys(["migrate"], {}, home);
    expect({ code, errors }).toMatchObject({ code: 0, errors: expect.stringContaining("local services") as string });
    expect(await tablesOf(url)).toBeGreaterThan(3);
    await remove();
    expect(await runKeys(["migrate"], {}, home)).toMatchObject({ code: 1, errors: "DATABASE_URL is not set\n" });
  });

  it("has every command of an operator there, with the local Redis too", async () => {
    const home = await homeWith("operator");
    const { url, token } = testRedis("embedded");
    const services = {
      DATABASE_URL: await testDatabaseUrl(),
      UPSTASH_REDIS_REST_URL: url,
      UPSTASH_REDIS_REST_TOKEN: token,
    };
    const remove = await writeServices(join(home, ".local"), services);
    const doctor = await runKeys(["doctor", "--json"], {}, home);
    expect([doctor.code, JSON.parse(doctor.output)]).toMatchObject([0, { ok: true }]);
    expect((await runKeys(["revoke-owner", "user_nobody"], {}, home)).errors).toContain("No such owner");
    expect((await runKeys(["revoke", `key_${crypto.randomUUID()}`], {}, home)).errors).toContain("Unknown: 1.");
    expect((await runKeys(["find"], {}, home)).errors).toContain("There is no key");
    await remove();
  });

  it("leaves the local Redis alone where REDIS_URL names another one, in the environment or in a file", async () => {
    const REDIS_URL = "redis://127.0.0.1:1";
    const { url, token } = testRedis("embedded");
    const [home, homeWithFile] = [
      await homeWith("named"),
      await homeWith("file", { ".env": `REDIS_URL=${REDIS_URL}` }),
    ];
    for (const [folder, settings] of [
      [home, { REDIS_URL }],
      [homeWithFile, {}],
    ] as const) {
      const remove = await writeServices(join(folder, ".local"), {
        DATABASE_URL: await testDatabaseUrl(),
        UPSTASH_REDIS_REST_URL: url,
        UPSTASH_REDIS_REST_TOKEN: token,
      });
      const { output } = await runKeys(["doctor", "--json"], settings, folder);
      const { checks } = JSON.parse(output) as { checks: { name: string; ok: boolean; sentence: string }[] };
      expect(checks.find(({ name }) => name === "settings")).toMatchObject({ ok: true });
      expect(checks.find(({ name }) => name === "redis")?.sentence).toContain("ECONNREFUSED");
      await remove();
    }
  });

  it("uses what is set before the local services, and in production never these", async () => {
    const [local, set] = [await emptyDatabaseUrl(), await emptyDatabaseUrl()];
    const home = await homeWith("set", { ".env.development": `DATABASE_URL=${set}\n` });
    const remove = await writeServices(join(home, ".local"), { DATABASE_URL: local });
    expect((await runKeys(["migrate"], {}, home)).code).toBe(0);
    expect((await runKeys(["migrate"], { NODE_ENV: "production" }, home)).code).toBe(1);
    expect([await tablesOf(local), (await tablesOf(set)) > 3]).toEqual([0, true]);
    await remove();
  });

  it("does not take the services of a `npm run dev` that was killed for running ones", async () => {
    const home = await homeWith("killed");
    const child = spawn(process.execPath, ["--eval", "setInterval(() => undefined, 60_000)"], { stdio: "ignore" });
    await once(child, "spawn");
    await writeServices(join(home, ".local"), { DATABASE_URL: "postgres://127.0.0.1:1/x" });
    const path = join(home, ".local/services.json");
    const file = JSON.parse(await readFile(path, "utf8")) as object;
    // Another process's number, with a start that is not its own: a number that was given again.
    await writeFile(path, JSON.stringify({ ...file, pid: child.pid }));
    expect(await readServices(join(home, ".local"))).toEqual({});
    child.kill("SIGKILL");
    for (const text of ["", "{", "null", "[]"]) {
      await writeFile(path, text);
      expect(await readServices(join(home, ".local")), text).toEqual({});
    }
  });
});

it("an import whose reader is gone ends by itself, and its keys are there", async () => {
  const settings = { DATABASE_URL: await testDatabaseUrl() };
  const file = await writeLines(
    join(folder(), "many.ndjson"),
    Array.from({ length: 1_200 }, () => worldmonitorKey("user_1").line),
  );
  const child = startLatchkey(["import", file], { __NEXT_PROCESSED_ENV: "true", ...settings });
  child.stdout.destroy();
  child.stderr.destroy();
  await once(child, "exit");
  expect((await runLatchkey(["import", file], settings)).output).toContain("1200 already there");
});
