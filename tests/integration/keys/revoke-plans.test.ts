import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import { insertMonth, monthKey } from "@/tests/bench/month";
import { startTestServer } from "@/tests/support/domain";
import { redisWays, testDatabaseUrl } from "@/tests/support/services";

const keyCount = 5_000;
const [kind = "embedded"] = redisWays;

describe("in a database of many keys", () => {
  it("no statement of a revocation goes through all keys or all secrets", async () => {
    const url = await testDatabaseUrl();
    await insertMonth(url, keyCount);
    const server = await startTestServer(kind, url);
    // Postgres keeps a plan of a function for good only after it has made some for the values of the first calls.
    const { result } = await server.db.commit(async (transaction) => {
      for (let at = 0; at < 10; at++) {
        const { id, hash } = monthKey(at * 97, keyCount);
        const queued = await transaction.execute<{ id: string }>(
          sql`select id from latchkey.revoke_keys(array[${id}]::uuid[], 'owner', 'user', 'user_1', null, now())`,
        );
        await transaction.execute(
          sql`select latchkey.record_confirmed(
            array[${id}]::uuid[], array[${queued.rows[0]?.id}]::uuid[], array[1], array[${id}]::uuid[], array[${hash}]::bytea[], false
          )`,
        );
        await transaction.execute(
          sql`select latchkey.queue_purges('absent', null, array[${monthKey(at, keyCount).hash}]::bytea[], now())`,
        );
      }
      const { rows } = await transaction.execute(sql`
        select relname, seq_scan::int from pg_stat_xact_user_tables
        where schemaname = 'latchkey' and relname in ('api_keys', 'api_key_secrets') order by relname`);
      return rows;
    });
    await server.close();
    expect(result).toEqual([
      { relname: "api_key_secrets", seq_scan: 0 },
      { relname: "api_keys", seq_scan: 0 },
    ]);
  });
});
