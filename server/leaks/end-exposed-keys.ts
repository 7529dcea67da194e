import { sql } from "drizzle-orm";

import { byReporter, type NewEvent, recordEvents } from "../history";
import { endSecrets } from "../keys/replace-secrets";
import { markRevoked } from "../keys/revoke";
import { hashSecret } from "../keys/secret";
import { changeAndPurgeLater, type NamePurges } from "../outbox/change-and-purge";
import type { Statements } from "../platform/database";
import type { LeakOutcome } from "../platform/metrics";
import { apiKeySecrets } from "../platform/schema";
import { inSpan } from "../platform/tracing";
import { isWellFormedSecret } from "../shared/secret-format";
import type { LeakContext } from "./context";
import { decideUnderLocks, type Decision, type ExposedKey, type Exposure, type LeakSource } from "./decide";
import { placeText } from "./place-text";

export interface Finding {
  /** What was found. It need not be a key. */
  token: string;
  /** In what kind of place it was found, as the reporter calls it. */
  location: string | null;
  url: string | null;
}

/** A transaction of so many keys ends within the time limit of a statement, and holds their locks for a short time. */
const keysAtOnce = 500;

/**
 * Ends the keys that were found where they do not belong, and records where. What was shown dies: with the current secret the key, with a
 * previous or a waiting one that secret alone. What was dead already is only recorded, and where the setting says `report`, so is every key.
 *
 * What has neither the shape nor the checksum of a key costs no I/O. Otherwise there are one lookup for the whole batch, and one transaction
 * for each 500 keys of ours. It resolves after the last commit. The purges follow, so a Redis that is down or hangs changes nothing here.
 *
 * It is safe to repeat, also a batch of which only a part was committed: nothing ends twice, and a place that is recorded already is not
 * recorded again.
 * @returns for each finding whether it is, or once was, a secret of ours.
 * @throws CommitOutcomeUnknownError, ConcurrencyLimitError, and what the database throws. Then the batch should be sent again.
 * @example
 * const [isOurs] = await endExposedKeys(ctx, [{ token: "lk_live_…", location: null, url: null }], { source: "web" });
 */
export async function endExposedKeys(
  ctx: LeakContext,
  findings: readonly Finding[],
  { source }: { source: LeakSource },
): Promise<boolean[]> {
  const exposures = collect(ctx, findings);
  const outcomes = exposures.size === 0 ? new Map<string, LeakOutcome>() : await endAll(ctx, exposures, source);
  return findings.map(({ token }) => {
    const outcome = outcomes.get(exposures.get(token)?.hex ?? "") ?? "unknown";
    ctx.metrics.countLeak(source, outcome);
    return outcome !== "unknown";
  });
}

/** @returns what became of each secret of ours, by its hash in hexadecimal. */
function endAll(ctx: LeakContext, exposures: ReadonlyMap<string, Exposure>, source: LeakSource) {
  return ctx.leaks.batches(async () => {
    const keys = groupByKey(await findKeyIds(ctx.db, [...exposures.values()]), exposures);
    const outcomes = new Map<string, LeakOutcome>();
    for (let from = 0; from < keys.length; from += keysAtOnce) {
      const decisions = await endSome(ctx, keys.slice(from, from + keysAtOnce), source);
      for (const [hex, outcome] of decisions.flatMap((decision) => decision.outcomes)) outcomes.set(hex, outcome);
    }
    return outcomes;
  });
}

/** By token. So one that is found several times is looked up and ended once. */
function collect(ctx: LeakContext, findings: readonly Finding[]): Map<string, Exposure> {
  const exposures = new Map<string, Exposure>();
  for (const { token, location, url } of findings) {
    const known = exposures.get(token);
    if (!known && !isWellFormedSecret(token, ctx.settings.secretFormat)) continue;
    const hash = known?.hash ?? hashSecret(token);
    const exposure = known ?? { token, hash, hex: hash.toString("hex"), places: [] };
    exposure.places.push({ location, url });
    exposures.set(token, exposure);
  }
  return exposures;
}

/** @returns the ids of keys by the hashes of their secrets, in hexadecimal. */
async function findKeyIds(db: Statements, exposures: readonly Exposure[]): Promise<Map<string, string>> {
  const { rows } = await db.execute<{ hex: string; key_id: string }>(sql`
    select encode(secret_hash, 'hex') as hex, key_id from ${apiKeySecrets}
    where secret_hash = any(${sql.param(exposures.map(({ hash }) => hash))}::bytea[])`);
  return new Map(rows.map((row) => [row.hex, row.key_id]));
}

/** In the order of the ids, which is the order of the locks. Their places are as the history may hold them. */
function groupByKey(keyIds: ReadonlyMap<string, string>, exposures: ReadonlyMap<string, Exposure>): ExposedKey[] {
  const keys = new Map<string, ExposedKey>();
  for (const exposure of exposures.values()) {
    const id = keyIds.get(exposure.hex);
    if (id === undefined) continue;
    const key = keys.get(id) ?? { id, exposures: [] };
    const { token, places } = exposure;
    const told = places.map(({ location, url }) => ({
      location: placeText(location, token),
      url: placeText(url, token),
    }));
    key.exposures.push({ ...exposure, places: told });
    keys.set(id, key);
  }
  return [...keys.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function endSome(ctx: LeakContext, keys: readonly ExposedKey[], source: LeakSource): Promise<Decision[]> {
  return inSpan("latchkey.revoke", (note) => {
    note("latchkey.revoked_by", "leak");
    note("latchkey.key_count", keys.length);
    return changeAndPurgeLater(ctx, async (transaction, purge) => {
      const rules = { source, action: ctx.leaks.settings.action, now: ctx.now() };
      const decisions = await decideUnderLocks(transaction, keys, rules);
      await carryOut(transaction, purge, decisions, rules);
      return decisions;
    });
  });
}

async function carryOut(
  transaction: Statements,
  purge: NamePurges,
  decisions: readonly Decision[],
  { source, now }: { source: LeakSource; now: Date },
): Promise<void> {
  const actor = byReporter(source === "github" ? "github" : null);
  const exposed = decisions.flatMap(({ key, recorded }) =>
    recorded.map(({ location, url, action }): NewEvent => ({
      action: "key.exposed",
      ownerId: key.ownerId,
      key,
      actor,
      detail: { source, location, url, action },
    })),
  );
  await recordEvents(transaction, exposed);
  const keyIds = decisions.filter(({ endsKey }) => endsKey).map(({ key }) => key.id);
  const alone = decisions.flatMap(({ key, endingSecrets }) => endingSecrets.map((secret) => ({ secret, key })));
  await endSecrets(transaction, alone, { now, actor });
  await markRevoked(transaction, keyIds, { revokedBy: "leak", actor });
  const outdated = [...keyIds, ...decisions.filter(({ awaitsPurge }) => awaitsPurge).map(({ key }) => key.id)];
  if (outdated.length > 0) await purge({ target: "revoked", keyIds: outdated });
  const hashes = [
    ...alone.map(({ secret }) => secret.hash),
    ...decisions.flatMap((decision) => decision.awaitingSecrets),
  ];
  if (hashes.length > 0) await purge({ target: "revoked", hashes });
}
