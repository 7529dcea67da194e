import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

import manifest from "@/package.json";

/** A folder of another app that has the packed package, what the package depends on, and nothing else. */
export interface PackageHost {
  folder: string;
  remove(): Promise<void>;
}

/**
 * Puts the tarball into an empty folder, as a package manager does, without a network: what it depends on is linked from here.
 * @param others names of further packages that this host has.
 */
export async function createPackageHost(...others: string[]): Promise<PackageHost> {
  const tarball = resolve("dist", `latchkey-${manifest.version}.tgz`);
  if (!existsSync(tarball)) throw new Error("There is no package yet: npm run package");
  const folder = await mkdtemp(join(tmpdir(), "latchkey-host-"));
  const installed = join(folder, "node_modules", "latchkey");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed]);
  for (const name of [...Object.keys(readManifest(installed).dependencies), ...others]) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(resolve("node_modules", name), link);
  }
  await writeFile(join(folder, "package.json"), '{ "name": "host", "private": true, "type": "module" }');
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** The environment of a program that has no settings but these. */
export function plainEnvironment(settings: Record<string, string>): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, NODE_ENV: "test", ...settings };
}

export function readManifest(folder: string) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
    exports: Record<string, unknown>;
    bin: Record<string, string>;
  };
}

/** The file that `npx latchkey` runs in this host. */
export function commandOf({ folder }: PackageHost): string {
  const installed = join(folder, "node_modules", "latchkey");
  return join(installed, readManifest(installed).bin.latchkey ?? "");
}
