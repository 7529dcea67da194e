const memoryMilliseconds = 10_000;
const capacity = 10_000;

/**
 * Hashes that the primary did not know, remembered in this process for 10 s, so that repeating a well-formed random key costs one
 * read. Safe, since a secret leaves the server only after its commit: a hash that was unknown once it could be sent stays unknown.
 */
export interface UnknownHashes {
  has(hash: Buffer): boolean;
  add(hash: Buffer): void;
}

export function createUnknownHashes(now: () => Date): UnknownHashes {
  // A Map keeps insertion order, which here is the order of expiry.
  const expiries = new Map<string, number>();
  return {
    has(hash) {
      if (expiries.size === 0) return false;
      const expiry = expiries.get(hash.toString("base64"));
      return expiry !== undefined && expiry > now().getTime();
    },
    add(hash) {
      const entry = hash.toString("base64");
      expiries.delete(entry);
      expiries.set(entry, now().getTime() + memoryMilliseconds);
      for (const [oldest, expiry] of expiries) {
        if (expiries.size <= capacity && expiry > now().getTime()) break;
        expiries.delete(oldest);
      }
    },
  };
}
