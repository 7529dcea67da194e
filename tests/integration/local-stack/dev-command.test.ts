import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

import { lockDirectory } from "@/local/directory-lock";
import { findFreePort } from "@/local/free-port";
import { allScopes } from "@/server/latchkey/scopes";

const root = process.cwd();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "latchkey-dev-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Starts a command of `local/` in a folder of its own, whose `.local` and `.env` files it then uses. */
function start(script: string, args: string[], settings: Record<string, string>) {
  const loader = pathToFileURL(join(root, "node_modules/tsx/dist/loader.mjs")).href;
  const { PATH, HOME } = process.env;
  return spawn(process.execPath, ["--import", loader, join(root, script), ...args], {
    cwd: folder,
    env: {
      ...(PATH && { PATH }),
      ...(HOME && { HOME }),
      NODE_ENV: "development",
      TSX_TSCONFIG_PATH: join(root, "tsconfig.json"),
      ...settings,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function runDev(settings: Record<string, string>) {
  return endOf(start("local/dev.ts", [], settings));
}

async function endOf(child: ReturnType<typeof start>) {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await once(child, "close");
  return { code: child.exitCode, output };
}

async function startedServices(): Promise<string[]> {
  return existsSync(join(folder, ".local")) ? readdir(join(folder, ".local")) : [];
}

test("a second instance in the same checkout says which process is the first, and starts nothing", async () => {
  const unlock = await lockDirectory(join(folder, ".local"));
  const { code, output } = await runDev({ PORT: String(await findFreePort()) });
  expect(output.trim()).toBe(`Already running here, as process ${process.pid}. Stop that one first.`);
  expect(code).toBe(1);
  expect(await startedServices()).toEqual(["lock"]);
  await unlock();
});

test("a busy port is named, and nothing is started", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const { code, output } = await runDev({ PORT: String(port) });
  server.close();
  expect(output).toContain(`Port ${port} is in use.`);
  expect(code).toBe(1);
  expect(await startedServices()).toEqual([]);
});

test("a port from an .env file counts, and one that is none is named", async () => {
  await writeFile(join(folder, ".env.development.local"), "PORT=http\n");
  const { code, output } = await runDev({});
  expect(output).toContain("PORT is not a port number: http");
  expect(code).toBe(1);
});

test.each([
  ["CLERK_SECRET_KEY", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY"],
  ["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "CLERK_SECRET_KEY"],
  ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"],
  ["UPSTASH_REDIS_REST_TOKEN", "UPSTASH_REDIS_REST_URL"],
])("%s alone is refused by the name of %s, and nothing is started", async (set, missing) => {
  await writeFile(join(folder, ".env.local"), `${set}=something\n${missing}=\n`);
  const { code, output } = await runDev({ PORT: String(await findFreePort()) });
  expect(output).toContain(`${set} is set but ${missing} is not.`);
  expect(code).toBe(1);
  expect(await startedServices()).toEqual([]);
});

test.each([
  ["APP_ORIGIN", "https://dev.example.test/path"],
  ["DATABASE_URL", "db.example.test/app"],
])("a malformed %s is refused by that name without its value, and nothing is started", async (name, value) => {
  const { code, output } = await runDev({ PORT: ` ${await findFreePort()} `, [name]: value });
  expect(output).toContain(`${name} is malformed`);
  expect(output).not.toContain(value);
  expect(code).toBe(1);
  expect(await startedServices()).toEqual([]);
});

test("a lock that a killed process has left is taken over", async () => {
  const directory = join(folder, ".local");
  const child = spawn(process.execPath, ["--eval", "setInterval(() => undefined, 60_000)"], { stdio: "ignore" });
  await once(child, "spawn");
  await lockDirectory(directory);
  // Another process's number, with a start that is not its own: a number that was given again.
  await writeFile(join(directory, "lock"), `${child.pid} 1`);
  const unlock = await lockDirectory(directory);
  await expect(lockDirectory(directory)).rejects.toThrow(`as process ${process.pid}`);
  await unlock();
  child.kill("SIGKILL");
});

test("a command beside it finds its local services while it runs, and no longer than that", async () => {
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await mkdir(join(folder, "app"));
  await writeFile(
    join(folder, "app/layout.js"),
    "export default ({ children }) => <html><body>{children}</body></html>;",
  );
  await writeFile(join(folder, "app/page.js"), 'export default () => "here";');
  const dev = start("local/dev.ts", [], { PORT: String(await findFreePort()) });
  const ended = endOf(dev);
  const file = join(folder, ".local/services.json");
  await expect.poll(() => existsSync(file), { timeout: 25_000 }).toBe(true);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const line = { ownerId: "user_1", name: "Old", hash: "0".repeat(64), display: "old_1234…" };
  await writeFile(join(folder, "keys.ndjson"), JSON.stringify(line));
  const { code, output } = await endOf(start("local/keys.ts", ["import", "keys.ndjson"], {}));
  expect({ code, output }).toMatchObject({
    code: 0,
    output: expect.stringContaining("1 keys imported (test)") as string,
  });
  // The app's own scopes, as a key has that is created without any.
  const exported = await endOf(start("local/keys.ts", ["export"], {}));
  expect(exported.output).toContain(JSON.stringify(allScopes));
  dev.kill("SIGINT");
  expect((await ended).code).toBe(0);
  expect(existsSync(file)).toBe(false);
  expect(await endOf(start("local/keys.ts", ["import", "keys.ndjson"], {}))).toMatchObject({ code: 1 });
}, 60_000);
