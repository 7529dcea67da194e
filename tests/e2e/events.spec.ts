import { randomUUID } from "node:crypto";

import { expect, test } from "@playwright/test";

import { withApp } from "../support/app-server";
import { newSecret, startEventReceiver } from "../support/event-receiver";
import { bearerOf, newHttpUser } from "../support/http-user";
import { newDatabase } from "../support/new-database";

test("the served app sends what happens to a key, signed, also after two failed attempts", async ({ request }) => {
  const DATABASE_URL = await newDatabase(process.env.DATABASE_URL ?? "", "events");
  const receiver = await startEventReceiver();
  const attempts = (type: string) => receiver.received.filter((received) => received.type === type).length;
  receiver.answer = ({ type }) => (type === "api_key.created" && attempts(type) <= 2 ? 500 : 204);
  const settings = { EVENTS_WEBHOOK_URL: receiver.url, EVENTS_WEBHOOK_SECRET: receiver.secret };
  await withApp({ ...settings, DATABASE_URL, API_KEY_ENVIRONMENT: "test" }, async (origin) => {
    const user = await newHttpUser({ azp: origin });
    const created = await request.post(`${origin}/api/trpc/apiKeys.create`, {
      headers: bearerOf(user),
      data: { json: { name: "Build", requestId: randomUUID() } },
    });
    const { result } = (await created.json()) as {
      result: { data: { json: { secret: string; key: { id: string } } } };
    };
    const { secret, key } = result.data.json;
    const revoked = await request.delete(`${origin}/api/v1/whoami`, { headers: { "x-api-key": secret } });
    expect(await revoked.json()).toMatchObject({ status: "effective" });
    // The others do not wait for the one that fails.
    await expect.poll(() => attempts("api_key.revocation_effective")).toBe(1);
    await expect.poll(() => attempts("api_key.created"), { timeout: 30_000 }).toBe(3);
    const ready = async () => (await (await request.get(`${origin}/api/health/ready`)).json()) as { events: unknown };
    const nothing = { waiting: 0, oldestSeconds: null, givenUp: 0, isRefused: false };
    await expect.poll(async () => (await ready()).events).toEqual(nothing);
    const types = ["api_key.created", "api_key.revocation_effective", "api_key.revoked"];
    expect([...new Set(receiver.received.map(({ type }) => type))].toSorted()).toEqual(types);
    for (const { data } of receiver.received) expect(data).toMatchObject({ keyId: key.id, ownerId: user.userId });
    expect(JSON.stringify(receiver.received)).not.toContain(secret.slice(-20));
  });
  await receiver.stop();
});

for (const [title, settings] of [
  ["an address without a secret", { EVENTS_WEBHOOK_URL: "https://example.com/" }],
  ["a secret without an address", { EVENTS_WEBHOOK_SECRET: newSecret() }],
  [
    "an address that is not encrypted",
    { EVENTS_WEBHOOK_URL: "http://example.com/", EVENTS_WEBHOOK_SECRET: newSecret() },
  ],
] as const)
  test(`a production start with ${title} for events ends with an error`, async () => {
    await expect(withApp(settings, async () => {})).rejects.toThrow("ended before it answered (1)");
  });
