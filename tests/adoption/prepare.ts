import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestProject } from "vitest/node";

import { packPackage } from "@/local/package/pack";

import { startRegistry } from "./registry";
import { shadcn } from "./versions";

declare module "vitest" {
  interface ProvidedContext {
    /** A registry for npm with the package as it is now, and the blocks below `/r`. */
    registryUrl: string;
    tarball: string;
  }
}

/** Makes, once for the run, what recipes install, and serves it on loopback. Returns what ends that. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const blocks = await mkdtemp(join(tmpdir(), "latchkey-blocks-"));
  execFileSync("npx", ["--yes", shadcn, "build", "registry.json", "--output", blocks], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const { tarball, folder } = await packPackage();
  const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
    name: string;
    version: string;
  };
  const upstream = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8", cwd: tmpdir() }).trim();
  const registry = await startRegistry({ tarball, blocks, upstream }, manifest);
  project.provide("registryUrl", registry.url);
  project.provide("tarball", resolve(tarball));
  return async () => {
    await registry.stop();
    await rm(blocks, { recursive: true, force: true });
  };
}
