import type { AddCommand, CommandIo, ExitCode } from "./command-io";
import { examineDatabase } from "./doctor/examine-database";
import { examineRedis } from "./doctor/examine-redis";
import { examineSettings } from "./doctor/examine-settings";
import { compareClocks } from "./doctor/compare-clocks";
import type { Check } from "./doctor/check";

/** `doctor`: looks at everything that a revocation depends on. It changes nothing. */
export const addDoctor: AddCommand = (program, io, end) => {
  program
    .command("doctor")
    .description("check the settings, Postgres, Redis, the clocks and what waits to be done; exit 1 if a check fails")
    .option("--json", "write the checks as one JSON document")
    .action(async ({ json = false }: { json?: boolean }) => {
      const checks = await examineAll(io);
      const ok = checks.every((check) => check.ok);
      io.output.write(json ? `${JSON.stringify({ ok, checks })}\n` : checks.map(toLine).join(""));
      if (!json)
        io.errors.write(ok ? "All is well.\n" : `Failed checks: ${checks.filter((check) => !check.ok).length}.\n`);
      const code: ExitCode = ok ? 0 : 1;
      end(code);
    });
};

/** At the same time, and each with a time limit: what hangs holds up nobody, and hides nothing. */
async function examineAll(io: CommandIo): Promise<Check[]> {
  const now = io.now ?? Date.now;
  const [database, redis] = await Promise.all([examineDatabase(io, now), examineRedis(io, now)]);
  const clocks = compareClocks({ Postgres: database.clock, Redis: redis.clock });
  return [examineSettings(io), ...database.state, ...redis.checks, clocks, ...database.backlogs];
}

const widestName = "synchronous_commit".length;

const toLine = ({ name, ok, sentence }: Check) =>
  `${ok ? "ok    " : "FAILED"} ${name.padEnd(widestName)} ${sentence}\n`;
