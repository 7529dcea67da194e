import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll } from "vitest";

/** Makes a folder for a test file, gone after its tests. */
export function makeFolder(): () => string {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "latchkey-command-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return () => folder;
}
