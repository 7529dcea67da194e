import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

import { startChild } from "@/local/child";
import { isGroupRunning } from "@/local/process-identity";

it("has stopped only when what the command has started is gone as well", async () => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-child-"));
  const file = join(folder, "last-words");
  // As npm and the server that it starts: the first ends at once, the second still writes.
  const server = `trap 'sleep 0.3; echo done > ${file}; exit' TERM; echo ready > ${file}; while :; do sleep 0.05; done`;
  const child = await startChild("/bin/sh", ["-c", `(${server}) & exec sleep 1000`], {
    environment: process.env,
    stdio: "ignore",
    stopSignals: ["SIGTERM", "SIGKILL"],
    graceMilliseconds: 20_000,
    signals: "group",
  });
  try {
    await expect.poll(() => readFile(file, "utf8").catch(() => "")).toBe("ready\n");
    await child.stop();
    expect(await readFile(file, "utf8")).toBe("done\n");
  } finally {
    await child.stop();
    await rm(folder, { recursive: true });
  }
});

it("has stopped though nobody waits for what has ended, as in a container", async () => {
  // `sleep` takes the place of the shell, and never asks how its child has ended. The child has a group of its own.
  const parent = spawn("/bin/sh", ["-c", "setsid /bin/sh -c 'echo $$; read -r _ < /dev/null' & exec sleep 1000"]);
  try {
    const [output] = (await once(parent.stdout, "data")) as [Buffer];
    const group = Number(output.toString());
    await expect.poll(() => isGroupRunning(group)).toBe(false);
    expect(process.kill(-group, 0)).toBe(true);
  } finally {
    parent.kill();
  }
});
