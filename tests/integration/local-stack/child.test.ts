import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

import { startChild } from "@/local/child";

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
