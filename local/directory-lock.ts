import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { identifyProcess } from "./process-identity";

/**
 * Makes this process the only one that uses the folder. A lock whose process is gone, even one whose number has been
 * given to another since, does not count.
 * @returns a function that gives the folder back
 * @throws an Error that names the process that has it
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, "lock");
  const self = describe(process.pid);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (;;) {
    try {
      await writeFile(path, self, { flag: "wx", mode: 0o600 });
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const found = await readFile(path, "utf8").catch(() => "");
    const pid = Number(found.split(" ")[0]);
    if (pid > 0 && found === describe(pid)) {
      throw new Error(`Already running here, as process ${pid}. Stop that one first.`);
    }
    await rm(path, { force: true });
  }
}

const describe = (pid: number) => `${pid} ${identifyProcess(pid)?.startedAt}`;
