import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import pg from "pg";

import { startChild } from "@/local/child";
import { findFreePort } from "@/local/free-port";
import { startLocalPostgres } from "@/local/postgres";
import { preparePostgresHome } from "@/local/postgres-home";
import { migrateDatabase } from "@/server/platform/migrate";

/** A Postgres of its own with our tables that stays in recovery, as a replica does: it answers, and takes no changes. */
export async function startStandby(): Promise<{ url: string; stop(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "latchkey-standby-"));
  const primary = await startLocalPostgres({ directory });
  await migrateDatabase(primary.url);
  await primary.stop();
  const home = await preparePostgresHome(directory);
  const data = join(home.directory, "data");
  await writeFile(join(data, "standby.signal"), "", { mode: 0o644 });
  const port = await findFreePort();
  // A standby refuses fewer connections than its primary had.
  const settings = {
    ...{ port: String(port), listen_addresses: "127.0.0.1", unix_socket_directories: "" },
    ...{ hot_standby: "on", max_connections: "200" },
  };
  const server = await startChild(
    home.postgres,
    ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    {
      environment: { ...process.env, LC_ALL: "C" },
      cwd: data,
      stdio: "ignore",
      stopSignals: ["SIGINT", "SIGQUIT", "SIGKILL"],
      graceMilliseconds: 10_000,
      signals: "process",
      ...(home.user && { user: home.user }),
    },
  );
  const stop = async () => {
    await server.stop();
    // Where we are root it may lie elsewhere.
    for (const folder of [home.directory, directory]) await rm(folder, { recursive: true, force: true });
  };
  const url = new URL(primary.url);
  url.port = String(port);
  while (!(await answers(url.href)))
    if (await Promise.race([server.exited.then(() => true), delay(50, false)]))
      throw new Error("The standby did not start.");
  return { url: url.href, stop };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
