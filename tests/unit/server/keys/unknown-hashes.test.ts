import { describe, expect, it } from "vitest";

import { createUnknownHashes } from "@/server/keys/unknown-hashes";

const hashOf = (n: number) => Buffer.from(String(n).padStart(32, "0"));

describe("unknown hashes", () => {
  it("are remembered for 10 seconds and no longer", () => {
    let now = 1_000_000;
    const unknown = createUnknownHashes(() => new Date(now));
    unknown.add(hashOf(1));
    expect(unknown.has(hashOf(1))).toBe(true);
    expect(unknown.has(hashOf(2))).toBe(false);
    now += 10_000;
    expect(unknown.has(hashOf(1))).toBe(true);
    now += 1;
    expect(unknown.has(hashOf(1))).toBe(false);
  });

  it("are bounded: the oldest make room", () => {
    const unknown = createUnknownHashes(() => new Date(0));
    for (let n = 0; n < 10_001; n++) unknown.add(hashOf(n));
    expect(unknown.has(hashOf(0))).toBe(false);
    expect(unknown.has(hashOf(1))).toBe(true);
    expect(unknown.has(hashOf(10_000))).toBe(true);
  });
});
