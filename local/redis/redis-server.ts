import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";

/** Older servers lack EVAL_RO and PEXPIRETIME. */
const OLDEST_MAJOR_VERSION = 7;
const START_TIMEOUT_MILLISECONDS = 10_000;
/** macOS allows 104 bytes for a socket's path, Linux 108. */
const MAX_SOCKET_PATH_BYTES = 100;

/**
 * The shell holds the server on a pipe from this process: whatever way this process ends, the pipe's end is read and
 * the server killed. A process of its own for the server's sake, since Node cannot ask for a signal at its own death.
 */
const LEASH = `"$@" </dev/null >/dev/null 2>&1 & echo $!; read -r _; kill -KILL $!; wait $! 2>/dev/null`;

export type RedisServer = {
  kind: "redis-server" | "valkey-server";
  socketPath: string;
  /** Of the server now running. */
  readonly pid: number;
  /** Kills the server where it still runs and starts an empty one on the same socket. */
  restart: () => Promise<void>;
  stop: () => Promise<void>;
};

/** The path of a redis-server or valkey-server of version 7 or later on PATH, else null. */
export function findRedisServer(): string | null {
  for (const name of ["redis-server", "valkey-server"]) {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      const path = join(folder, name);
      if (folder !== "" && isExecutable(path) && majorVersion(path) >= OLDEST_MAJOR_VERSION) return path;
    }
  }
  return null;
}

/** Starts a server without persistence on a unix socket in `directory`. Rejects when it is not ready within 10 s. */
export async function startRedisServer(path: string, directory: string): Promise<RedisServer> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const fitting = Buffer.byteLength(join(directory, "redis.sock")) <= MAX_SOCKET_PATH_BYTES;
  const socketFolder = fitting ? directory : mkdtempSync(join(tmpdir(), "latchkey-redis-"));
  const socketPath = join(socketFolder, "redis.sock");
  const logPath = join(directory, "redis.log");
  const settings = {
    port: "0",
    unixsocket: socketPath,
    unixsocketperm: "700",
    dir: directory,
    save: "",
    appendonly: "no",
    logfile: logPath,
  };
  const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);

  const start = async (): Promise<{ leash: ChildProcess; pid: number }> => {
    rmSync(socketPath, { force: true });
    // Detached: Ctrl-C in the terminal reaches this process alone, which then decides the order of the end.
    const leash = spawn("/bin/sh", ["-c", LEASH, "sh", path, ...options], {
      detached: true,
      stdio: ["pipe", "pipe", "ignore"],
    });
    const pid = await firstLine(leash);
    try {
      await untilReady(socketPath, Number(pid));
    } catch (error) {
      await end(leash);
      throw new Error(`${path} did not start, see ${logPath}`, { cause: error });
    }
    leash.unref();
    return { leash, pid: Number(pid) };
  };

  let running = await start();
  return {
    kind: basename(path) === "valkey-server" ? "valkey-server" : "redis-server",
    socketPath,
    get pid() {
      return running.pid;
    },
    async restart() {
      await end(running.leash);
      running = await start();
    },
    async stop() {
      await end(running.leash);
      rmSync(socketPath, { force: true });
      if (!fitting) rmSync(socketFolder, { recursive: true, force: true });
    },
  };
}

async function end(leash: ChildProcess): Promise<void> {
  if (leash.exitCode !== null || leash.signalCode !== null) return;
  // It was unreferenced, so that it holds up no exit; waiting for its end must.
  leash.ref();
  await new Promise<void>((resolve) => {
    leash.once("exit", () => resolve());
    leash.stdin?.end();
  });
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.once("error", reject);
    child.once("exit", () => reject(new Error("the shell that holds the Redis server ended")));
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf("\n");
      if (end !== -1) resolve(text.slice(0, end));
    });
  });
}

async function untilReady(socketPath: string, pid: number): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MILLISECONDS;
  for (;;) {
    if (await answersPing(socketPath)) return;
    process.kill(pid, 0);
    if (Date.now() > deadline) throw new Error(`no answer within ${START_TIMEOUT_MILLISECONDS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function answersPing(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const settle = (isReady: boolean): void => {
      socket.destroy();
      resolve(isReady);
    };
    socket.once("connect", () => socket.write("PING\r\n"));
    socket.once("data", (answer) => settle(answer.toString().startsWith("+PONG")));
    socket.once("error", () => settle(false));
    socket.once("close", () => settle(false));
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function majorVersion(path: string): number {
  try {
    return Number(/ v=(\d+)\./.exec(execFileSync(path, ["--version"], { encoding: "utf8" }))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
