import { LRUCache } from "lru-cache";

const memoryMilliseconds = 10_000;
const capacity = 10_000;

/**
 * Remembers for 10 s, in this process, hashes that the primary did not know. So a made-up key that is sent again and again costs one read.
 * It is safe, since a secret of ours leaves the server only after its commit. A key of another system may become known later, by an import:
 * one that somebody has tried just before is then refused for up to 10 s more. Where another system is asked, its "no" is kept as long.
 */
export interface UnknownHashes {
  has(hash: Buffer): boolean;
  add(hash: Buffer): void;
}

export function createUnknownHashes(now: () => Date): UnknownHashes {
  const hashes = new LRUCache<string, true>({
    max: capacity,
    ttl: memoryMilliseconds,
    // Reads the server's clock each time, so that no entry is kept longer than that clock says.
    ttlResolution: 0,
    perf: { now: () => now().getTime() },
  });
  return {
    has: (hash) => hashes.size > 0 && hashes.has(hash.toString("base64")),
    add: (hash) => void hashes.set(hash.toString("base64"), true),
  };
}
