import { inArray } from "drizzle-orm";

import { type EndingSecret, hasGraceEnded } from "../keys/replace-secrets";
import type { Statements } from "../platform/database";
import { lockKeys } from "../platform/locks";
import type { LeakOutcome } from "../platform/metrics";
import { apiKeySecrets } from "../platform/schema";
import { type KnownPlaces, readKnownPlaces } from "./known-places";

/** Who reports: GitHub, somebody by the page, or somebody by the endpoint. */
export type LeakSource = "github" | "web" | "report";

interface Place {
  location: string | null;
  url: string | null;
}

/** A secret that may be ours, and the places where it was found. */
export interface Exposure {
  token: string;
  hash: Buffer;
  /** The hash in hexadecimal, to look up by it. */
  hex: string;
  places: Place[];
}

/** A key and those of its secrets that were found. */
export interface ExposedKey {
  id: string;
  exposures: Exposure[];
}

/** What becomes of a key. */
export interface Decision {
  key: { id: string; name: string; ownerId: string };
  endsKey: boolean;
  /** The secrets that end alone. */
  endingSecrets: EndingSecret["secret"][];
  /**
   * Whether the key, or which of its secrets, are dead already and not known to be effective. They are purged again: the attempt before this
   * one may have ended them, and its outcome may be unknown.
   */
  awaitsPurge: boolean;
  awaitingSecrets: Buffer[];
  /** What became of each secret that was found, by its hash in hexadecimal. */
  outcomes: [hex: string, outcome: LeakOutcome][];
  /** The places that are to be recorded, each with what is done about it. */
  recorded: (Place & { action: "revoke" | "report" })[];
}

interface Rules {
  source: LeakSource;
  action: "revoke" | "report";
  now: Date;
}

/** Locks the keys, in the order of their ids, and decides on each by what is true then. */
export async function decideUnderLocks(
  transaction: Statements,
  exposed: readonly ExposedKey[],
  rules: Rules,
): Promise<Decision[]> {
  const ids = exposed.map(({ id }) => id);
  const keys = await lockKeys(transaction, ids);
  const exposures = new Map(exposed.map((key) => [key.id, key.exposures]));
  const secrets = await readSecrets(
    transaction,
    [...exposures.values()].flat().map(({ hash }) => hash),
  );
  const known = await readKnownPlaces(transaction, ids);
  return keys.map((key) => {
    const shown = (exposures.get(key.id) ?? []).flatMap(({ hex, places }) => {
      const secret = secrets.get(hex);
      return secret ? [{ secret, places }] : [];
    });
    return decide(key, shown, known, rules);
  });
}

type LockedKey = Awaited<ReturnType<typeof lockKeys>>[number];
type Secret = Awaited<ReturnType<typeof selectSecrets>>[number];

/** What was shown dies: with the current secret the key, with another living one that secret alone. */
function decide(
  key: LockedKey,
  shown: readonly { secret: Secret; places: Place[] }[],
  known: KnownPlaces,
  { source, action, now }: Rules,
): Decision {
  const isRevoking = action === "revoke";
  const isDead = (secret: Secret) => key.revokedAt !== null || secret.state === "revoked" || hasGraceEnded(secret, now);
  const ending = isRevoking ? shown.filter(({ secret }) => !isDead(secret)) : [];
  const endsKey = ending.some(({ secret }) => secret.state === "current");
  const noted = shown.flatMap((found) =>
    found.places
      .filter((place) => known.note({ keyId: key.id, source, ...place, since: found.secret.createdAt }))
      .map((place) => ({ ...place, action: ending.includes(found) ? ("revoke" as const) : ("report" as const) })),
  );
  // What ends is recorded, also at a place that is known, and where there are too many.
  const [first] = noted.some((place) => place.action === "revoke") ? [] : ending.flatMap(({ places }) => places);
  const recorded = first ? [...noted, { ...first, action: "revoke" as const }] : noted;
  const awaitsPurge = (revocation: { effectiveAt: Date | null }) => isRevoking && revocation.effectiveAt === null;
  return {
    key,
    endsKey,
    // With the key its other secrets die, too.
    endingSecrets: endsKey ? [] : ending.map(({ secret }) => secret),
    awaitsPurge: key.revokedAt !== null && awaitsPurge(key),
    awaitingSecrets: shown.flatMap(({ secret }) =>
      secret.state === "revoked" && awaitsPurge(secret) ? [secret.hash] : [],
    ),
    outcomes: shown.map((found) => {
      const { secret } = found;
      const outcome = isDead(secret) ? "dead" : ending.includes(found) ? "revoked" : "reported";
      return [secret.hash.toString("hex"), outcome];
    }),
    recorded,
  };
}

/** @returns them by hash, in hexadecimal. */
async function readSecrets(transaction: Statements, hashes: readonly Buffer[]): Promise<Map<string, Secret>> {
  const secrets = await selectSecrets(transaction, hashes);
  return new Map(secrets.map((secret) => [secret.hash.toString("hex"), secret]));
}

function selectSecrets(transaction: Statements, hashes: readonly Buffer[]) {
  const { hash, state, endsAt, createdAt, effectiveAt } = apiKeySecrets;
  return transaction
    .select({ hash, state, endsAt, createdAt, effectiveAt })
    .from(apiKeySecrets)
    .where(inArray(hash, [...hashes]));
}
