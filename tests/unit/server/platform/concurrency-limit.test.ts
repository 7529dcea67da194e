import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { createConcurrencyLimit } from "@/server/platform/concurrency-limit";

import { createGate } from "../../../support/gate";

const patient = { atOnce: 2, waiting: 3, patienceMilliseconds: 60_000 };

describe("the concurrency limit", () => {
  it("lets calls wait for their turn, in order", async () => {
    const limit = createConcurrencyLimit(patient);
    const gate = createGate();
    const started: number[] = [];
    const calls = [0, 1, 2, 3, 4].map((number) =>
      limit(async () => {
        started.push(number);
        await gate.opened;
        return number;
      }),
    );
    await sleep(0);
    expect(started).toEqual([0, 1]);
    gate.open();
    expect(await Promise.all(calls)).toEqual([0, 1, 2, 3, 4]);
    expect(started).toEqual([0, 1, 2, 3, 4]);
  });

  it("refuses at once when too many wait, and goes on afterwards", async () => {
    const limit = createConcurrencyLimit(patient);
    const gate = createGate();
    const calls = Array.from({ length: 5 }, () => limit(() => gate.opened));
    await expect(limit(() => Promise.resolve())).rejects.toThrow("too many");
    gate.open();
    await Promise.all(calls);
    expect(await limit(() => Promise.resolve("served"))).toBe("served");
  });

  it("refuses who has waited too long, and does not run its work later", async () => {
    const limit = createConcurrencyLimit({ ...patient, atOnce: 1, patienceMilliseconds: 20 });
    const gate = createGate();
    const first = limit(() => gate.opened);
    let hasRun = false;
    await expect(limit(() => Promise.resolve((hasRun = true)))).rejects.toThrow("no place within 20 ms");
    gate.open();
    await first;
    expect(await limit(() => Promise.resolve("served"))).toBe("served");
    expect(hasRun).toBe(false);
  });

  it("gives back the place of a call that failed", async () => {
    const limit = createConcurrencyLimit({ ...patient, atOnce: 1 });
    const fail = () => limit(() => Promise.reject(new Error("mine")));
    await Promise.all([fail, fail, fail].map((call) => expect(call()).rejects.toThrow("mine")));
    expect(await limit(() => Promise.resolve("served"))).toBe("served");
  });
});
