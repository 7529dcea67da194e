import { randomBytes, randomUUID } from "node:crypto";

import { describe, expect, it } from "vitest";

import { createWithApiKey } from "@/server/http/with-api-key";
import {
  type Caller,
  endGrace,
  importKeys,
  listApiKeys,
  revokeApiKey,
  revokeSelf,
  rotateApiKey,
  verifyApiKey,
} from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { rotateInput } from "@/server/shared/inputs";
import type { SecretFormat } from "@/server/shared/secret-format";
import { newCaller, useTestServer } from "@/tests/support/domain";

const secretFormat: SecretFormat = {
  prefix: "lk",
  environment: "test",
  accepted: [{ prefix: "wm_", characters: "hex", length: 40 }],
};
const grace = 300;
const revoked = { valid: false, reason: "revoked" };

describe("a key of another system that is rotated", () => {
  /** Whose the secrets are that the other system knows, and how often it was asked. */
  const known = new Map<string, string>();
  let asked = 0;
  const server = useTestServer("embedded", {
    secretFormat,
    adopt: (secret) => {
      asked++;
      const ownerId = known.get(secret);
      return Promise.resolve(ownerId === undefined ? null : { ownerId, name: "Old", scopes: ["reports:read"] });
    },
  });
  const withApiKey = createWithApiKey(() => server());
  const whoami = withApiKey((_request, { key }) => Response.json(key));
  async function ask(secret: string) {
    const answer = await whoami(new Request("http://localhost/x", { headers: { "x-api-key": secret } }), {});
    await server().runDeferred();
    const body = (await answer.json()) as Record<string, unknown>;
    return { status: answer.status, expires: answer.headers.get("api-key-expires"), body };
  }
  const rotate = (caller: Caller, { id }: { id: string }, graceSeconds = grace) =>
    rotateApiKey(server(), caller, rotateInput.parse({ id, requestId: randomUUID(), graceSeconds }));
  const keyOf = async (caller: Caller) => {
    const [key] = (await listApiKeys(server(), caller)).keys;
    if (!key) throw new Error("there is no key");
    return key;
  };

  /** A key whose secret is in use, brought here in one of the two ways. */
  async function brought(way: "imported" | "adopted", fields: { expiresAt?: Date } = {}) {
    const caller = newCaller({ ownerKind: "organization" });
    const old = `wm_${randomBytes(20).toString("hex")}`;
    known.set(old, caller.ownerId);
    if (way === "imported")
      await importKeys({ ...server(), environment: "test", from: "import" }, [
        {
          ownerId: caller.ownerId,
          name: "Old",
          hash: hashSecret(old),
          display: "wm_1234…",
          scopes: ["reports:read"],
          createdAt: null,
          expiresAt: fields.expiresAt ?? null,
        },
      ]);
    expect(await ask(old)).toMatchObject({ status: 200, body: { secret: "current" } });
    return { caller, old, key: await keyOf(caller) };
  }
  const ways = [["imported"], ["adopted"]] as const;

  it.each(ways)("%s: gets a secret of our own shape, and the old one works until that is used", async (way) => {
    const { caller, old, key } = await brought(way);
    const { secret: fresh, key: rotated, replaced } = await rotate(caller, key);
    expect(fresh).toMatch(/^lk_test_[0-9A-Za-z]{38}$/);
    expect(replaced).toBeNull();
    expect(rotated).toMatchObject({ id: key.id, display: key.display, createdBy: caller.ownerId });
    expect(rotated.rotation).toMatchObject({ state: "waiting", display: expect.stringMatching(/^lk_test_/) as string });
    expect(await ask(old)).toMatchObject({ status: 200, expires: null, body: { secret: "current", keyId: key.id } });
  });

  it.each(ways)(
    "%s: the old secret tells its end during the grace, is refused after it, and is never asked about again",
    async (way) => {
      const { caller, old, key } = await brought(way);
      const { secret: fresh } = await rotate(caller, key);
      expect(await ask(fresh)).toMatchObject({
        status: 200,
        expires: null,
        body: { secret: "current", keyId: key.id, scopes: ["reports:read"] },
      });
      const { rotation, display } = await keyOf(caller);
      if (rotation?.state !== "grace") throw new Error("no grace runs");
      expect(rotation.display).toBe(key.display);
      expect(display).toMatch(/^lk_test_/);
      const expires = `@${Math.floor(rotation.endsAt.getTime() / 1_000)}`;
      // Read, and then out of the slot.
      for (let round = 0; round < 2; round++)
        expect(await ask(old)).toMatchObject({ status: 200, expires, body: { secret: "previous", keyId: key.id } });
      const before = asked;
      server().advance(grace * 1_000);
      expect(await ask(old)).toMatchObject({ status: 401, expires: null, body: { code: "api_key_revoked" } });
      expect(await ask(fresh)).toMatchObject({ status: 200 });
      // The other system still knows the secret: another import of it brings nothing back.
      await importKeys({ ...server(), environment: "test", from: "import" }, [
        {
          ...{ ownerId: caller.ownerId, name: "Old", hash: hashSecret(old), display: "wm_…", scopes: [] },
          createdAt: null,
          expiresAt: null,
        },
      ]);
      expect(await ask(old)).toMatchObject({ status: 401, body: { code: "api_key_revoked" } });
      expect(asked).toBe(before);
      server().advance(-grace * 1_000);
    },
  );

  it.each(ways)("%s: without a grace, or when the grace is ended, the old secret is dead at once", async (way) => {
    const now = await brought(way);
    const { secret, replaced } = await rotate(now.caller, now.key, 0);
    expect(replaced).toMatchObject({ status: "effective" });
    expect(await verifyApiKey(server(), now.old)).toEqual(revoked);
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });

    const planned = await brought(way);
    const { secret: fresh } = await rotate(planned.caller, planned.key);
    await ask(fresh);
    expect((await endGrace(server(), planned.caller, planned.key)).effect).toMatchObject({ status: "effective" });
    expect(await verifyApiKey(server(), planned.old)).toEqual(revoked);
    expect(await verifyApiKey(server(), fresh)).toMatchObject({ valid: true });
  });

  it.each(ways)("%s: the old secret ends itself alone in the grace, and the whole key before it", async (way) => {
    const inGrace = await brought(way);
    const { secret: fresh } = await rotate(inGrace.caller, inGrace.key);
    await ask(fresh);
    expect(await revokeSelf(server(), inGrace.old)).toMatchObject({ status: "effective" });
    expect(await verifyApiKey(server(), inGrace.old)).toEqual(revoked);
    expect(await verifyApiKey(server(), fresh)).toMatchObject({ valid: true });

    const waiting = await brought(way);
    const { secret: second } = await rotate(waiting.caller, waiting.key);
    expect(await revokeSelf(server(), waiting.old)).toMatchObject({ status: "effective" });
    for (const secret of [waiting.old, second]) expect(await verifyApiKey(server(), secret)).toEqual(revoked);
  });

  it.each(ways)("%s: a revocation ends both secrets", async (way) => {
    const { caller, old, key } = await brought(way);
    const { secret: fresh } = await rotate(caller, key);
    await ask(fresh);
    await ask(old);
    expect((await revokeApiKey(server(), caller, key)).effect).toMatchObject({ status: "effective" });
    for (const secret of [old, fresh]) expect(await verifyApiKey(server(), secret)).toEqual(revoked);
  });

  it("imported with an expiry: neither secret outlives it", async () => {
    const expiresAt = new Date(Date.now() + 100_000);
    const { caller, old, key } = await brought("imported", { expiresAt });
    const { secret: fresh } = await rotate(caller, key);
    const expires = `@${Math.floor(expiresAt.getTime() / 1_000)}`;
    for (const secret of [fresh, old]) expect(await ask(secret)).toMatchObject({ status: 200, expires });
    server().advance(100_001);
    for (const secret of [fresh, old]) expect((await ask(secret)).status).toBe(401);
    server().advance(-100_001);
  });
});
