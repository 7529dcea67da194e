import { isAbsolute, resolve } from "node:path";

import { type OutputChunk, rolldown } from "rolldown";
import { dts } from "rolldown-plugin-dts";

/** Every import by a package's name stays an import: the host's package manager installs it, once. */
const isPackage = (id: string) => !id.startsWith(".") && !isAbsolute(id) && !id.startsWith("\0");

/** How the names of files begin that several entries load. */
const sharedFile = "shared-";

/**
 * Bundles the sources into ES modules with source maps, and their types into .d.ts files. What several inputs share goes to shared files,
 * so a process has each class once. All files are in one folder: a bundled module finds what lies beside it by `import.meta.dirname`.
 * @param input the source of each file, by the file's name without its extension.
 * @returns the names of the packages that the files import, and of the files that each of `input` loads.
 */
export async function bundle(input: Record<string, string>, folder: string) {
  const code = await build(input, folder, false);
  const types = await build(input, folder, true);
  return { packages: packagesOf([...code, ...types]), filesOf: (name: string) => filesOf(code, `${name}.js`) };
}

async function build(input: Record<string, string>, folder: string, isForTypes: boolean): Promise<OutputChunk[]> {
  const build = await rolldown({
    // The plugin for types knows a file's name by its absolute path.
    input: Object.fromEntries(Object.entries(input).map(([name, source]) => [name, resolve(source)])),
    external: isPackage,
    platform: "node",
    // The types take long: a second run of the compiler makes them.
    checks: { bundlerTimings: false },
    plugins: isForTypes ? [dts({ emitDtsOnly: true, tsconfig: "tsconfig.json" })] : [],
  });
  try {
    const { output } = await build.write({
      dir: folder,
      format: "esm",
      sourcemap: !isForTypes,
      entryFileNames: "[name].js",
      chunkFileNames: `${sharedFile}[hash].js`,
    });
    return output.filter((file) => file.type === "chunk");
  } finally {
    await build.close();
  }
}

function packagesOf(chunks: OutputChunk[]): string[] {
  const imports = chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports]);
  const names = imports
    .filter((id) => !id.startsWith(sharedFile) && !id.startsWith("node:"))
    .map((id) => id.split("/", id.startsWith("@") ? 2 : 1).join("/"));
  return [...new Set(names)].sort();
}

/** A file and all files that it loads, directly or by another one. */
function filesOf(chunks: OutputChunk[], first: string): string[] {
  const files = new Set([first]);
  for (const file of files) {
    const chunk = chunks.find(({ fileName }) => fileName === file);
    for (const id of chunk?.imports ?? []) if (chunks.some(({ fileName }) => fileName === id)) files.add(id);
  }
  return [...files];
}
