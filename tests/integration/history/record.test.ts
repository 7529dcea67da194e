import { randomUUID } from "node:crypto";

import { asc, eq, sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";

import {
  createApiKey,
  effectOfApiKey,
  importKeys,
  invalidateCache,
  listApiKeys,
  renameApiKey,
  revokeAllApiKeys,
  revokeApiKey,
  revokeSelf,
  verifyApiKey,
} from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { drainPurges } from "@/server/outbox/drain";
import { closeOwner, reopenOwner, setOwnerAccess } from "@/server/owners";
import { cachePurges, keyEvents } from "@/server/platform/schema";
import { createKeyOf, newCaller, newKeyInput, startTestServer, useTestServer } from "@/tests/support/domain";
import { createGate } from "@/tests/support/gate";
import { recordedActions, recordedEvents } from "@/tests/support/recorded-events";

const operator = ["operator", null, null];
const clerk = ["clerk", null, null];
const system = ["system", null, null];
const isPurge = (body: string) => body.includes("'DEL'");
const isRecord = (statement: string) => statement.includes("latchkey.record_confirmed");
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let answer: unknown = null;
const settings = {
  keyLimit: 100,
  secretFormat: {
    prefix: "lk",
    environment: "test",
    accepted: [{ prefix: "wm_", characters: "hex", length: 40 }],
  } as const,
  adopt: () => Promise.resolve(answer as null),
};

describe("the history", () => {
  const server = useTestServer("embedded", settings);
  const recorded = (ownerId: string) => recordedEvents(server().db, ownerId);
  const actions = (ownerId: string) => recordedActions(server().db, ownerId);
  const newHash = () => hashSecret(randomUUID());
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));

  beforeEach(() => {
    server().redisProxy.decide = () => "pass";
    server().postgresProxy.decide = () => "pass";
  });

  describe("tells who did what", () => {
    it("a person creates, renames and revokes", async () => {
      const caller = newCaller();
      const { key } = await createKeyOf(server(), caller, { name: "First" });
      await renameApiKey(server(), caller, { id: key.id, name: "Second" });
      const { effect } = await revokeApiKey(server(), caller, key);
      const ofKey = { key: key.id, actor: ["user", caller.userId, null] };
      expect(await recorded(caller.ownerId)).toEqual([
        { ...ofKey, action: "key.created", name: "First", detail: {} },
        { ...ofKey, action: "key.renamed", name: "Second", detail: { from: "First", to: "Second" } },
        { ...ofKey, action: "key.revoked", name: "Second", detail: { by: "owner" } },
        {
          ...{ key: key.id, name: "Second", actor: system, action: "key.revocation_effective" },
          detail: { at: effect.status === "effective" && effect.at.toISOString() },
        },
      ]);
    });

    it("a person revokes all keys: one row for each", async () => {
      const caller = newCaller();
      const keys = [await createKeyOf(server(), caller), await createKeyOf(server(), caller)];
      await revokeAllApiKeys(server(), caller);
      const revoked = (await recorded(caller.ownerId)).filter(({ action }) => action === "key.revoked");
      expect(revoked.map(({ key }) => key)).toEqual(keys.map(({ key }) => key.id).toSorted());
      for (const row of revoked)
        expect(row).toMatchObject({ actor: ["user", caller.userId, null], detail: { by: "owner" } });
    });

    it("somebody who acts as the person, by what the session says", async () => {
      const caller = newCaller();
      const { key } = await createKeyOf(server(), caller);
      await createKeyOf(server(), caller);
      await revokeApiKey(server(), { ...caller, impersonatedBy: "user_support" }, key);
      await revokeAllApiKeys(server(), { ...caller, impersonatedBy: "" });
      const revoked = (await recorded(caller.ownerId)).filter(({ action }) => action === "key.revoked");
      expect(revoked.map(({ actor }) => actor)).toEqual([
        ["user", caller.userId, "user_support"],
        // An actor without an id.
        ["user", caller.userId, "unknown"],
      ]);
    });

    it("a member of an organisation, and not the organisation", async () => {
      const caller = newCaller({ ownerKind: "organization" });
      await createKeyOf(server(), caller);
      expect(await recorded(caller.ownerId)).toMatchObject([{ actor: ["user", caller.userId, null] }]);
      expect(caller.ownerId).not.toBe(caller.userId);
    });

    it("a key that revokes itself", async () => {
      const caller = newCaller();
      const { key, secret } = await createKeyOf(server(), caller);
      await revokeSelf(server(), secret);
      expect((await recorded(caller.ownerId))[1]).toMatchObject({
        ...{ action: "key.revoked", key: key.id, actor: ["key", key.id, null], detail: { by: "key" } },
      });
    });

    it("the sign-in closes an account, reopens it, and changes its access", async () => {
      const caller = newCaller();
      const { ownerId } = caller;
      const { key } = await createKeyOf(server(), caller, { name: "Mine" });
      const ofOwner = { key: null, name: null, actor: clerk };
      await setOwnerAccess(server(), { ownerId, allowed: true, until: null, at: at(1) });
      await setOwnerAccess(server(), { ownerId, allowed: false, until: null, at: at(2) });
      await closeOwner(server(), { ownerId, reason: "banned", at: at(3) });
      await reopenOwner(server(), { ownerId, at: at(4) });
      await closeOwner(server(), { ownerId, reason: "deleted", at: at(5) });
      expect((await recorded(ownerId)).slice(1)).toEqual([
        { ...ofOwner, action: "owner.access_changed", detail: { allowed: true } },
        { ...ofOwner, action: "owner.access_changed", detail: { allowed: false } },
        { ...ofOwner, action: "owner.closed", detail: { reason: "banned" } },
        { action: "key.revoked", key: key.id, name: "Mine", actor: clerk, detail: { by: "account" } },
        {
          ...{ action: "key.revocation_effective", key: key.id, name: "Mine", actor: system },
          detail: { at: expect.stringMatching(isoTime) as string },
        },
        { ...ofOwner, action: "owner.reopened", detail: {} },
        { ...ofOwner, action: "owner.closed", detail: { reason: "deleted" } },
      ]);
    });

    it("an operator imports keys; another system's key is taken over on its first use", async () => {
      const ownerId = `user_${randomUUID()}`;
      const stored = { ownerId, display: "wm_…", scopes: [], createdAt: at(0), expiresAt: null };
      const keys = ["One", "Two"].map((name) => ({ ...stored, name, hash: newHash() }));
      const ctx = { ...server(), environment: "test", from: "import" } as const;
      await importKeys(ctx, keys);
      await importKeys(ctx, keys);
      answer = { ownerId, name: "Three" };
      const secret = `wm_${randomUUID().replaceAll("-", "")}01234567`;
      expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
      const rows = (await recorded(ownerId)).map(({ key: _key, ...row }) => row);
      const created = { action: "key.created", actor: operator };
      expect(rows).toEqual([
        { ...created, name: "One", detail: { from: "import" } },
        { ...created, name: "Two", detail: { from: "import" } },
        { ...created, name: "Three", detail: { from: "adopt" } },
      ]);
    });
  });

  describe("has one row for one act", () => {
    it("a create that is repeated leaves none, though its secret is replaced", async () => {
      const caller = newCaller();
      const input = newKeyInput();
      await createApiKey(server(), caller, input);
      const { key, replaced } = await createApiKey(server(), caller, input);
      expect(replaced?.status).toBe("effective");
      expect(await actions(caller.ownerId)).toEqual(["key.created"]);
      await revokeApiKey(server(), caller, key);
      expect(await actions(caller.ownerId)).toEqual(["key.created", "key.revoked", "key.revocation_effective"]);
    });

    it("what was refused leaves none", async () => {
      const [caller, other] = [newCaller(), newCaller()];
      const { key } = await createKeyOf(server(), caller);
      await expect(revokeApiKey(server(), other, key)).rejects.toThrow();
      await expect(renameApiKey(server(), other, { id: key.id, name: "Theirs" })).rejects.toThrow();
      await expect(createKeyOf(server(), { ...caller, impersonatedBy: "user_support" })).rejects.toThrow();
      expect(await actions(caller.ownerId)).toEqual(["key.created"]);
      expect(await actions(other.ownerId)).toEqual([]);
    });

    it("a rename to the same name leaves none", async () => {
      const caller = newCaller();
      const { key } = await createKeyOf(server(), caller, { name: "Same" });
      await renameApiKey(server(), caller, { id: key.id, name: "Same" });
      expect(await actions(caller.ownerId)).toEqual(["key.created"]);
    });

    it("a revocation that is repeated, by whomever, leaves none; nor does a purge of its cache", async () => {
      const caller = newCaller();
      const { key, secret } = await createKeyOf(server(), caller);
      await invalidateCache(server(), caller, { keyHash: hashSecret(secret).toString("hex") });
      await Promise.all(Array.from({ length: 5 }, () => revokeApiKey(server(), caller, key)));
      await revokeAllApiKeys(server(), caller);
      await revokeSelf(server(), secret);
      await invalidateCache(server(), caller, { keyHash: hashSecret(secret).toString("hex") });
      await closeOwner(server(), { ownerId: caller.ownerId, reason: "banned", at: at(1) });
      expect(await actions(caller.ownerId)).toEqual([
        ...["key.created", "key.revoked", "key.revocation_effective", "owner.closed"],
      ]);
    });

    it("a second identical report of the sign-in leaves none, nor one that is out of date", async () => {
      const { ownerId } = newCaller();
      for (let repeated = 0; repeated < 2; repeated++) {
        await setOwnerAccess(server(), { ownerId, allowed: false, until: null, at: at(2) });
        await setOwnerAccess(server(), { ownerId, allowed: true, until: null, at: at(1) });
        await closeOwner(server(), { ownerId, reason: "banned", at: at(3) });
        await reopenOwner(server(), { ownerId, at: at(2) });
      }
      await closeOwner(server(), { ownerId, reason: "deleted", at: at(4) });
      for (let repeated = 0; repeated < 2; repeated++) await reopenOwner(server(), { ownerId, at: at(5) });
      expect(await actions(ownerId)).toEqual(["owner.access_changed", "owner.closed"]);
    });

    it("a commit whose outcome was unknown, and that is repeated, leaves one", async () => {
      const caller = newCaller();
      let commits = 0;
      server().postgresProxy.decide = (statement) =>
        statement.startsWith("COMMIT") && commits++ % 2 === 0 ? "break after" : "pass";
      const { key } = await createKeyOf(server(), caller);
      await renameApiKey(server(), caller, { id: key.id, name: "Other" });
      await revokeApiKey(server(), caller, key);
      await closeOwner(server(), { ownerId: caller.ownerId, reason: "banned", at: at(1) });
      expect(commits).toBe(8);
      const all = ["key.created", "key.renamed", "key.revoked", "key.revocation_effective", "owner.closed"];
      expect(await actions(caller.ownerId)).toEqual(all);
    });
  });

  it("has nothing of a change that was not committed", async () => {
    const caller = newCaller();
    const { key } = await createKeyOf(server(), caller);
    const { ownerId } = caller;
    // What is recorded comes before.
    server().postgresProxy.decide = (statement) =>
      /latchkey\.(queue_purges|revoke_keys)/.test(statement) ? "break after" : "pass";
    await expect(renameApiKey(server(), caller, { id: key.id, name: "Never" })).rejects.toThrow();
    await expect(revokeApiKey(server(), caller, key)).rejects.toThrow();
    await expect(closeOwner(server(), { ownerId, reason: "banned", at: at(1) })).rejects.toThrow();
    server().postgresProxy.decide = () => "pass";
    expect(await actions(ownerId)).toEqual(["key.created"]);
  });

  it("cannot be written without its change, nor the change without it", async () => {
    const caller = newCaller();
    const { key } = await createKeyOf(server(), caller);
    // As where the disk is full, or somebody has taken the right to insert away.
    await server().db.execute(
      sql`alter table ${keyEvents} add constraint no_more check (owner_id <> ${sql.raw(`'${caller.ownerId}'`)}) not valid`,
    );
    try {
      for (const call of [
        () => createKeyOf(server(), caller),
        () => renameApiKey(server(), caller, { id: key.id, name: "Never" }),
        () => revokeApiKey(server(), caller, key),
        () => closeOwner(server(), { ownerId: caller.ownerId, reason: "banned", at: at(1) }),
        () => setOwnerAccess(server(), { ownerId: caller.ownerId, allowed: false, until: null, at: at(1) }),
      ])
        await expect(call()).rejects.toThrow();
    } finally {
      await server().db.execute(sql`alter table ${keyEvents} drop constraint no_more`);
    }
    expect((await listApiKeys(server(), caller)).keys).toMatchObject([{ name: "Production", status: "active" }]);
    expect(await actions(caller.ownerId)).toEqual(["key.created"]);
  });

  describe("tells once that a revocation is effective", () => {
    it("when the purge is confirmed later, by whoever sees it first", async () => {
      const caller = newCaller();
      const { key } = await createKeyOf(server(), caller);
      server().redisProxy.decide = (body) => (isPurge(body) ? "refuse" : "pass");
      await revokeApiKey(server(), caller, key);
      expect(await actions(caller.ownerId)).toEqual(["key.created", "key.revoked"]);
      server().redisProxy.decide = () => "pass";
      await drainPurges(server(), { dueOrNot: true });
      const effect = await effectOfApiKey(server(), caller, key);
      await drainPurges(server(), { dueOrNot: true });
      const rows = await recorded(caller.ownerId);
      expect(rows.slice(2)).toMatchObject([
        {
          action: "key.revocation_effective",
          detail: { at: effect?.status === "effective" && effect.at.toISOString() },
        },
      ]);
    });

    it("also where only a reader finds the outbox empty", async () => {
      const caller = newCaller();
      const { key } = await createKeyOf(server(), caller);
      server().redisProxy.decide = (body) => (isPurge(body) ? "refuse" : "pass");
      await revokeApiKey(server(), caller, key);
      await server()
        .db.delete(cachePurges)
        .where(eq(cachePurges.keyId, key.id.slice(4)));
      const [effect] = await Promise.all(Array.from({ length: 5 }, () => effectOfApiKey(server(), caller, key)));
      expect(effect?.status).toBe("effective");
      expect(await actions(caller.ownerId)).toEqual(["key.created", "key.revoked", "key.revocation_effective"]);
    });

    it("though two processes record the same confirmed purge at the same time", async () => {
      const caller = newCaller();
      const { key } = await createKeyOf(server(), caller);
      const other = await startTestServer("embedded", server().postgresProxy.target, settings);
      try {
        // Both have the confirmation of Redis, and stand before the statement that records it.
        const [here, there] = [createGate(), createGate()];
        let waiting = 0;
        const hold = (gate: { opened: Promise<"pass"> }) => (statement: string) => {
          if (!isRecord(statement)) return "pass" as const;
          waiting++;
          return gate.opened;
        };
        server().postgresProxy.decide = hold(here);
        other.postgresProxy.decide = hold(there);
        const calls = [revokeApiKey(server(), caller, key), revokeApiKey(other, caller, key)];
        await expect.poll(() => waiting).toBe(2);
        here.open();
        there.open();
        const [first, second] = await Promise.all(calls);
        expect(first?.effect).toEqual(second?.effect);
        expect(await actions(caller.ownerId)).toEqual(["key.created", "key.revoked", "key.revocation_effective"]);
      } finally {
        await other.close();
      }
    });
  });

  it("has ids in the order of time, also within one statement and one millisecond", async () => {
    const ownerId = `user_${randomUUID()}`;
    const stored = { ownerId, display: "wm_…", scopes: [], createdAt: at(0), expiresAt: null };
    const names = Array.from({ length: 2_000 }, (_, position) => `Key ${position}`);
    const ctx = { ...server(), environment: "test", from: "import" } as const;
    await importKeys(
      ctx,
      names.map((name) => ({ ...stored, name, hash: newHash() })),
    );
    const fields = { id: keyEvents.id, at: keyEvents.at, name: keyEvents.keyName };
    const rows = await server()
      .db.select({ ...fields, micro: sql<string>`extract(epoch from at) * 1000000` })
      .from(keyEvents)
      .where(eq(keyEvents.ownerId, ownerId))
      .orderBy(asc(keyEvents.id));
    expect(rows.map(({ name }) => name)).toEqual(names);
    const times = rows.map(({ micro }) => Number(micro));
    expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
    for (const { id, at: moment } of rows) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(parseInt(id.replace("-", "").slice(0, 12), 16)).toBe(moment.getTime());
    }
  });

  it("never holds a secret or a hash", async () => {
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server(), caller);
    await renameApiKey(server(), caller, { id: key.id, name: "Other" });
    await revokeSelf(server(), secret);
    const { rows } = await server().db.execute<{ text: string }>(
      sql`select event::text as text from ${keyEvents} event where owner_id = ${caller.ownerId}`,
    );
    expect(rows).toHaveLength(4);
    const hash = hashSecret(secret);
    for (const { text } of rows)
      for (const hidden of [secret, secret.slice(12, 36), hash.toString("hex"), hash.toString("base64")])
        expect(text).not.toContain(hidden);
  });

  describe("is append-only, by the database", () => {
    const youngest = (kept: string | null) => async (statement: string) => {
      const caller = newCaller();
      await createKeyOf(server(), caller);
      const before = await recorded(caller.ownerId);
      const change = server().db.transaction(async (transaction) => {
        if (kept !== null) await transaction.execute(sql`select set_config('latchkey.history_days', ${kept}, true)`);
        await transaction.execute(sql.raw(statement.replace("$owner", `'${caller.ownerId}'`)));
      });
      await expect(change).rejects.toMatchObject({ cause: { code: "23001" } });
      expect(await recorded(caller.ownerId)).toEqual(before);
    };

    it.each([
      ["a change", "update latchkey.key_events set actor_id = 'user_other' where owner_id = $owner"],
      ["a change back to the same", "update latchkey.key_events set id = id where owner_id = $owner"],
      ["a delete", "delete from latchkey.key_events where owner_id = $owner"],
      ["a truncate", "truncate latchkey.key_events"],
    ])("%s is refused", (_title, statement) => youngest(null)(statement));

    it.each(["365", "1", "0", "-5", ""])("a delete of a young row is refused, though %j days were named", (days) =>
      youngest(days)("delete from latchkey.key_events where owner_id = $owner"),
    );
  });
});
