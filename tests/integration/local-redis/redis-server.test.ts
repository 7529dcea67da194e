import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Redis } from "@upstash/redis";
import { afterEach, describe, expect, it, vi } from "vitest";

import { startLocalRedis, type LocalRedis } from "@/local/redis";
import { createRespClient } from "@/local/redis/resp-client";

describe("a real redis-server behind the REST API", () => {
  const running: LocalRedis[] = [];
  const directories: string[] = [];

  async function start(
    directory = mkdtempSync(join(tmpdir(), "latchkey-server-")),
  ): Promise<LocalRedis & { process: NonNullable<LocalRedis["process"]>; client: Redis }> {
    const local = await startLocalRedis({ server: "redis-server", directory });
    running.push(local);
    directories.push(directory);
    if (local.process === undefined) throw new Error("a real server has a process");
    const client = new Redis({ url: local.url, token: local.token, retry: { retries: 0 } });
    return Object.assign(local, { process: local.process, client });
  }

  afterEach(async () => {
    await Promise.all(running.splice(0).map((local) => local.stop()));
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  });

  it("ends with stop, and leaves no socket behind", async () => {
    const { process: server, stop } = await start();
    const { pid, socketPath } = server;
    await stop();
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(socketPath)).toBe(false);
  });

  it("dies with the process that started it, even one killed outright", async () => {
    const directory = mkdtempSync(join(tmpdir(), "latchkey-orphan-"));
    const source = `import { startLocalRedis } from "@/local/redis";
      void startLocalRedis({ server: "redis-server", directory: ${JSON.stringify(directory)} }).then((local) => console.log("pid " + local.process?.pid));`;
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", source], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pid = await new Promise<number>((resolve) => {
      child.stdout.on("data", (chunk: Buffer) => resolve(Number(/pid (\d+)/.exec(chunk.toString())?.[1])));
    });
    expect(isAlive(pid)).toBe(true);
    child.kill("SIGKILL");
    await vi.waitUntil(() => !isAlive(pid), { timeout: 20_000, interval: 20 });
    rmSync(directory, { recursive: true, force: true });
  });

  it("fails a command that is in flight when the server dies, and never sends it again", async () => {
    const { process: server, client } = await start();
    const resp = createRespClient(server.socketPath);
    await resp.pipeline([["PING"]]);
    process.kill(server.pid, "SIGSTOP");
    const inFlight = resp.pipeline([["INCR", "n"]]);
    const failed = expect(inFlight).rejects.toThrow("connection to Redis");
    await server.restart();
    await failed;
    expect(await resp.pipeline([["GET", "n"]])).toEqual([null]);
    await resp.close();
    expect(await client.incr("n")).toBe(1);
  });

  it("answers 503 while the server is gone, and serves again after a restart", async () => {
    const { url, token, process: server, client } = await start();
    await client.set("k", "v");
    process.kill(server.pid, "SIGKILL");
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(["GET", "k"]) });
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { error: expect.stringContaining("connection to Redis") as unknown },
    ]);
    await server.restart();
    expect(await client.get("k")).toBe(null);
  });

  it("starts from a directory whose path is too long for a socket", async () => {
    const parent = mkdtempSync(join(tmpdir(), "latchkey-long-"));
    const directory = join(parent, "d".repeat(100));
    const { client, process: server, stop } = await start(directory);
    expect(await client.ping()).toBe("PONG");
    expect(server.socketPath.length).toBeLessThan(104);
    await stop();
    expect(existsSync(server.socketPath)).toBe(false);
    rmSync(parent, { recursive: true });
  });
});

it("rejects when its port is taken, and leaves nothing running", async () => {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-port-"));
  const first = await startLocalRedis({ server: "embedded", directory });
  const port = Number(new URL(first.url).port);
  await expect(startLocalRedis({ server: "embedded", directory, port })).rejects.toThrow("EADDRINUSE");
  await first.stop();
  const second = await startLocalRedis({ server: "embedded", directory, port });
  expect(second.url).toBe(first.url);
  expect(second.token).not.toBe(first.token);
  await second.stop();
  rmSync(directory, { recursive: true });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
