import type { Stage } from "./stage";

/** What a redis-server has done since its start. */
export interface RedisWork {
  cpuMicroseconds: number;
  /** How often each command ran, those inside of scripts included. */
  commands: Map<string, number>;
  /** How often it read from a socket. What comes in one piece is read at once. */
  reads: number;
}

/** The counts of INFO. Asking adds one read and two or three commands of its own, which are left out of `commands`. */
export async function readRedisWork(redis: Stage["redis"]): Promise<RedisWork> {
  const [stats, commands, cpu] = (
    await redis.pipeline([
      ["INFO", "stats"],
      ["INFO", "commandstats"],
      ["INFO", "cpu"],
    ])
  ).map(String);
  const number = (text: string | undefined, name: string) =>
    Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(text ?? "")?.[1]);
  return {
    cpuMicroseconds: 1e6 * (number(cpu, "used_cpu_user") + number(cpu, "used_cpu_sys")),
    commands: new Map(
      Array.from(
        (commands ?? "").matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm),
        ([, name = "", calls]): [string, number] => [name, Number(calls)],
      ).filter(([name]) => name !== "info"),
    ),
    reads: number(stats, "total_reads_processed"),
  };
}

export function workBetween(before: RedisWork, after: RedisWork): RedisWork {
  const commands = [...after.commands].map(([name, calls]): [string, number] => [
    name,
    calls - (before.commands.get(name) ?? 0),
  ]);
  return {
    cpuMicroseconds: after.cpuMicroseconds - before.cpuMicroseconds,
    commands: new Map(commands.filter(([, calls]) => calls > 0)),
    reads: after.reads - before.reads,
  };
}

/** What one verification makes Redis do, and how many a second one Redis could do if it did nothing else. */
export function describeRedisWork({ cpuMicroseconds, commands, reads }: RedisWork, verifications: number): string {
  const each = (count: number) => (count / verifications).toFixed(2);
  const perVerification = cpuMicroseconds / verifications;
  const list = [...commands]
    .filter(([, calls]) => calls / verifications >= 0.005)
    .map(([name, calls]) => `${name.toUpperCase()} ${each(calls)}`)
    .join(", ");
  return `${list}; ${each(reads)} reads of a socket; ${perVerification.toFixed(1)} µs of its processor, so one Redis that does nothing else serves at most ${thousands(1e6 / perVerification)} verifications a second`;
}

const thousands = (value: number) => (Math.floor(value / 1_000) * 1_000).toLocaleString("en");
