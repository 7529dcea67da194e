import { randomUUID } from "node:crypto";

import { describe, expect, it } from "vitest";

import { applyClerkEvent } from "@/server/clerk/apply-event";
import { type Caller, listApiKeys, rotateApiKey, verifyApiKey } from "@/server/keys";
import { effectOfApiKey, renameApiKey } from "@/server/keys";
import { drainPurges } from "@/server/outbox/drain";
import { rotateInput } from "@/server/shared/inputs";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import type { TestServer } from "@/tests/support/server-instance";

const noAccess = () => Promise.resolve({ allowed: false, until: null });
const revoked = { valid: false, reason: "revoked" };

const apply = (server: TestServer, type: string, data: object, at = Date.now()) =>
  applyClerkEvent(server, { type, timestamp: at, data } as { type: string }, noAccess);

const memberEvent = (server: TestServer, verb: "created" | "deleted", { ownerId, userId }: Caller, at?: number) =>
  apply(
    server,
    `organizationMembership.${verb}`,
    { organization: { id: ownerId }, public_user_data: { user_id: userId } },
    at,
  );

/** A key that is in use, with its value in the slot. */
async function keyOf(server: TestServer, caller: Caller) {
  const created = await createKeyOf(server, caller);
  await verifyApiKey(server, created.secret);
  await server.runDeferred();
  return created;
}

/** An organisation with a key of each of two admins, and one of its own of the first. */
async function organization(server: TestServer) {
  const leaver = newCaller({ ownerKind: "organization" });
  const stayer = { ...leaver, userId: `user_${randomUUID()}` };
  const personal = newCaller({ ownerId: leaver.userId });
  const elsewhere = newCaller({ ownerKind: "organization", userId: leaver.userId });
  return {
    leaver,
    stayer,
    personal,
    elsewhere,
    ofLeaver: await keyOf(server, leaver),
    ofStayer: await keyOf(server, stayer),
    own: await keyOf(server, personal),
    ofElsewhere: await keyOf(server, elsewhere),
  };
}

const rotate = (server: TestServer, caller: Caller, { key }: { key: { id: string } }, graceSeconds = 300) =>
  rotateApiKey(server, caller, rotateInput.parse({ id: key.id, requestId: randomUUID(), graceSeconds }));

/** A key with two secrets: the second one waits, or has been used, so that the first one is in its grace. Those in use are in their slots. */
async function rotatedKeyOf(server: TestServer, caller: Caller, state: "waiting" | "grace") {
  const { key, secret } = await keyOf(server, caller);
  const { secret: fresh } = await rotate(server, caller, { key });
  const inUse = state === "waiting" ? [secret] : [fresh, secret];
  for (const each of inUse) {
    expect(await verifyApiKey(server, each)).toMatchObject({ valid: true });
    await server.runDeferred();
  }
  return { key, secrets: [secret, fresh] };
}
const twoSecrets = [["waiting"], ["grace"]] as const;

/** None of them is accepted: not out of the slot, and not out of the database either. */
async function expectDead(server: TestServer, secrets: readonly string[]) {
  for (let round = 0; round < 2; round++) {
    for (const secret of secrets) expect(await verifyApiKey(server, secret)).toEqual(revoked);
    await server.runDeferred();
  }
}

const summaryOf = async (server: TestServer, caller: Caller, { key }: { key: { id: string } }) =>
  (await listApiKeys(server, caller)).keys.find(({ id }) => id === key.id);
const isMarked = async (server: TestServer, caller: Caller, key: { key: { id: string } }) =>
  (await summaryOf(server, caller, key))?.creatorLeft;

