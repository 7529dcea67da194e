import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { createUses } from "@/server/edge/uses";

describe("uses that are counted at the edge", () => {
  const reports: { hash: string; count: number }[][] = [];
  const origin = createServer((request, response) => {
    void text(request).then((body) => {
      reports.push((JSON.parse(body) as { uses: { hash: string; count: number }[] }).uses);
      response.writeHead(204).end();
    });
  });

  beforeEach(async () => {
    await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
    vi.useFakeTimers({ toFake: ["setTimeout"] });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await new Promise((resolve) => origin.close(resolve));
  });

  it("are bounded: beyond 1,000 secrets only those that are known already count, until the report", async () => {
    const { port } = origin.address() as AddressInfo;
    const countUse = createUses({
      redis: { url: "http://127.0.0.1", token: "token", prefix: "latchkey:" },
      introspectionUrl: `http://127.0.0.1:${port}`,
      introspectionSecret: "0123456789abcdef0123456789abcdef",
      secretFormat: { prefix: "lk", environment: "test" },
    });
    const tasks: Promise<unknown>[] = [];
    const use = (secret: number, at: number) =>
      countUse(String(secret).padStart(64, "0"), at, (task) => void tasks.push(task));
    const at = 1_700_000_000_000;
    for (let secret = 0; secret < 1_500; secret++) use(secret, at);
    use(0, at);
    vi.advanceTimersByTime(5_000);
    await Promise.all(tasks);
    use(1_400, at + 10_001);
    vi.advanceTimersByTime(5_000);
    await Promise.all(tasks);
    expect(reports.map((uses) => uses.length)).toEqual([1_000, 1]);
    expect(reports[0]?.[0]?.count).toBe(2);
  });
});
