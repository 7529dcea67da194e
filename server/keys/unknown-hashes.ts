import { LRUCache } from "lru-cache";

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
  const hashes = new LRUCache<string, true>({
    max: capacity,
    ttl: memoryMilliseconds,
    // The clock of the server, each time: a moved clock must not keep an entry longer.
    ttlResolution: 0,
    perf: { now: () => now().getTime() },
  });
  return {
    has: (hash) => hashes.size > 0 && hashes.has(hash.toString("base64")),
    add: (hash) => void hashes.set(hash.toString("base64"), true),
  };
}
