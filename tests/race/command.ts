import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { startLocalPostgres } from "@/local/postgres";
import { startLocalRedis } from "@/local/redis";
import { migrateDatabase } from "@/server/platform/migrate";

import { race } from "./race";

// `npm run test:race -- --minutes N --seed S [--tcp]`: the history checker for longer than `npm test` runs it. Exit code 1 on any violation.
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: String(Date.now() % 1e9) },
    tcp: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) throw new Error("usage: --minutes N --seed S [--tcp]");

const directory = await mkdtemp(join(tmpdir(), "latchkey-race-"));
const postgres = await startLocalPostgres({ directory, durable: false });
const redis = await startLocalRedis({ server: "auto", directory });
try {
  await migrateDatabase(postgres.url);
  const { socketPath } = redis.process ?? {};
  if (values.tcp && socketPath === undefined) throw new Error("--tcp needs a redis-server on PATH");
  console.log(`seed ${seed}, ${minutes} minutes, on ${redis.kind}${values.tcp ? " by TCP" : ""}`);
  const { url, token } = redis;
  const place = values.tcp && socketPath !== undefined ? { url, token, socketPath } : { url, token };
  const report = await race({ seed, milliseconds: minutes * 60_000, databaseUrl: postgres.url, redis: place });
  console.table(report.counts);
  for (const violation of report.violations) console.log(violation);
  console.log(`${report.violations.length} violations`);
  if (report.violations.length > 0 || report.counts.lostRevocations > 0) process.exitCode = 1;
} finally {
  await redis.stop();
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
}
