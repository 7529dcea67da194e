import { randomUUID } from "node:crypto";

import { beforeEach, describe, expect, it } from "vitest";

import {
  cancelRotation,
  type Caller,
  endGrace,
  revokeApiKey,
  revokeSelf,
  rotateApiKey,
  verifyApiKey,
} from "@/server/keys";
import { joinOrganization, leaveOrganization } from "@/server/owners";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { recordedActions, recordedEvents } from "@/tests/support/recorded-events";

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

describe("the history of a rotation", () => {
  const server = useTestServer("embedded");
  let caller: Caller;
  let key: { id: string };
  let first: string;
  const history = async () => (await recordedEvents(server().db, caller.ownerId)).slice(1);
  const actions = async () => (await recordedActions(server().db, caller.ownerId)).slice(1);
  const user = () => ["user", caller.userId, null];
  const rotate = (graceSeconds: number, requestId = randomUUID()) =>
    rotateApiKey(server(), caller, { id: key.id, requestId, graceSeconds });
  const use = async (secret: string) => expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });

  beforeEach(async () => {
    caller = newCaller();
    ({ key, secret: first } = await createKeyOf(server(), caller, { name: "Production" }));
  });

  it("tells who started it, that the key's first use made it, and who ended the old secret", async () => {
    const { secret } = await rotate(3_600);
    await use(first);
    await use(secret);
    await use(secret);
    await endGrace(server(), caller, key);
    await endGrace(server(), caller, key);
    const ofKey = { key: key.id, name: "Production" };
    expect(await history()).toEqual([
      { ...ofKey, action: "key.rotation_started", actor: user(), detail: { graceSeconds: 3_600 } },
      { ...ofKey, action: "key.rotated", actor: ["key", key.id, null], detail: { endsAt: isoTime } },
      { ...ofKey, action: "key.grace_ended", actor: user(), detail: {} },
    ]);
  });

  it("tells the end that the activation has set", async () => {
    const { secret } = await rotate(3_600);
    await use(secret);
    const [, rotated] = await history();
    const end = new Date(String(rotated?.detail.endsAt)).getTime();
    const firstUse = Date.now();
    expect(Math.abs(end - firstUse - 3_600_000)).toBeLessThan(60_000);
  });

  it("has one row for two first uses at once", async () => {
    const { secret } = await rotate(3_600);
    await Promise.all([use(secret), use(secret), use(secret)]);
    expect(await actions()).toEqual(["key.rotation_started", "key.rotated"]);
  });

  it("has another start for a waiting secret that is replaced, and none for a call that is repeated", async () => {
    const requestId = randomUUID();
    await rotate(3_600, requestId);
    await rotate(3_600, requestId);
    expect(await actions()).toEqual(["key.rotation_started"]);
    await rotate(300);
    expect(await actions()).toEqual(["key.rotation_started", "key.rotation_started"]);
  });

  it("tells that it was cancelled, once", async () => {
    await rotate(3_600);
    await cancelRotation(server(), caller, key);
    await cancelRotation(server(), caller, key);
    expect(await history()).toMatchObject([
      { action: "key.rotation_started" },
      { action: "key.rotation_cancelled", actor: user(), detail: {} },
    ]);
  });

  it("without a grace has what it ended, and the end of the old secret", async () => {
    await rotate(0);
    expect(await history()).toMatchObject([{ action: "key.rotated", actor: user(), detail: { endsAt: isoTime } }]);
    await rotate(3_600);
    await rotate(0);
    const { secret } = await rotate(3_600);
    await use(secret);
    await rotate(0);
    expect(await actions()).toEqual([
      ...["key.rotated", "key.rotation_started", "key.rotation_cancelled", "key.rotated"],
      ...["key.rotation_started", "key.rotated", "key.grace_ended", "key.rotated"],
    ]);
  });

  it("has no row for a grace that ends by time, nor for a secret that ended before a rotation takes its place", async () => {
    const { secret } = await rotate(300);
    await use(secret);
    server().advance(301_000);
    await rotate(0);
    server().advance(-301_000);
    expect(await actions()).toEqual(["key.rotation_started", "key.rotated", "key.rotated"]);
  });

  it("names the key for a secret that ends itself", async () => {
    const { secret } = await rotate(3_600);
    await revokeSelf(server(), secret);
    const again = await rotate(3_600);
    await use(again.secret);
    await revokeSelf(server(), first);
    await revokeSelf(server(), first);
    const self = ["key", key.id, null];
    expect((await history()).map(({ action, actor }) => [action, actor])).toEqual([
      ["key.rotation_started", user()],
      ["key.rotation_cancelled", self],
      ["key.rotation_started", user()],
      ["key.rotated", self],
      ["key.grace_ended", self],
    ]);
  });

  it("has one row for a revocation that ends both secrets, and one when it is effective", async () => {
    const { secret } = await rotate(3_600);
    await use(secret);
    await revokeApiKey(server(), caller, key);
    expect((await actions()).slice(2)).toEqual(["key.revoked", "key.revocation_effective"]);
  });

  it("has nothing of a rotation that was refused", async () => {
    const { secret } = await rotate(3_600);
    await use(secret);
    await expect(rotate(300)).rejects.toThrow();
    await expect(
      rotateApiKey(server(), { ...caller, canManage: false }, { id: key.id, requestId: randomUUID(), graceSeconds: 0 }),
    ).rejects.toThrow();
    expect(await actions()).toEqual(["key.rotation_started", "key.rotated"]);
  });
});

describe("the history of an organisation", () => {
  const keep = useTestServer("embedded");
  const revoke = useTestServer("embedded", { onMemberLeave: "revoke" });
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));

  it("tells once who has left, and again after the person has joined again", async () => {
    const ownerId = `org_${randomUUID()}`;
    const userId = `user_${randomUUID()}`;
    await leaveOrganization(keep(), { ownerId, userId, at: at(1) });
    await leaveOrganization(keep(), { ownerId, userId, at: at(1) });
    await leaveOrganization(keep(), { ownerId, userId, at: at(0) });
    await joinOrganization(keep(), { ownerId, userId, at: at(2) });
    await leaveOrganization(keep(), { ownerId, userId, at: at(3) });
    const left = { action: "member.left", key: null, name: null, actor: ["clerk", null, null], detail: { userId } };
    expect(await recordedEvents(keep().db, ownerId)).toEqual([left, left]);
  });

  it("tells which keys ended with the leaving", async () => {
    const caller = newCaller({ ownerKind: "organization" });
    const { key } = await createKeyOf(revoke(), caller, { name: "Theirs" });
    await leaveOrganization(revoke(), { ownerId: caller.ownerId, userId: caller.userId, at: new Date() });
    expect((await recordedEvents(revoke().db, caller.ownerId)).slice(1)).toMatchObject([
      { action: "member.left", detail: { userId: caller.userId } },
      { action: "key.revoked", key: key.id, name: "Theirs", actor: ["clerk", null, null], detail: { by: "account" } },
      { action: "key.revocation_effective", key: key.id, actor: ["system", null, null] },
    ]);
  });
});
