import { setTimeout as delay } from "node:timers/promises";

/** How long a name is used before it is read again. A renamed organisation has its new name after that, in every process. */
const freshMilliseconds = 60_000;
/** The same where no name could be read. */
const retryMilliseconds = 5_000;
/** How long a call waits for a name that nobody knows yet. A name is worth no more. */
const patienceMilliseconds = 1_000;
const mostRemembered = 10_000;

interface Entry {
  name: string | null;
  /** When `name` was read, or could not be in time. */
  readAt: number;
  reading: Promise<void> | null;
}

/**
 * Tells the names of organisations, which session tokens do not have. A name is read once a minute at most, by whoever comes first, and only
 * the first call for an organisation waits for it. A read that fails or takes long harms no call: the name that is known is used on, and where
 * none is known the answer is null.
 * @param read reads a name from Clerk.
 */
export function createOrganizationNames(read: (organizationId: string) => Promise<string>, now = () => Date.now()) {
  const entries = new Map<string, Entry>();

  function entryOf(organizationId: string): Entry {
    const known = entries.get(organizationId);
    if (known) return known;
    const entry: Entry = { name: null, readAt: -Infinity, reading: null };
    entries.set(organizationId, entry);
    for (const [oldest] of entries) {
      if (entries.size <= mostRemembered) break;
      entries.delete(oldest);
    }
    return entry;
  }

  async function readInto(entry: Entry, organizationId: string): Promise<void> {
    const timer = new AbortController();
    // What comes later than this still counts, for later calls.
    const reading = read(organizationId).then((name) => void (entry.name = name));
    const patience = delay(patienceMilliseconds, undefined, { signal: timer.signal, ref: false });
    // Policy: without an answer the name that is known stays, or null.
    await Promise.race([reading, patience]).catch(() => undefined);
    timer.abort();
    reading.catch(() => undefined);
    patience.catch(() => undefined);
    entry.readAt = now();
    entry.reading = null;
  }

  const startReading = (entry: Entry, organizationId: string) => (entry.reading ??= readInto(entry, organizationId));

  return {
    async nameOf(organizationId: string): Promise<string | null> {
      const entry = entryOf(organizationId);
      const age = now() - entry.readAt;
      if (age < (entry.name === null ? retryMilliseconds : freshMilliseconds)) return entry.name;
      const reading = startReading(entry, organizationId);
      if (entry.name === null) await reading;
      return entry.name;
    },
    /** Reads the name again, for an event that says it may have changed. */
    async refresh(organizationId: string): Promise<void> {
      await startReading(entryOf(organizationId), organizationId);
    },
  };
}
