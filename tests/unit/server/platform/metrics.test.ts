import { describe, expect, it } from "vitest";

import { createMetrics } from "@/server/platform/metrics";

const nothing = { count: 0, oldestSeconds: null };

describe("reported leaks", () => {
  it("are counted by who has reported them and by what came of it", async () => {
    const metrics = createMetrics();
    metrics.countLeak("github", "revoked");
    metrics.countLeak("github", "revoked");
    metrics.countLeak("report", "dead");
    const { text } = await metrics.render(nothing);
    expect(text).toContain('latchkey_leaks_received_total{source="github",outcome="revoked"} 2');
    expect(text).toContain('latchkey_leaks_received_total{source="report",outcome="dead"} 1');
    expect(metrics.read().leaksReceived).toBe(3);
  });

  it("are there before the first one, as Prometheus sees an increase only of what it knows", async () => {
    const { text } = await createMetrics().render(nothing);
    for (const source of ["github", "web", "report"])
      for (const outcome of ["revoked", "reported", "dead", "unknown"])
        expect(text).toContain(`latchkey_leaks_received_total{source="${source}",outcome="${outcome}"} 0`);
  });
});

describe("the drain's last success", () => {
  it("is told as a time to Prometheus, and as an age", async () => {
    let now = 1_800_000_000_000;
    const metrics = createMetrics(() => now);
    expect(metrics.read().lastDrainSeconds).toBeNull();
    metrics.noteDrain();
    now += 90_000;
    expect(metrics.read().lastDrainSeconds).toBe(90);
    const { text } = await metrics.render(nothing);
    expect(text).toContain("latchkey_drain_last_success_timestamp_seconds 1800000000");
  });
});
