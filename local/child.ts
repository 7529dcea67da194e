import { type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";

import { isGroupRunning } from "./process-identity";

export interface Child {
  pid: number;
  /** Resolves when the process is gone, with its exit code, or the signal's name. Never rejects. */
  exited: Promise<number | NodeJS.Signals>;
  /** Asks the process to end, harder after each grace, and resolves when it is gone, and its group where signals go to the group. */
  stop(): Promise<void>;
}

export interface ChildOptions {
  environment: NodeJS.ProcessEnv;
  stdio: StdioOptions;
  /** What ends the process, mildest first; the next one follows when `graceMilliseconds` have passed. */
  stopSignals: [NodeJS.Signals, ...NodeJS.Signals[]];
  graceMilliseconds: number;
  /** Signals go to the process alone, or to all that it has started too. */
  signals: "process" | "group";
  cwd?: string;
  user?: { uid: number; gid: number };
}

/**
 * Starts a process that ends with this one, however this one ends.
 * It has a session of its own, so that Ctrl-C in the terminal reaches only this process, which then decides the order.
 * Rejects when the command cannot be started.
 */
export async function startChild(command: string, args: string[], options: ChildOptions): Promise<Child> {
  const { environment, stdio, stopSignals, graceMilliseconds, signals, cwd, user } = options;
  const child = spawn(command, args, { env: environment, stdio, detached: true, ...(cwd && { cwd }), ...user });
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal ?? 1));
  });
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  const target = signals === "group" ? -pid : pid;

  // A SIGKILL runs no handler of ours. The watchdog's input closes when this process is gone, by whatever means.
  const script = 'read -r _; kill -s "$1" -- "$2"';
  const watchdog = spawn("/bin/sh", ["-c", script, "sh", stopSignals[0].slice(3), String(target)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  const unwatched = once(watchdog, "exit");
  let hasEnded = false;
  const gone = exited.then(async () => {
    hasEnded = true;
    watchdog.kill("SIGKILL");
    await unwatched;
  });
  // A shell or npm ends at once, and the server that it has started still writes for a moment.
  const isGone = () => hasEnded && (signals === "process" || !isGroupRunning(pid));

  return {
    pid,
    exited,
    async stop() {
      // The number of a process that is gone can belong to another; a group's cannot while any of it is left.
      if (hasEnded && signals === "process") return gone;
      for (const signal of stopSignals) {
        send(target, signal);
        if (await becomesTrue(isGone, graceMilliseconds)) break;
      }
      await gone;
    },
  };
}

function send(target: number, signal: NodeJS.Signals) {
  try {
    process.kill(target, signal);
  } catch {
    // Already gone.
  }
}

async function becomesTrue(condition: () => boolean, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    await new Promise((wake) => setTimeout(wake, 10));
  }
  return true;
}
