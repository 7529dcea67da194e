import { describe, expect, it } from "vitest";

import { pauseSecondsAfter, readRetryAfter } from "@/server/events/pauses";

describe("the pause after an attempt that failed", () => {
  it("is 2, 10 and 60 s after the first three, whatever chance says", () => {
    for (const chance of [0, 0.99])
      expect([1, 2, 3].map((attempts) => pauseSecondsAfter(attempts, () => chance))).toEqual([2, 10, 60]);
  });

  it("then grows, up to 6 h and a fifth of that", () => {
    const pauses = [3, 4, 5, 6, 7, 8, 9].map((attempts) => pauseSecondsAfter(attempts, () => 0));
    expect(pauses).toEqual([60, 180, 540, 1_620, 4_860, 14_580, 21_600]);
    expect(pauseSecondsAfter(1_000, () => 1)).toBe(21_600 * 1.2);
  });

  it("differs by chance from the fourth on", () => {
    const [least, most] = [0, 1].map((chance) => pauseSecondsAfter(4, () => chance));
    expect([least, most]).toEqual([180, 216]);
  });
});

describe("Retry-After", () => {
  const now = Date.UTC(2026, 0, 1);

  it.each([
    ["120", 120],
    [" 7 ", 7],
    ["0", 0],
    ["3600", 3_600],
    ["3601", 3_600],
    ["99999999999999999999", 3_600],
    ["Thu, 01 Jan 2026 00:10:00 GMT", 600],
    ["Fri, 02 Jan 2026 00:00:00 GMT", 3_600],
    // Over already.
    ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
    ["soon", 0],
    ["", 0],
    ["-5", 0],
    [null, 0],
  ])("%j is %i s", (header, seconds) => {
    expect(readRetryAfter(header, now)).toBe(seconds);
  });
});