describe("an organisation that keeps the keys of who leaves", () => {
  const server = useTestServer("embedded");

  it("marks them, and them alone; they go on working", async () => {
    const { leaver, stayer, personal, elsewhere, ...keys } = await organization(server());
    await memberEvent(server(), "deleted", leaver);
    expect(await isMarked(server(), stayer, keys.ofLeaver)).toBe(true);
    expect(await isMarked(server(), stayer, keys.ofStayer)).toBe(false);
    expect(await isMarked(server(), personal, keys.own)).toBe(false);
    expect(await isMarked(server(), elsewhere, keys.ofElsewhere)).toBe(false);
    for (const { secret } of Object.values(keys))
      expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    // Wherever a summary is told.
    const renamed = await renameApiKey(server(), stayer, { id: keys.ofLeaver.key.id, name: "Renamed" });
    expect(renamed.creatorLeft).toBe(true);
  });

  it("marks them no longer when the person joins again", async () => {
    const { leaver, stayer, ofLeaver } = await organization(server());
    const at = Date.now();
    await memberEvent(server(), "deleted", leaver, at);
    await memberEvent(server(), "created", leaver, at + 1);
    expect(await isMarked(server(), stayer, ofLeaver)).toBe(false);
    await memberEvent(server(), "deleted", leaver, at + 2);
    expect(await isMarked(server(), stayer, ofLeaver)).toBe(true);
  });

  it.each([
    ["leaving that comes after the news of joining again", ["created", 2], ["deleted", 1], false],
    ["joining that comes after the news of leaving", ["deleted", 2], ["created", 1], true],
    ["joining at the very moment of leaving", ["deleted", 2], ["created", 2], true],
    ["leaving at the very moment of joining", ["created", 2], ["deleted", 2], true],
  ] as const)("%s is judged by when it was, also when it comes twice", async (_title, first, second, expected) => {
    const { leaver, stayer, ofLeaver } = await organization(server());
    const at = Date.now();
    for (const [verb, after] of [first, second, second, first]) await memberEvent(server(), verb, leaver, at + after);
    expect(await isMarked(server(), stayer, ofLeaver)).toBe(expected);
  });

  it("refuses who has left and whose session still says admin, until the person joins again", async () => {
    const { leaver } = await organization(server());
    const at = Date.now();
    await memberEvent(server(), "deleted", leaver, at);
    await expect(createKeyOf(server(), leaver)).rejects.toMatchObject({ code: "ORG_PERMISSION_REQUIRED" });
    await memberEvent(server(), "created", leaver, at + 1);
    await expect(createKeyOf(server(), leaver)).resolves.toBeDefined();
  });

  it("refuses a rotation to who has left, or has lost the account, and whose session still says admin", async () => {
    const { leaver, elsewhere, ofLeaver, ofElsewhere, ofStayer } = await organization(server());
    const at = Date.now();
    const refusal = { code: "ORG_PERMISSION_REQUIRED" };
    await memberEvent(server(), "deleted", leaver, at);
    for (const key of [ofLeaver, ofStayer])
      for (const graceSeconds of [0, 300])
        await expect(rotate(server(), leaver, key, graceSeconds)).rejects.toMatchObject(refusal);
    expect(await verifyApiKey(server(), ofLeaver.secret)).toMatchObject({ valid: true });
    await memberEvent(server(), "created", leaver, at + 1);
    await expect(rotate(server(), leaver, ofLeaver)).resolves.toBeDefined();
    await apply(server(), "user.updated", { id: leaver.userId, banned: true }, at + 2);
    await expect(rotate(server(), elsewhere, ofElsewhere)).rejects.toMatchObject(refusal);
    expect(await verifyApiKey(server(), ofElsewhere.secret)).toMatchObject({ valid: true });
  });

  describe.each(twoSecrets)("with two secrets of a key (%s)", (state) => {
    it.each([
      ["deleted", "user.deleted", { deleted: true }],
      ["banned", "user.updated", { banned: true }],
    ])("a user who is %s loses both, and an organisation's key of theirs is marked", async (_title, type, fields) => {
      const personal = newCaller();
      const admin = newCaller({ ownerKind: "organization", userId: personal.userId });
      const own = await rotatedKeyOf(server(), personal, state);
      const shared = await rotatedKeyOf(server(), admin, state);
      await apply(server(), type, { id: personal.userId, ...fields });
      await expectDead(server(), own.secrets);
      expect(await effectOfApiKey(server(), personal, own.key)).toMatchObject({ status: "effective" });
      expect(await summaryOf(server(), personal, own)).toMatchObject({ revokedBy: "account", rotation: null });
      expect(await isMarked(server(), admin, shared)).toBe(true);
      for (const secret of shared.secrets) expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    });

    it("an organisation that is deleted loses both", async () => {
      const admin = newCaller({ ownerKind: "organization" });
      const { key, secrets } = await rotatedKeyOf(server(), admin, state);
      await apply(server(), "organization.deleted", { id: admin.ownerId, deleted: true });
      await expectDead(server(), secrets);
      expect(await effectOfApiKey(server(), admin, key)).toMatchObject({ status: "effective" });
    });
  });

  it.each([
    ["deleted", "user.deleted", { deleted: true }],
    ["banned", "user.updated", { banned: true }],
  ])("of a user who is %s the own keys end, and those of organisations are marked", async (_title, type, fields) => {
    const { leaver, stayer, personal, elsewhere, ...keys } = await organization(server());
    await apply(server(), type, { id: leaver.userId, ...fields });
    expect(await verifyApiKey(server(), keys.own.secret)).toEqual(revoked);
    expect(await summaryOf(server(), personal, keys.own)).toMatchObject({ revokedBy: "account", creatorLeft: false });
    for (const [caller, key] of [
      [stayer, keys.ofLeaver],
      [elsewhere, keys.ofElsewhere],
    ] as const) {
      expect(await verifyApiKey(server(), key.secret)).toMatchObject({ valid: true });
      expect(await isMarked(server(), caller, key)).toBe(true);
    }
    expect(await isMarked(server(), stayer, keys.ofStayer)).toBe(false);
    await expect(createKeyOf(server(), leaver)).rejects.toMatchObject({ code: "ORG_PERMISSION_REQUIRED" });
  });

  it("an unban takes back the mark that the ban has set, and no other", async () => {
    const { leaver, stayer, elsewhere, ofLeaver, ofElsewhere } = await organization(server());
    const at = Date.now();
    await memberEvent(server(), "deleted", elsewhere, at);
    await apply(server(), "user.updated", { id: leaver.userId, banned: true }, at + 1);
    await apply(server(), "user.updated", { id: leaver.userId, banned: false }, at + 2);
    expect(await isMarked(server(), stayer, ofLeaver)).toBe(false);
    expect(await isMarked(server(), elsewhere, ofElsewhere)).toBe(true);
  });

  it("that is deleted loses its keys, whoever has created them, and no key of its members; it is never reopened", async () => {
    const { leaver, stayer, ...keys } = await organization(server());
    const at = Date.now();
    await apply(server(), "organization.deleted", { id: leaver.ownerId, deleted: true }, at);
    for (const key of [keys.ofLeaver, keys.ofStayer]) {
      expect(await verifyApiKey(server(), key.secret)).toEqual(revoked);
      expect(await summaryOf(server(), stayer, key)).toMatchObject({ revokedBy: "account" });
    }
    for (const key of [keys.own, keys.ofElsewhere])
      expect(await verifyApiKey(server(), key.secret)).toMatchObject({ valid: true });
    await apply(server(), "organization.deleted", { id: leaver.ownerId, deleted: true }, at + 1);
    await expect(createKeyOf(server(), stayer)).rejects.toMatchObject({ code: "API_ACCESS_REQUIRED" });
  });
});

