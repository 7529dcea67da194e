import { inArray } from "drizzle-orm";

import { byOperator } from "../history";
import type { OutboxContext } from "../outbox/context";
import { apiKeys } from "../platform/schema";
import type { Effect } from "../shared/effect";
import { fromPublicId, publicIdPattern, toPublicId } from "../shared/public-id";
import { findSecrets, revokeKeys } from "./revoke";

/** How a revocation went: of one key, whoever's it is. */
export interface RevokedByOperator {
  revokedAt: Date | null;
  /** The first one's, where the key was revoked before. */
  revokedBy: string | null;
  effect: Effect;
}

/**
 * Revokes keys, whoever's they are, in one transaction and with one purge request for each 200 secrets. A key that was revoked before keeps its
 * first time, and is purged again.
 * @param ids public ones, some hundred at most. What is unknown or malformed is left out of the answer.
 * @returns how it went, by id.
 * @throws CommitOutcomeUnknownError when nobody knows whether they were revoked.
 * @throws what the database throws otherwise. Then this call has revoked none. A Redis that fails is no error: the effect is `pending`.
 * @example
 * const revoked = await revokeByOperator(ctx, ["key_0190…"]);
 */
export async function revokeByOperator(
  ctx: OutboxContext,
  ids: readonly string[],
): Promise<Map<string, RevokedByOperator>> {
  const uuids = ids.filter((id) => publicIdPattern.test(id)).map(fromPublicId);
  if (uuids.length === 0) return new Map();
  const likely = await findSecrets(ctx, inArray(apiKeys.id, uuids));
  const hashes = likely.map(({ hash }) => hash);
  const revoker = { revokedBy: "operator", actor: byOperator } as const;
  const revoked = await revokeKeys(ctx, hashes, revoker, () => Promise.resolve(uuids));
  return new Map(
    revoked.map(({ id, revokedAt, revokedBy, effect }) => [toPublicId(id), { revokedAt, revokedBy, effect }]),
  );
}
