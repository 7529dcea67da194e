import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";

import { rolldown } from "rolldown";
import { afterAll } from "vitest";

/**
 * Compiles a program into one file of plain JavaScript, for the time of a test file. Packages stay imports.
 * @returns the path of the file. It lies below this folder, where its packages are found.
 */
export async function compile(source: string): Promise<string> {
  await mkdir(".local", { recursive: true });
  const folder = await mkdtemp(resolve(".local", "compiled-"));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const build = await rolldown({
    input: source,
    external: (id) => !id.startsWith(".") && !id.startsWith("@/") && !isAbsolute(id),
    platform: "node",
    tsconfig: "tsconfig.json",
  });
  const file = join(folder, "program.mjs");
  await build.write({ file, format: "esm", codeSplitting: false });
  await build.close();
  return file;
}
