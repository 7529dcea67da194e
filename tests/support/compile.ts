import { mkdir, mkdtemp } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";

import { rolldown } from "rolldown";

/**
 * Compiles a program into one file of plain JavaScript: where many processes run it, each would compile it for a second. Packages stay imports.
 * @returns the path of the file. It lies in a folder of its own below this one, where its packages are found. The caller removes that folder.
 */
export async function compile(source: string): Promise<string> {
  await mkdir(".local", { recursive: true });
  const folder = await mkdtemp(resolve(".local", "compiled-"));
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
