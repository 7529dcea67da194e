import { readFile } from "node:fs/promises";

/** Linux tells the times of a process in these, whatever the machine. */
const millisecondsPerTick = 10;

/**
 * How much processor time a process has taken, in milliseconds, with the children that it has now and those that have ended. Null where there is
 * no /proc.
 */
export async function readCpuMilliseconds(pid: number): Promise<number | null> {
  if (process.platform !== "linux") return null;
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // Its name, in brackets, may hold anything. Fields from the 14th on (proc(5)): utime, stime, and both of the ended children.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const ofChildren = await Promise.all(children.split(" ").filter(Boolean).map(Number).map(readCpuMilliseconds));
  return ofChildren.reduce<number>((sum, child) => sum + (child ?? 0), ticks * millisecondsPerTick);
}

/** The process that has started this one. Null where there is no /proc. */
export async function readParent(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const parent = /^PPid:\s+(\d+)/m.exec(status)?.[1];
  return parent === undefined ? null : Number(parent);
}
