import { existsSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { startChild } from "@/local/child";
import { startLocalPostgres } from "@/local/postgres";
import { identifyProcess } from "@/local/process-identity";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "latchkey-postgres-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows }: { rows: Record<string, unknown>[] } = await client.query(statement);
    return rows;
  } finally {
    await client.end();
  }
}

async function serverPid(): Promise<number> {
  return Number((await readFile(join(directory, "postgres/data/postmaster.pid"), "utf8")).split("\n")[0]);
}

/** A program of its own that starts the server and then does nothing until it is killed. */
async function startElsewhere() {
  const source = `
    import { startLocalPostgres } from ${JSON.stringify(join(process.cwd(), "local/postgres.ts"))};
    const { url } = await startLocalPostgres({ directory: ${JSON.stringify(directory)} });
    const { writeFileSync } = await import("node:fs");
    writeFileSync(${JSON.stringify(join(directory, "url"))}, url);
    setInterval(() => undefined, 60_000);`;
  const program = join(directory, "hold.mts");
  await writeFile(program, source);
  const child = await startChild(process.execPath, ["--import", "tsx", program], {
    environment: process.env,
    stdio: "inherit",
    stopSignals: ["SIGKILL"],
    graceMilliseconds: 5_000,
    signals: "process",
  });
  await expect.poll(() => existsSync(join(directory, "url")), { timeout: 20_000 }).toBe(true);
  return { child, url: await readFile(join(directory, "url"), "utf8") };
}

test("what was written before a stop is there after the next start", async () => {
  const first = await startLocalPostgres({ directory });
  await query(first.url, "CREATE TABLE note AS SELECT 'kept' AS text");
  await first.stop();
  const second = await startLocalPostgres({ directory });
  try {
    expect(await query(second.url, "SELECT text FROM note")).toEqual([{ text: "kept" }]);
  } finally {
    await second.stop();
  }
});

test("a stop leaves no process and no data of a server for tests", async () => {
  const postgres = await startLocalPostgres({ directory, durable: false });
  const pid = await serverPid();
  expect(identifyProcess(pid)).not.toBeNull();
  await postgres.stop();
  expect(identifyProcess(pid)).toBeNull();
  expect(existsSync(join(directory, "postgres"))).toBe(false);
});

test("a stop does not wait for clients that stay connected", async () => {
  const postgres = await startLocalPostgres({ directory, durable: false });
  const client = new pg.Client({ connectionString: postgres.url });
  const hungUp = new Promise((resolve) => client.on("error", resolve));
  await client.connect();
  await postgres.stop();
  await expect(hungUp).resolves.toMatchObject({ code: "57P01" });
});

test("a server that was not stopped ends when the process that started it is killed", async () => {
  const { child } = await startElsewhere();
  const pid = await serverPid();
  await child.stop();
  await expect.poll(() => identifyProcess(pid), { timeout: 20_000 }).toBeNull();
});

test("a start on data that another server still uses stops that server and keeps the data", async () => {
  const first = await startLocalPostgres({ directory });
  await query(first.url, "CREATE TABLE note AS SELECT 'kept' AS text");
  const pid = await serverPid();
  const second = await startLocalPostgres({ directory });
  try {
    expect(identifyProcess(pid)).toBeNull();
    expect(await query(second.url, "SELECT text FROM note")).toEqual([{ text: "kept" }]);
  } finally {
    await first.stop();
    await second.stop();
  }
});

test("a first start that was interrupted is begun again", async () => {
  const first = await startLocalPostgres({ directory });
  await first.stop();
  await rename(join(directory, "postgres/data"), join(directory, "postgres/data.new"));
  const second = await startLocalPostgres({ directory });
  try {
    expect(await query(second.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  } finally {
    await second.stop();
  }
});

describe("security", () => {
  test("nobody gets in without the password, which only its user can read", async () => {
    const postgres = await startLocalPostgres({ directory, durable: false });
    try {
      const url = new URL(postgres.url);
      url.password = "wrong";
      await expect(query(url.href, "SELECT 1")).rejects.toMatchObject({ code: "28P01" });
      expect((await stat(join(directory, "postgres/password"))).mode & 0o777).toBe(0o600);
      expect((await stat(join(directory, "postgres"))).mode & 0o777).toBe(0o700);
    } finally {
      await postgres.stop();
    }
  });

  test("the server never runs as root and listens on loopback only", async () => {
    const postgres = await startLocalPostgres({ directory, durable: false });
    try {
      const owner = (await stat(join(directory, "postgres/data/postmaster.pid"))).uid;
      expect(owner).not.toBe(0);
      expect(await query(postgres.url, "SHOW listen_addresses")).toEqual([{ listen_addresses: "127.0.0.1" }]);
      expect(await query(postgres.url, "SHOW unix_socket_directories")).toEqual([{ unix_socket_directories: "" }]);
    } finally {
      await postgres.stop();
    }
  });

  test("data for development is written through to the disk", async () => {
    const postgres = await startLocalPostgres({ directory });
    try {
      expect(await query(postgres.url, "SELECT current_setting('fsync') AS fsync")).toEqual([{ fsync: "on" }]);
      expect(await query(postgres.url, "SHOW synchronous_commit")).toEqual([{ synchronous_commit: "on" }]);
    } finally {
      await postgres.stop();
    }
  });
});
