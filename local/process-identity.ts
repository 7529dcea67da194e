import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessIdentity {
  /** Tells a process from a later one that was given the same number. */
  startedAt: string;
  /** Its command line, arguments separated by spaces. */
  command: string;
}

/** The running process of that number, or null. Reads /proc on Linux, where slim images have no `ps`; `ps` elsewhere. */
export function identifyProcess(pid: number): ProcessIdentity | null {
  try {
    if (process.platform !== "linux") {
      const field = (name: string) => execFileSync("ps", ["-o", `${name}=`, "-p", String(pid)], { encoding: "utf8" });
      return { startedAt: field("lstart").trim(), command: field("args").trim() };
    }
    const fields = readStat(pid);
    if (fields[0] === "Z") return null;
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return { startedAt: fields[19] ?? "", command };
  } catch {
    return null;
  }
}

/** Whether a process of the group still runs. What has ended and was never waited for does not count: in a container nobody may wait for it. */
export function isGroupRunning(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  return process.platform !== "linux" || readdirSync("/proc").some((pid) => /^\d+$/.test(pid) && runsIn(group, pid));
}

function runsIn(group: number, pid: string): boolean {
  try {
    const [state, , processGroup] = readStat(pid);
    return Number(processGroup) === group && state !== "Z";
  } catch {
    return false;
  }
}

/** The second field is the program's name in brackets and may itself hold spaces; these are the fields after it, the state first. */
function readStat(pid: number | string): string[] {
  return readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\)\s/s, "")
    .split(" ");
}
