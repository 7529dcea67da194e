import { and, eq, inArray, sql } from "drizzle-orm";

import type { Statements } from "../platform/database";
import { keyEvents } from "../platform/schema";

/**
 * So many places of one secret are noted. The history cannot be undone, and who holds a key that is dead can report it with another address
 * each time.
 */
const mostPlaces = 20;
/** Secrets have the time of a server, events that of the database. */
const clockToleranceMilliseconds = 300_000;

interface NotedPlace {
  keyId: string;
  source: string;
  location: string | null;
  url: string | null;
  /** When the secret was made. What was recorded before spoke of another secret of the key. */
  since: Date;
}

/** The places at which some keys were found, as the history tells of them. */
export interface KnownPlaces {
  /** Notes a place. @returns whether to record it: false where it is known already, and where the secret has too many. */
  note(place: NotedPlace): boolean;
}

/** Reads what is recorded of these keys. The caller has locked them, so nobody else records more until the transaction ends. */
export async function readKnownPlaces(transaction: Statements, keyIds: readonly string[]): Promise<KnownPlaces> {
  const part = (name: string) => sql<string | null>`${keyEvents.detail}->>${name}`;
  const rows = await transaction
    .select({
      keyId: keyEvents.keyId,
      at: keyEvents.at,
      source: part("source"),
      location: part("location"),
      url: part("url"),
    })
    .from(keyEvents)
    .where(and(inArray(keyEvents.keyId, [...keyIds]), eq(keyEvents.action, "key.exposed")));
  const known = new Map<string, { at: Date; name: string }[]>();
  const add = (keyId: string, at: Date, place: Omit<NotedPlace, "keyId" | "since">) =>
    known.set(keyId, [...(known.get(keyId) ?? []), { at, name: nameOf(place) }]);
  for (const { keyId, at, source, ...place } of rows) if (keyId && source) add(keyId, at, { source, ...place });
  return {
    note({ keyId, since, ...place }) {
      const earliest = since.getTime() - clockToleranceMilliseconds;
      const ofSecret = (known.get(keyId) ?? []).filter(({ at }) => at.getTime() >= earliest);
      if (ofSecret.length >= mostPlaces || ofSecret.some(({ name }) => name === nameOf(place))) return false;
      add(keyId, since, place);
      return true;
    },
  };
}

const nameOf = ({ source, location, url }: Omit<NotedPlace, "keyId" | "since">) =>
  JSON.stringify([source, location, url]);
