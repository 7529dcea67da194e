import { readFile } from "node:fs/promises";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import pg from "pg";
import { describe, expect, it } from "vitest";

import { type LocalPostgres, startLocalPostgres } from "@/local/postgres";
import { startLocalRedis } from "@/local/redis";
import { migrateDatabase } from "@/server/platform/migrate";

import { race } from "./race";

async function killPostgres(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  const { rows } = await client.query<{ data_directory: string }>("SHOW data_directory");
  const [pid] = (await readFile(join(rows[0]?.data_directory ?? "", "postmaster.pid"), "utf8")).split("\n");
  process.kill(Number(pid), "SIGKILL");
  await client.end().catch(() => undefined);
}

describe.each(["REST", "TCP"])(
  "while Redis, reached by %s, and Postgres are killed and restarted under load",
  (way) => {
    it("no revoked key is accepted, no valid key refused, and no revocation lost", { timeout: 180_000 }, async () => {
      const directory = await mkdtemp(join(tmpdir(), "latchkey-restarts-"));
      const redis = await startLocalRedis({ server: "redis-server", directory });
      let postgres: LocalPostgres = await startLocalPostgres({ directory });
      await migrateDatabase(postgres.url);
      const { url, token } = redis;
      const place = way === "TCP" ? { url, token, socketPath: redis.process?.socketPath ?? "" } : { url, token };
      let restarts = 0;
      try {
        const { violations, counts } = await race({
          seed: 3,
          milliseconds: 25_000,
          databaseUrl: postgres.url,
          redis: place,
          async disturb(servers, isOver) {
            while (!isOver()) {
              await sleep(2_000);
              await redis.process?.restart();
              await sleep(2_000);
              await killPostgres(postgres.url);
              postgres = await startLocalPostgres({ directory });
              for (const server of servers) server.postgresProxy.target = postgres.url;
              restarts++;
            }
          },
        });
        console.log(JSON.stringify({ restarts, ...counts, violations: violations.length }));
        expect(restarts).toBeGreaterThanOrEqual(3);
        expect(violations).toEqual([]);
        expect(counts.lostRevocations).toBe(0);
        expect(counts.raced).toBeGreaterThanOrEqual(100);
      } finally {
        await postgres.stop();
        await redis.stop();
        await rm(directory, { recursive: true, force: true });
      }
    });
  },
);
