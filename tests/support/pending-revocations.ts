import { sql } from "drizzle-orm";

import type { Statements } from "@/server/platform/database";
import { apiKeys, apiKeySecrets, cachePurges, owners } from "@/server/platform/schema";

/** As after so many revocations that Redis has not confirmed: committed together, and due. */
export async function storePendingRevocations(db: Statements, count: number): Promise<void> {
  const ownerId = `user_${crypto.randomUUID()}`;
  await db.insert(owners).values({ id: ownerId });
  await db.execute(sql`
    with revoked as (
      insert into ${apiKeys} (id, owner_id, created_by, name, environment, scopes, created_at, revoked_at, revoked_by)
      select gen_random_uuid(), ${ownerId}, ${ownerId}, 'Production', 'test', '{}', now(), now(), 'owner' from generate_series(1, ${count}::int)
      returning id
    ), secrets as (
      insert into ${apiKeySecrets} (secret_hash, key_id, owner_id, display, state, created_at)
      select sha256(id::text::bytea), id, ${ownerId}, 'lk_test_Ab3d…9xYz', 'current', now() from revoked
      returning key_id, secret_hash
    )
    insert into ${cachePurges} (key_id, secret_hash, target, next_attempt_at)
    select key_id, secret_hash, 'revoked', now() from secrets`);
}
