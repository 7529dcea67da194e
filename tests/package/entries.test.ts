import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { entries } from "@/local/package/entries";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { createPackageHost, type PackageHost, plainEnvironment, readManifest } from "@/tests/support/package-host";
import { testRedis } from "@/tests/support/services";

const run = promisify(execFile);
const hosts: PackageHost[] = [];
let empty: PackageHost;
let withTrpc: PackageHost;

beforeAll(async () => {
  hosts.push((empty = await createPackageHost()));
  hosts.push((withTrpc = await createPackageHost("@trpc/server")));
});
afterAll(() => Promise.all(hosts.map((host) => host.remove())));

/** What a script of the host prints, as JSON. */
async function printed(host: PackageHost, script: string, env: Record<string, string> = {}): Promise<unknown> {
  const args = ["--input-type=module", "--eval", script];
  const { stdout } = await run(process.execPath, args, { cwd: host.folder, env: plainEnvironment(env) });
  return JSON.parse(stdout);
}

describe("the package in an app without Next, React, tRPC and Clerk", () => {
  const server = useTestServer("embedded");

  it("has the entries that its package.json names, and no other file is imported by name", async () => {
    const { exports } = readManifest(join(empty.folder, "node_modules/latchkey"));
    expect(Object.keys(exports).sort()).toEqual([...Object.keys(entries), "./package.json"].sort());
    await expect(printed(empty, 'await import("latchkey/lib/index.js")')).rejects.toThrow(
      "ERR_PACKAGE_PATH_NOT_EXPORTED",
    );
  });

  it("an import changes nothing of the process", async () => {
    const changes = await printed(
      empty,
      `import { Server } from "node:http";
      const { emit } = Server.prototype;
      const globals = Object.getOwnPropertyNames(globalThis);
      const state = () => JSON.stringify([process.eventNames().map((name) => process.listenerCount(name)), process.env]);
      const before = state();
      for (const name of ["latchkey", "latchkey/http", "latchkey/edge", "latchkey/shared"]) await import(name);
      console.log(JSON.stringify({
        globals: Object.getOwnPropertyNames(globalThis).filter((name) => !globals.includes(name)).sort(),
        isAsBefore: state() === before && emit === Server.prototype.emit,
      }));`,
    );
    // zod keeps its own registry on globalThis.
    expect(changes).toEqual({ globals: ["__zod_globalConfig", "__zod_globalRegistry"], isAsBefore: true });
  });

  it("verifies keys, also by its handler, and lets the process end", async () => {
    const caller = newCaller();
    const { secret } = await createKeyOf(server(), caller);
    const redis = testRedis("embedded");
    const answer = await printed(
      empty,
      `import { createLatchkey } from "latchkey";
      import { createHandler, withApiKey } from "latchkey/http";
      import { findSecrets } from "latchkey/shared";
      const { SECRET, DATABASE, REDIS, TOKEN } = process.env;
      const latchkey = createLatchkey({ logLevel: "silent", secretFormat: { environment: "test" }, databaseUrl: DATABASE, redis: { url: REDIS, token: TOKEN } });
      const headers = { authorization: "Bearer " + SECRET };
      const request = (path) => new Request("https://host.example.com" + path, { headers });
      const whoami = await createHandler(latchkey, { basePath: "/gateway" })(request("/gateway/v1/whoami"));
      const route = await withApiKey(latchkey, (_request, { key }) => Response.json(key.ownerId))(request("/"), {});
      const { key } = await latchkey.verify(SECRET);
      console.log(JSON.stringify([key.ownerId, (await whoami.json()).ownerId, await route.json(), findSecrets("x" + SECRET).length]));
      await latchkey.close();`,
      { SECRET: secret, DATABASE: server().postgresProxy.url, REDIS: redis.url, TOKEN: redis.token },
    );
    expect(answer).toEqual([caller.ownerId, caller.ownerId, caller.ownerId, 1]);
  });

  it("its entry for the edge loads nothing of Node and of no package", () => {
    const lib = join(empty.folder, "node_modules/latchkey/lib");
    const files = new Set(["edge.js"]);
    for (const file of files) {
      const code = readFileSync(join(lib, file), "utf8");
      const imports = [...code.matchAll(/^(?:import|export)\b[^"]*?"([^"]+)"/gm)].map(([, id = ""]) => id);
      expect(imports.filter((id) => !id.startsWith("./"))).toEqual([]);
      expect(code).not.toMatch(/\bBuffer\.|\bprocess\.|\bimport\(/);
      for (const id of imports) files.add(id.slice(2));
    }
    expect(files.size).toBeGreaterThan(1);
  });

  it("an error is the same class in every entry", async () => {
    const answer = await printed(
      withTrpc,
      `import { DomainError } from "latchkey";
      import { apiKeysErrorData } from "latchkey/trpc";
      import { TRPCError } from "@trpc/server";
      const cause = new DomainError("API_KEY_NOT_FOUND");
      console.log(JSON.stringify(apiKeysErrorData(new TRPCError({ code: "NOT_FOUND", cause }))));`,
    );
    expect(answer).toEqual({ domainCode: "API_KEY_NOT_FOUND", fieldErrors: null });
  });

  it("the migrations lie beside the code, and no source file of the repository is named in it", () => {
    const lib = join(empty.folder, "node_modules/latchkey/lib");
    const journal = JSON.parse(readFileSync(join(lib, "migrations/meta/_journal.json"), "utf8")) as {
      entries: { tag: string }[];
    };
    const files = readdirSync(join(lib, "migrations")).filter((name) => name.endsWith(".sql"));
    expect(files.sort()).toEqual(journal.entries.map(({ tag }) => `${tag}.sql`));
    for (const name of readdirSync(lib).filter((file) => file.endsWith(".js")))
      expect(readFileSync(join(lib, name), "utf8"), name).not.toContain(process.cwd());
  });
});

describe("the types of the package", () => {
  /** What the compiler complains of. */
  const compile = async (host: PackageHost, fixture: string, skipLibCheck: boolean) => {
    const compilerOptions = {
      ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck, noEmit: true },
      ...{ target: "es2022", lib: ["dom", "es2022"], module: "nodenext", types: [] },
    };
    await cp(fixture, join(host.folder, "host.ts"));
    await writeFile(join(host.folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["host.ts"] }));
    const tsc = join(process.cwd(), "node_modules/typescript/bin/tsc");
    return run(process.execPath, [tsc, "-p", host.folder]).then(
      () => "",
      (error: unknown) => (error as { stdout: string }).stdout,
    );
  };

  it.each([true, false])("fit a strict host that has nothing else (skipLibCheck %s)", async (skipLibCheck) => {
    expect(await compile(empty, "tests/package/plain-host.ts", skipLibCheck)).toBe("");
  });

  it("reach a host's own tRPC router to the end", async () => {
    expect(await compile(withTrpc, "tests/package/trpc-host.ts", true)).toBe("");
  });
});
