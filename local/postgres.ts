import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { type Child, startChild } from "./child";
import { findFreePort } from "./free-port";
import { type PostgresHome, preparePostgresHome } from "./postgres-home";
import { identifyProcess } from "./process-identity";

const run = promisify(execFile);
const ROLE = "latchkey";
const DATABASE = "latchkey";
// Recovery after a crash replays at most a few checkpoints of a developer's data.
const START_MILLISECONDS = 60_000;
const ENVIRONMENT = { ...process.env, LC_ALL: "C", TZ: "UTC" };

export interface LocalPostgres {
  url: string;
  stop(): Promise<void>;
}

export interface LocalPostgresOptions {
  /** The server's state lives in `postgres/` below it. One process at a time may use it: the caller holds the lock. */
  directory: string;
  /** false: for tests, without fsync, and the data is removed by `stop()`. */
  durable?: boolean;
}

/**
 * Starts a Postgres server on a random loopback port, with the data of the last time. A server that a killed process
 * left behind on the same data is stopped first.
 * @throws an Error with the end of the server's log, or one that says to set DATABASE_URL
 */
export async function startLocalPostgres({ directory, durable = true }: LocalPostgresOptions): Promise<LocalPostgres> {
  const home = await preparePostgresHome(directory);
  const data = join(home.directory, "data");
  if (!existsSync(data)) await initialise(home, data, durable);
  await stopLeftover(data);
  const password = (await readFile(join(home.directory, "password"), "utf8")).trim();
  const { server, port } = await startServer(home, data, durable);
  const stop = async () => {
    await server.stop();
    if (!durable) await rm(home.directory, { recursive: true, force: true });
  };
  try {
    const urlOf = (database: string) => `postgres://${ROLE}:${password}@127.0.0.1:${port}/${database}`;
    await createDatabase(urlOf("postgres"));
    return { url: urlOf(DATABASE), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function initialise(home: PostgresHome, data: string, durable: boolean) {
  const passwordFile = join(home.directory, "password");
  await writeFile(passwordFile, randomBytes(24).toString("base64url"), { mode: 0o600 });
  if (home.user) await chown(passwordFile, home.user.uid, home.user.gid);
  // Under another name until it is complete, so that an interrupted first start begins again.
  const draft = `${data}.new`;
  await rm(draft, { recursive: true, force: true });
  const auth = ["--username", ROLE, "--auth", "scram-sha-256", "--pwfile", passwordFile];
  const args = ["--pgdata", draft, "--encoding", "UTF8", "--locale", "C", ...auth, ...(durable ? [] : ["--no-sync"])];
  try {
    await run(home.initdb, args, { cwd: home.directory, env: ENVIRONMENT, ...home.user });
  } catch (cause) {
    const reason = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : String(cause);
    throw new Error(`The local Postgres cannot be set up: ${reason}. Or set DATABASE_URL, for example in .env.local.`, {
      cause,
    });
  }
  await rename(draft, data);
}

async function stopLeftover(data: string) {
  const pidFile = join(data, "postmaster.pid");
  const pid = Number((await readFile(pidFile, "utf8").catch(() => "")).split("\n")[0]);
  const found = pid > 0 ? identifyProcess(pid) : null;
  if (!found) return; // Postgres itself replaces the file of a process that is gone.
  const isOurs = (command: string | undefined) => command?.includes(`-D ${data} `) ?? false;
  if (!isOurs(found.command)) {
    // After a reboot the number can belong to anybody, and Postgres would then refuse to start.
    await rm(pidFile, { force: true });
    return;
  }
  process.kill(pid, "SIGINT");
  const deadline = Date.now() + START_MILLISECONDS;
  while (identifyProcess(pid)?.startedAt === found.startedAt) {
    if (Date.now() > deadline) throw new Error(`An earlier Postgres (process ${pid}) on ${data} does not stop.`);
    await delay(20);
  }
}

async function startServer(home: PostgresHome, data: string, durable: boolean) {
  const logPath = join(home.directory, "server.log");
  for (let attempt = 1; ; attempt++) {
    const port = await findFreePort();
    const server = await spawnServer(home, data, { port, durable, logPath });
    if (await becomesReady(server, data)) return { server, port };
    await server.stop();
    const log = await readFile(logPath, "utf8");
    // Between the choice of the port and its use another process can have taken it.
    if (attempt < 3 && log.includes("could not bind")) continue;
    throw new Error(`The local Postgres did not start. The end of ${logPath}:\n${log.slice(-2_000)}`);
  }
}

async function spawnServer(
  home: PostgresHome,
  data: string,
  { port, durable, logPath }: { port: number; durable: boolean; logPath: string },
): Promise<Child> {
  const settings = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: "200",
    timezone: "UTC",
    ...(durable ? {} : { fsync: "off", full_page_writes: "off" }),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const log = await open(logPath, "w", 0o600);
  try {
    return await startChild(home.postgres, ["-D", data, ...flags], {
      environment: ENVIRONMENT,
      cwd: data,
      stdio: ["ignore", log.fd, log.fd],
      // Fast shutdown, then immediate shutdown, which recovers at the next start.
      stopSignals: ["SIGINT", "SIGQUIT", "SIGKILL"],
      graceMilliseconds: 10_000,
      signals: "process",
      ...(home.user && { user: home.user }),
    });
  } finally {
    await log.close();
  }
}

/** Waits until the server takes connections; false when it ended instead, or did not come up in time. */
async function becomesReady(server: Child, data: string): Promise<boolean> {
  const ended = server.exited.then(() => true);
  const deadline = Date.now() + START_MILLISECONDS;
  while (Date.now() < deadline) {
    // Its first line is the process, its eighth the state (PostgreSQL's src/include/utils/pidfile.h).
    const lines = (await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "")).split("\n");
    if (lines[0] === String(server.pid) && lines[7]?.trim() === "ready") return true;
    if (await Promise.race([ended, delay(10, false)])) return false;
  }
  return false;
}

async function createDatabase(adminUrl: string) {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}
