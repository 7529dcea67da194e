import { execFileSync } from "node:child_process";
import { cp, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { bundle } from "./bundle";
import { commands, entries, fileOf } from "./entries";
import { createManifest } from "./manifest";

/** The content of the package, as it is packed. */
const folder = "dist/package";

export interface PackedPackage {
  tarball: string;
  folder: string;
  packedBytes: number;
  unpackedBytes: number;
  /** What an import of an entry loads of the package, in bytes, without source maps. */
  entryBytes: Record<string, number>;
}

/** Makes the package below `dist/`, from the sources as they are: bundle, types, migrations, package.json and tarball. */
export async function packPackage(): Promise<PackedPackage> {
  await rm("dist", { recursive: true, force: true });
  const lib = join(folder, "lib");
  await mkdir(lib, { recursive: true });
  const { packages, filesOf } = await bundle(inputs(), lib);
  await cp("server/platform/migrations", join(lib, "migrations"), { recursive: true, filter: isNoSnapshot });
  const repository = JSON.parse(await readFile("package.json", "utf8")) as Parameters<typeof createManifest>[0];
  await writeFile(join(folder, "package.json"), JSON.stringify(createManifest(repository, packages), null, 2));
  await cp("docs", join(folder, "docs"), { recursive: true, filter: isNoPicture });
  await cp("local/package/README.md", join(folder, "README.md"));
  for (const file of ["LICENSE", "CHANGELOG.md", "SECURITY.md"]) await cp(file, join(folder, file));
  const { filename, size, unpackedSize } = npmPack();
  const sizes = Object.keys(entries).map(async (entry): Promise<[string, number]> => [
    join("latchkey", entry),
    await bytesOf(filesOf(fileOf(entry)).map((file) => join(lib, file))),
  ]);
  return {
    tarball: join("dist", filename),
    folder,
    packedBytes: size,
    unpackedBytes: unpackedSize,
    entryBytes: Object.fromEntries(await Promise.all(sizes)),
  };
}

function inputs(): Record<string, string> {
  return Object.fromEntries([
    ...Object.entries(entries).map(([entry, source]) => [fileOf(entry), source]),
    ...Object.entries(commands).map(([name, source]) => [`${name}-command`, source]),
  ]) as Record<string, string>;
}

/** drizzle-kit alone reads the snapshots, to write the next migration. */
const isNoSnapshot = (path: string) => !path.endsWith("_snapshot.json");

/** The documents link to each other, so all of them come along. The pictures are large, and only this repository's README shows them. */
const isNoPicture = (path: string) => path !== join("docs", "screenshots");

function npmPack() {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", ".."];
  const output = execFileSync("npm", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const parsed = JSON.parse(output) as Packed[] | Record<string, Packed>;
  const [packed] = Object.values(parsed);
  if (!packed) throw new Error("npm packed nothing");
  return packed;
}

interface Packed {
  filename: string;
  size: number;
  unpackedSize: number;
}

async function bytesOf(files: string[]): Promise<number> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
