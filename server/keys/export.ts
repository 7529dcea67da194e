import { and, eq, gt, isNull, ne, or, sql } from "drizzle-orm";

import type { Statements } from "../platform/database";
import { apiKeys, apiKeySecrets } from "../platform/schema";
import { toPublicId } from "../shared/public-id";
import type { KeyEnvironment } from "../shared/secret-format";
import { summaryColumns } from "./key-columns";

/** So many rows are in the memory at once. */
const pageSize = 1_000;
const firstId = "00000000-0000-0000-0000-000000000000";

/**
 * Every key with its owner, the revoked ones too, in the order of their ids. There is no hash in it.
 * @throws what the database throws.
 * @example
 * for await (const key of exportKeys(db)) console.log(JSON.stringify(key));
 */
export async function* exportKeys(db: Statements) {
  let after = firstId;
  for (;;) {
    const { effectiveAt, guaranteedBy, beside: _beside, ...columns } = summaryColumns;
    const page = await db
      .select({ ...columns, ownerId: apiKeys.ownerId, effectiveAt, guaranteedBy })
      .from(apiKeys)
      .where(gt(apiKeys.id, after))
      .orderBy(apiKeys.id)
      .limit(pageSize);
    for (const { id, ...row } of page) yield { id: toPublicId(id), ...row };
    const last = page.at(-1);
    if (!last) return;
    after = last.id;
  }
}

/** The secret's own end or its key's, whichever comes first. */
const secretEnd = sql<Date | null>`least(${apiKeys.expiresAt}, ${apiKeySecrets.endsAt})`;

/**
 * The live secrets of one environment, by their hashes, as `importKeys` takes them: not those that are revoked, or have ended at `now`. The
 * old secret of a rotation keeps its end. A new one that waits is one of them, since it would be accepted.
 * @throws what the database throws.
 */
export async function* exportHashes(db: Statements, environment: KeyEnvironment, now: Date) {
  let after: Buffer = Buffer.alloc(0);
  for (;;) {
    const page = await db
      .select({
        ownerId: apiKeys.ownerId,
        name: apiKeys.name,
        hash: apiKeySecrets.hash,
        display: apiKeySecrets.display,
        scopes: apiKeys.scopes,
        createdAt: apiKeys.createdAt,
        expiresAt: secretEnd.mapWith(apiKeys.expiresAt),
      })
      .from(apiKeySecrets)
      .innerJoin(apiKeys, eq(apiKeys.id, apiKeySecrets.keyId))
      .where(
        and(
          gt(apiKeySecrets.hash, after),
          eq(apiKeys.environment, environment),
          ne(apiKeySecrets.state, sql`'revoked'`),
          isNull(apiKeys.revokedAt),
          or(isNull(secretEnd), gt(secretEnd, now)),
        ),
      )
      .orderBy(apiKeySecrets.hash)
      .limit(pageSize);
    yield* page.map(({ hash, ...row }) => ({ ...row, hash: hash.toString("hex") }));
    const last = page.at(-1);
    if (!last) return;
    after = last.hash;
  }
}
