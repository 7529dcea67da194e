import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { runLatchkey, worldmonitorKey } from "@/tests/support/latchkey-command";

import { newDatabase } from "@/tests/support/new-database";
import { settingOf } from "./services";
import type { Suite } from "./suite";

const keysPerOwner = 5;

/** `latchkey import` of 100,000 keys as a process of its own, then the same file again. */
export const measureImports: Suite = async ({ services, isQuick }) => {
  const count = isQuick ? 10_000 : 100_000;
  const settings = {
    DATABASE_URL: await newDatabase(settingOf(services, "DATABASE_URL"), "imports"),
    API_KEY_ACCEPT_FORMATS: "wm_:hex:40",
  };
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
  try {
    const file = join(folder, "keys.ndjson");
    await pipeline(Readable.from(linesOf(count)), createWriteStream(file));
    const notes: string[] = [];
    for (const run of ["imported", "imported again, which changes nothing,"]) {
      const startedAt = performance.now();
      const { code, output, errors } = await runLatchkey(["import", file], settings);
      if (code !== 0) throw new Error(`the import ended with ${code}: ${errors}`);
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
      notes.push(
        `${count.toLocaleString("en")} keys of ${(count / keysPerOwner).toLocaleString("en")} owners are ${run} in ${seconds} s, with the start of the process. It says: ${output.trim()}.`,
      );
    }
    return { comparisons: [], notes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

function* linesOf(count: number) {
  for (let at = 0; at < count; at++) {
    const { line } = worldmonitorKey(`user_${at % (count / keysPerOwner)}`, { createdAt: "2025-01-01T00:00:00Z" });
    yield `${JSON.stringify(line)}\n`;
  }
}
