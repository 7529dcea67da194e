import { createHash, randomUUID } from "node:crypto";

import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import {
  type Caller,
  cancelRotation,
  importKeys,
  revokeApiKey,
  revokeSelf,
  rotateApiKey,
  verifyApiKey,
} from "@/server/keys";
import { endExposedKeys } from "@/server/leaks";
import { closeOwner } from "@/server/owners";
import { apiKeys, owners } from "@/server/platform/schema";
import { createKeyOf, newCaller } from "@/tests/support/domain";

import { actionsOf, at, end, historyOf, reporter, useReportedKeys, valid } from "./exposed-keys";

describe("a report", () => {
  const { server, isEnded, newKey } = useReportedKeys();
  const startRotation = (caller: Caller, { id }: { id: string }) =>
    rotateApiKey(server(), caller, { id, requestId: randomUUID(), graceSeconds: 300 });

  it("ends the whole key with its current secret, also one that is being rotated", async () => {
    const { caller, key, secret } = await newKey();
    const { secret: next } = await startRotation(caller, key);
    await end(server(), [secret]);
    for (const each of [secret, next]) expect(await isEnded(each)).toBe(true);
    expect((await actionsOf(server(), caller)).slice(1)).toEqual([
      "key.exposed",
      "key.revoked",
      "key.revocation_effective",
    ]);
  });

  it("ends a waiting secret alone", async () => {
    const { caller, key, secret } = await newKey();
    const { secret: next } = await startRotation(caller, key);
    for (let repeat = 0; repeat < 2; repeat++) await end(server(), [next]);
    expect(await isEnded(next)).toBe(true);
    expect(await verifyApiKey(server(), secret)).toMatchObject(valid);
    expect((await historyOf(server(), caller)).slice(1)).toMatchObject([
      { action: "key.exposed", actor: reporter("github"), detail: { action: "revoke" } },
      { action: "key.rotation_cancelled", actor: reporter("github"), detail: {} },
    ]);
    expect(await cancelRotation(server(), caller, key)).toMatchObject({ effect: null });
  });

  it("ends a previous secret alone", async () => {
    const { caller, key, secret } = await newKey();
    const { secret: next } = await startRotation(caller, key);
    await verifyApiKey(server(), next);
    for (let repeat = 0; repeat < 2; repeat++) await end(server(), [secret]);
    expect(await isEnded(secret)).toBe(true);
    expect(await verifyApiKey(server(), next)).toMatchObject(valid);
    expect((await historyOf(server(), caller)).slice(2)).toMatchObject([
      { action: "key.exposed", actor: reporter("github"), detail: { action: "revoke" } },
      { action: "key.grace_ended", actor: reporter("github"), detail: {} },
    ]);
  });

  it("with both secrets of a key ends the key, and tells it once", async () => {
    const { caller, key, secret } = await newKey();
    const { secret: next } = await startRotation(caller, key);
    await end(server(), [next, secret, next]);
    for (const each of [secret, next]) expect(await isEnded(each)).toBe(true);
    expect((await actionsOf(server(), caller)).slice(1)).toEqual([
      "key.exposed",
      "key.revoked",
      "key.revocation_effective",
    ]);
  });

  it("only notes a secret whose grace is over, or that was replaced at once", async () => {
    const { caller, key, secret } = await newKey();
    const { secret: next } = await startRotation(caller, key);
    await verifyApiKey(server(), next);
    server().advance(301_000);
    expect(await end(server(), [secret])).toEqual([true]);
    const { secret: last } = await rotateApiKey(server(), caller, {
      id: key.id,
      requestId: randomUUID(),
      graceSeconds: 0,
    });
    expect(await endExposedKeys(server(), [at(next, { url: "b" })], { source: "github" })).toEqual([true]);
    server().advance(-301_000);
    await server().runDeferred();
    expect(await verifyApiKey(server(), last)).toMatchObject(valid);
    const exposed = (await historyOf(server(), caller)).filter(({ action }) => action === "key.exposed");
    expect(exposed.map(({ detail }) => detail.action)).toEqual(["report", "report"]);
    expect(await actionsOf(server(), caller)).not.toContain("key.grace_ended");
  });

  it("ends an expired key, as a key may end itself then", async () => {
    const caller = newCaller();
    const { secret } = await createKeyOf(server(), caller, { expiresInDays: 1 });
    server().advance(2 * 86_400_000);
    expect(await end(server(), [secret])).toEqual([true]);
    server().advance(-2 * 86_400_000);
    expect(await isEnded(secret)).toBe(true);
    expect(await actionsOf(server(), caller)).toContain("key.revoked");
  });

  it("only notes a key that its owner, itself or the end of an account has ended", async () => {
    const [byOwner, bySelf, byAccount] = [await newKey(), await newKey(), await newKey()];
    await revokeApiKey(server(), byOwner.caller, byOwner.key);
    await revokeSelf(server(), bySelf.secret);
    await closeOwner(server(), { ownerId: byAccount.caller.ownerId, at: new Date(), reason: "deleted" });
    const all = [byOwner, bySelf, byAccount];
    for (let repeat = 0; repeat < 2; repeat++)
      expect(
        await end(
          server(),
          all.map(({ secret }) => secret),
        ),
      ).toEqual([true, true, true]);
    const by = await Promise.all(
      all.map(async ({ key }) =>
        server()
          .db.select()
          .from(apiKeys)
          .where(eq(apiKeys.id, key.id.slice(4))),
      ),
    );
    expect(by.flat().map(({ revokedBy }) => revokedBy)).toEqual(["owner", "key", "account"]);
    for (const { caller } of all) {
      const told = await historyOf(server(), caller);
      expect(told.filter(({ action }) => action === "key.revoked")).toHaveLength(1);
      expect(told.filter(({ action }) => action === "key.exposed")).toMatchObject([{ detail: { action: "report" } }]);
    }
  });

  it("ends a key that was left over when its account was closed", async () => {
    const { caller, secret } = await newKey();
    await server().db.update(owners).set({ closedAt: new Date() }).where(eq(owners.id, caller.ownerId));
    expect(await end(server(), [secret])).toEqual([true]);
    expect(await actionsOf(server(), caller)).toContain("key.revoked");
  });

  it("ends a key that came from another system, and knows none that did not", async () => {
    const secret = `wm_${createHash("sha1").update(randomUUID()).digest("hex")}`;
    const caller = newCaller();
    const imported = {
      ownerId: caller.ownerId,
      name: "Old",
      hash: createHash("sha256").update(secret).digest(),
      display: "wm_0123…4567",
      scopes: [],
      createdAt: null,
      expiresAt: null,
    };
    await importKeys({ ...server(), environment: "test", from: "import" }, [imported]);
    const never = `wm_${createHash("sha1").update(randomUUID()).digest("hex")}`;
    expect(await end(server(), [never, secret])).toEqual([false, true]);
    expect(await isEnded(secret)).toBe(true);
  });
});
