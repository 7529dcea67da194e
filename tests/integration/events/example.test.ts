import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, it } from "vitest";

import { receiveEvents } from "@/docs/examples/receive-events";
import { toNodeListener } from "@/docs/examples/to-node-listener";
import { renameApiKey, revokeApiKey } from "@/server/keys";
import { createKeyOf, newCaller, startTestServer } from "@/tests/support/domain";
import { newSecret } from "@/tests/support/event-receiver";
import { testDatabaseUrl } from "@/tests/support/services";

it("the example of a receiver sends one mail for each event that the owner is told of, and takes nothing forged", async () => {
  const secret = newSecret();
  const mails = new Map<string, { ownerId: string; text: string }>();
  let failures = 1;
  const listener = toNodeListener(
    receiveEvents(secret, (ownerId, text, id) => {
      if (failures-- > 0) throw new Error("the mail server is down");
      mails.set(id, { ownerId, text });
      return Promise.resolve();
    }),
  );
  const receiver = createServer(listener);
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const server = await startTestServer("embedded", await testDatabaseUrl(), { events: { url, secret } });
  const forger = await startTestServer("embedded", server.postgresProxy.target, {
    events: { url, secret: newSecret() },
  });
  try {
    const caller = newCaller();
    const { key } = await createKeyOf(server, caller, { name: "Build" });
    await renameApiKey(server, caller, { id: key.id, name: "Deploy" });
    await revokeApiKey(server, caller, key);
    expect(await forger.events?.sendAll()).toEqual({ delivered: 0, failed: 4 });
    expect(await server.events?.sendAll()).toEqual({ delivered: 3, failed: 1 });
    expect(await server.events?.sendAll()).toEqual({ delivered: 1, failed: 0 });
    expect([...mails.values()]).toEqual([{ ownerId: caller.ownerId, text: 'Your API key "Deploy" was revoked.' }]);
  } finally {
    await Promise.all([server.close(), forger.close()]);
    receiver.closeAllConnections();
    receiver.close();
  }
});
