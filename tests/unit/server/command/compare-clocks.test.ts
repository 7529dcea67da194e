import { describe, expect, it, vi } from "vitest";

import { compareClocks } from "@/server/command/doctor/compare-clocks";
import { readClockOf, reasonOf, requestMilliseconds, withinLimit } from "@/server/command/doctor/check";

const reading = (aheadMilliseconds: number, uncertainMilliseconds = 0) => ({
  aheadMilliseconds,
  uncertainMilliseconds,
});

describe("clocks", () => {
  it.each([
    [0, 0, true],
    [2_000, 0, true],
    [2_001, 0, false],
    [-2_001, -2_001, false],
    [-1_500, 0, true],
    // Each is near enough to this process, and not to the other.
    [-1_500, 1_500, false],
  ])("that are %i and %i ms ahead agree: %s", (postgres, redis, ok) => {
    expect(compareClocks({ Postgres: reading(postgres), Redis: reading(redis) }).ok).toBe(ok);
  });

  it("are not called apart for the time that a request took", () => {
    expect(compareClocks({ Postgres: reading(2_900, 1_000), Redis: reading(0) }).ok).toBe(true);
    expect(compareClocks({ Postgres: reading(3_100, 1_000), Redis: reading(0) }).ok).toBe(false);
    expect(compareClocks({ Postgres: reading(2_000, 500), Redis: reading(-1_000, 500) }).ok).toBe(true);
  });

  it("say who is apart from whom, and which way", () => {
    const { sentence } = compareClocks({ Postgres: reading(0), Redis: reading(-5_000) });
    expect(sentence).toContain("the clock of Redis is 5.0 s behind that of this process");
    expect(sentence).toContain("the clock of Redis is 5.0 s behind that of Postgres");
    expect(sentence).not.toContain("Postgres is");
  });

  it("that could not be read are named, and are no agreement; one that is apart is told before", () => {
    const unread = compareClocks({ Postgres: reading(0), Redis: null });
    expect([unread.ok, unread.sentence]).toEqual([false, expect.stringContaining("Not compared with Redis")]);
    expect(compareClocks({ Postgres: reading(9_000), Redis: null }).sentence).toContain("9.0 s ahead");
  });

  it("are read as in the middle of the request", async () => {
    let now = 1_000;
    const request = () => {
      now = 1_800;
      return Promise.resolve(1_400);
    };
    const { clock } = await readClockOf(
      () => now,
      request,
      (answer) => answer,
    );
    expect(clock).toEqual({ aheadMilliseconds: 0, uncertainMilliseconds: 400 });
  });
});

describe("a request that nobody answers", () => {
  it("ends by itself, also where its driver sets no limit", async () => {
    vi.useFakeTimers();
    try {
      const request = withinLimit(new Promise(() => undefined)).catch(reasonOf);
      await vi.advanceTimersByTimeAsync(2 * requestMilliseconds);
      expect(await request).toBe("no answer in time");
      expect(await withinLimit(Promise.resolve(1))).toBe(1);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
