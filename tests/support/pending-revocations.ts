import { sql } from "drizzle-orm";

import type { Statements } from "@/server/platform/database";
import { apiKeys, cachePurges, owners } from "@/server/platform/schema";

/** As after so many revocations that Redis has not confirmed: committed together, and due. */
export async function storePendingRevocations(db: Statements, count: number): Promise<void> {
  const ownerId = `user_${crypto.randomUUID()}`;
  await db.insert(owners).values({ id: ownerId });
  await db.execute(sql`
    with revoked as (
      insert into ${apiKeys} (id, owner_id, name, secret_hash, display, environment, scopes, request_id, request_digest, created_at, revoked_at, revoked_by)
      select gen_random_uuid(), ${ownerId}, 'Production', sha256((${ownerId}::text || n)::bytea), 'lk_test_Ab3d…9xYz', 'test', '{}',
        gen_random_uuid(), '', now(), now(), 'owner'
      from generate_series(1, ${count}::int) n
      returning id, secret_hash
    )
    insert into ${cachePurges} (key_id, secret_hash, target, next_attempt_at)
    select id, secret_hash, 'revoked', now() from revoked`);
}
