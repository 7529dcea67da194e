import { describe, expect, it } from "vitest";

import { verifyApiKey } from "@/server/keys";
import { mintSecret } from "@/server/keys/secret";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";

describe("the metrics of a process", () => {
  const server = useTestServer("embedded");

  /** The names and labels of the series, without their values. Whether a fill came in time to count is the machine's business. */
  async function series(): Promise<string[]> {
    const { text } = await server().metrics.render({ count: 0, oldestSeconds: null });
    const lines = text.split("\n").filter((line) => /^[a-z]/.test(line) && !line.startsWith("latchkey_slot_fills"));
    return lines.map((line) => line.slice(0, line.lastIndexOf(" ")));
  }

  async function verifyOthers(round: number) {
    const { secret } = await createKeyOf(server(), newCaller());
    const unknown = mintSecret({ prefix: "lk", environment: "test" });
    for (const given of [secret, secret, unknown, `malformed ${round}`])
      await verifyApiKey(server(), given, `192.0.2.${round}`);
    await server().runDeferred();
  }

  it("are no more after many keys, owners and addresses than after the first", async () => {
    await verifyOthers(0);
    const before = await series();
    for (let round = 1; round <= 10; round++) await verifyOthers(round);
    expect(await series()).toEqual(before);
    expect(before.join()).toContain('latchkey_verification_seconds_count{result="accepted"}');
  });
});
