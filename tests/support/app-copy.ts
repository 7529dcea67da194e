import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { buildApp } from "./app-server";

const sources =
  "app server trpc instrumentation.ts instrumentation-node.ts middleware.ts next.config.ts package.json postcss.config.mjs tsconfig.json".split(
    " ",
  );

/** A production build of the app with more files than it ships. */
export interface AppCopy {
  folder: string;
  remove(): Promise<void>;
}

/**
 * Builds a copy in a folder below this one, since modules are looked up from there. Takes about half a minute.
 * @param files what it has besides, by path
 */
export async function buildAppCopy(files: Record<string, string>, environment: NodeJS.ProcessEnv): Promise<AppCopy> {
  await mkdir(".local", { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(".local", "app-copy-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await Promise.all(sources.map((name) => cp(name, join(folder, name), { recursive: true })));
    for (const [name, text] of Object.entries(files)) {
      const file = join(folder, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
    await buildApp(folder, environment);
    return { folder, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