describe("an organisation that revokes the keys of who leaves", () => {
  const server = useTestServer("embedded", { onMemberLeave: "revoke" });

  it("revokes them, and them alone, with a purge that is confirmed", async () => {
    const {
      leaver,
      stayer,
      personal: _personal,
      elsewhere: _elsewhere,
      ofLeaver,
      ...others
    } = await organization(server());
    await memberEvent(server(), "deleted", leaver);
    expect(await verifyApiKey(server(), ofLeaver.secret)).toEqual(revoked);
    expect(await summaryOf(server(), stayer, ofLeaver)).toMatchObject({ revokedBy: "account", creatorLeft: true });
    expect(await effectOfApiKey(server(), stayer, ofLeaver.key)).toMatchObject({ status: "effective" });
    for (const { secret } of Object.values(others))
      expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
  });

  describe.each(twoSecrets)("with two secrets of a key (%s)", (state) => {
    it("ends both when its creator leaves, whoever has rotated it", async () => {
      const leaver = newCaller({ ownerKind: "organization" });
      const stayer = { ...leaver, userId: `user_${randomUUID()}` };
      const { key, secrets } = await rotatedKeyOf(server(), leaver, state);
      const ofStayer = await rotatedKeyOf(server(), stayer, state);
      await memberEvent(server(), "deleted", leaver);
      await expectDead(server(), secrets);
      expect(await effectOfApiKey(server(), stayer, key)).toMatchObject({ status: "effective" });
      expect(await summaryOf(server(), stayer, { key })).toMatchObject({ revokedBy: "account", rotation: null });
      for (const secret of ofStayer.secrets)
        expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    });

    it("ends both through the outbox: with Redis down the effect is pending, until the drain has purged each", async () => {
      const leaver = newCaller({ ownerKind: "organization" });
      const { key, secrets } = await rotatedKeyOf(server(), leaver, state);
      server().redisProxy.decide = () => "refuse";
      await memberEvent(server(), "deleted", leaver);
      expect(await effectOfApiKey(server(), leaver, key)).toMatchObject({ status: "pending" });
      server().redisProxy.decide = () => "pass";
      await drainPurges(server(), { dueOrNot: true });
      expect(await effectOfApiKey(server(), leaver, key)).toMatchObject({ status: "effective" });
      await expectDead(server(), secrets);
    });

    it("ends both when the person loses the account", async () => {
      const admin = newCaller({ ownerKind: "organization" });
      const { key, secrets } = await rotatedKeyOf(server(), admin, state);
      await apply(server(), "user.deleted", { id: admin.userId, deleted: true });
      await expectDead(server(), secrets);
      expect(await effectOfApiKey(server(), admin, key)).toMatchObject({ status: "effective" });
    });
  });

  it("leaves no secret of a leaving, rotations and first uses at the same moment", async () => {
    const leaver = newCaller({ ownerKind: "organization" });
    const keys = await Promise.all(
      (["waiting", "waiting", "grace"] as const).map((state) => rotatedKeyOf(server(), leaver, state)),
    );
    const [rotations] = await Promise.all([
      Promise.allSettled(keys.map((key) => rotate(server(), leaver, key, 0))),
      memberEvent(server(), "deleted", leaver),
      ...keys.flatMap(({ secrets }) => secrets.map((secret) => verifyApiKey(server(), secret))),
    ]);
    await server().runDeferred();
    const fresh = rotations.flatMap((call) => (call.status === "fulfilled" ? [call.value.secret] : []));
    await expectDead(server(), [...keys.flatMap(({ secrets }) => secrets), ...fresh]);
  });

  it("promises the end while Redis is down, and the repeated event confirms it", async () => {
    const { leaver, stayer, ofLeaver } = await organization(server());
    const at = Date.now();
    server().redisProxy.decide = () => "refuse";
    await memberEvent(server(), "deleted", leaver, at);
    expect(await effectOfApiKey(server(), stayer, ofLeaver.key)).toMatchObject({ status: "pending" });
    server().redisProxy.decide = () => "pass";
    await memberEvent(server(), "deleted", leaver, at);
    expect(await effectOfApiKey(server(), stayer, ofLeaver.key)).toMatchObject({ status: "effective" });
  });

  it("leaves no key of a leaving and creates at the same moment", async () => {
    const { leaver, ofLeaver } = await organization(server());
    const [creates] = await Promise.all([
      Promise.allSettled(Array.from({ length: 3 }, () => createKeyOf(server(), leaver))),
      memberEvent(server(), "deleted", leaver),
    ]);
    const created = creates.flatMap((call) => (call.status === "fulfilled" ? [call.value] : []));
    for (const { secret } of [ofLeaver, ...created]) expect(await verifyApiKey(server(), secret)).toEqual(revoked);
  });

  it("leaves no key of a ban and creates for an organisation at the same moment", async () => {
    const { leaver, ofLeaver } = await organization(server());
    const [creates] = await Promise.all([
      Promise.allSettled(Array.from({ length: 3 }, () => createKeyOf(server(), leaver))),
      apply(server(), "user.updated", { id: leaver.userId, banned: true }),
    ]);
    const created = creates.flatMap((call) => (call.status === "fulfilled" ? [call.value] : []));
    for (const { secret } of [ofLeaver, ...created]) expect(await verifyApiKey(server(), secret)).toEqual(revoked);
  });

  it("late news of leaving ends what was created before it, and spares what was created after joining again", async () => {
    const { leaver, stayer, ofLeaver } = await organization(server());
    // A moment between the two keys, by the clock that writes when they were created.
    server().advance(10_000);
    const at = Date.now() + 5_000;
    await memberEvent(server(), "created", leaver, at + 1);
    const after = await keyOf(server(), leaver);
    await memberEvent(server(), "deleted", leaver, at);
    server().advance(-10_000);
    expect(await verifyApiKey(server(), ofLeaver.secret)).toEqual(revoked);
    expect(await verifyApiKey(server(), after.secret)).toMatchObject({ valid: true });
    expect(await isMarked(server(), stayer, after)).toBe(false);
  });

  it.each([
    ["deleted", "user.deleted", { deleted: true }],
    ["banned", "user.updated", { banned: true }],
  ])("a user who is %s loses the own keys and those of every organisation", async (_title, type, fields) => {
    const { leaver, stayer, ofStayer, ...keys } = await organization(server());
    await apply(server(), type, { id: leaver.userId, ...fields });
    for (const { secret } of [keys.own, keys.ofLeaver, keys.ofElsewhere])
      expect(await verifyApiKey(server(), secret)).toEqual(revoked);
    expect(await summaryOf(server(), stayer, keys.ofLeaver)).toMatchObject({ revokedBy: "account" });
    expect(await verifyApiKey(server(), ofStayer.secret)).toMatchObject({ valid: true });
  });

  it("who joins again gets no key back", async () => {
    const { leaver, stayer, ofLeaver } = await organization(server());
    const at = Date.now();
    await memberEvent(server(), "deleted", leaver, at);
    await memberEvent(server(), "created", leaver, at + 1);
    expect(await verifyApiKey(server(), ofLeaver.secret)).toEqual(revoked);
    expect(await summaryOf(server(), stayer, ofLeaver)).toMatchObject({ status: "revoked", creatorLeft: false });
  });
});

describe("an organisation where a feature is required", () => {
  const server = useTestServer("embedded", { accessFeature: "api_access" });

  it("has the access of its own subscription, whoever of its members has another", async () => {
    const admin = newCaller({ ownerKind: "organization", hasAccessClaim: true });
    const personal = newCaller({ ownerId: admin.userId, hasAccessClaim: true });
    const [{ secret }, own] = [await keyOf(server(), admin), await keyOf(server(), personal)];
    const asked: unknown[] = [];
    const event = {
      type: "subscription.updated",
      timestamp: Date.now(),
      data: { payer: { organization_id: admin.ownerId } },
    };
    await applyClerkEvent(server(), event, (owner) => {
      asked.push(owner);
      return noAccess();
    });
    expect(asked).toEqual([{ kind: "organization", id: admin.ownerId }]);
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "access_required" });
    expect(await verifyApiKey(server(), own.secret)).toMatchObject({ valid: true });
    await expect(createKeyOf(server(), admin)).rejects.toMatchObject({ code: "API_ACCESS_REQUIRED" });
  });
});
