import { beforeEach, describe, expect, it } from "vitest";

import { listApiKeys, renameApiKey, revokeApiKey } from "@/server/keys";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";

describe("renameApiKey", () => {
  const server = useTestServer("embedded");
  beforeEach(() => {
    server().postgresProxy.decide = () => "pass";
    server().redisProxy.decide = () => "pass";
  });

  it("that was committed is answered, even if the database is gone the moment after", async () => {
    const caller = newCaller();
    const { key } = await createKeyOf(server(), caller);
    // Pending, so that the answer has to tell how far the revocation has come.
    server().redisProxy.decide = () => "refuse";
    const { effect } = await revokeApiKey(server(), caller, key);
    expect(effect.status).toBe("pending");
    let isCommitted = false;
    server().postgresProxy.decide = (statement) => {
      if (isCommitted) return "break";
      isCommitted = statement.startsWith("COMMIT");
      return "pass";
    };
    expect(await renameApiKey(server(), caller, { id: key.id, name: "Renamed" })).toMatchObject({
      name: "Renamed",
      effect,
    });
    server().postgresProxy.decide = () => "pass";
    expect((await listApiKeys(server(), caller)).keys[0]?.name).toBe("Renamed");
  });
});
