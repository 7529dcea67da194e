import { randomUUID } from "node:crypto";

import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { endExposedKeys } from "@/server/leaks";
import { noteExpiringKeys } from "@/server/history/note-expiring";
import { pruneEvents } from "@/server/history/prune";
import {
  cancelRotation,
  effectOfApiKey,
  endGrace,
  importKeys,
  renameApiKey,
  revokeAllApiKeys,
  revokeApiKey,
  revokeSelf,
  rotateApiKey,
  verifyApiKey,
} from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { drainPurges } from "@/server/outbox/drain";
import { closeOwner, joinOrganization, leaveOrganization, reopenOwner, setOwnerAccess } from "@/server/owners";
import { cachePurges, eventDeliveries, keyEvents } from "@/server/platform/schema";
import { keyEventActions } from "@/server/shared/key-event";
import { createKeyOf, newCaller, startTestServer } from "@/tests/support/domain";
import { commitSteps, crash } from "@/tests/support/doomed-process";
import { newSecret } from "@/tests/support/event-receiver";
import { runLatchkey, worldmonitorKey } from "@/tests/support/latchkey-command";
import { settingsOf } from "@/tests/support/operator";
import { recordedActions, storeOldEvents } from "@/tests/support/recorded-events";
import { waitingActions } from "@/tests/support/sent-events";
import type { TestServer } from "@/tests/support/server-instance";
import { testDatabaseUrl } from "@/tests/support/services";

/** Nothing is sent in these tests. */
const events = { url: "http://127.0.0.1:9/", secret: newSecret() };
const isPurge = (body: string) => body.includes("'DEL'");

describe("a recorded event", () => {
  let sending: TestServer;
  let silent: TestServer;
  beforeAll(async () => {
    sending = await startTestServer("embedded", await testDatabaseUrl(), { keyLimit: 100, events });
    silent = await startTestServer("embedded", sending.postgresProxy.target, { keyLimit: 100 });
  });
  afterAll(() => Promise.all([sending.close(), silent.close()]));

  /** Each act that is recorded, in each way. @returns the owners. */
  async function actInEveryWay(server: TestServer): Promise<string[]> {
    const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server, caller);
    await renameApiKey(server, caller, { id: key.id, name: "Other" });
    const rotate = (graceSeconds: number) =>
      rotateApiKey(server, caller, { id: key.id, requestId: randomUUID(), graceSeconds });
    await rotate(3_600);
    await cancelRotation(server, caller, key);
    const { secret: second } = await rotate(3_600);
    await verifyApiKey(server, second);
    await endGrace(server, caller, key);
    await rotate(0);
    await revokeApiKey(server, caller, key);

    const { secret: own } = await createKeyOf(server, caller);
    await revokeSelf(server, own);
    const { secret: found } = await createKeyOf(server, caller);
    await endExposedKeys(server, [{ token: found, location: null, url: null }], { source: "web" });
    await server.runDeferred();
    await createKeyOf(server, caller);
    await revokeAllApiKeys(server, caller);

    // Effective later: recorded by the drain, and by a reader.
    server.redisProxy.decide = (body) => (isPurge(body) ? "refuse" : "pass");
    const { key: drained } = await createKeyOf(server, caller);
    await revokeApiKey(server, caller, drained);
    server.redisProxy.decide = () => "pass";
    await drainPurges(server, { dueOrNot: true });
    server.redisProxy.decide = (body) => (isPurge(body) ? "refuse" : "pass");
    const { key: read } = await createKeyOf(server, caller);
    await revokeApiKey(server, caller, read);
    server.redisProxy.decide = () => "pass";
    await server.db.delete(cachePurges).where(eq(cachePurges.keyId, read.id.slice(4)));
    await effectOfApiKey(server, caller, read);

    const { ownerId } = caller;
    await createKeyOf(server, caller, { expiresInDays: 3 });
    await noteExpiringKeys(server.db);
    await setOwnerAccess(server, { ownerId, allowed: false, until: null, at: at(1) });
    await closeOwner(server, { ownerId, reason: "banned", at: at(2) });
    await reopenOwner(server, { ownerId, at: at(3) });

    const member = newCaller({ ownerKind: "organization" });
    await joinOrganization(server, { ownerId: member.ownerId, userId: member.userId, at: at(1) });
    await createKeyOf(server, member);
    await leaveOrganization(server, { ownerId: member.ownerId, userId: member.userId, at: at(2) });

    const imported = `user_${randomUUID()}`;
    const fields = { ownerId: imported, display: "wm_…", scopes: [], createdAt: at(0), expiresAt: null };
    const ctx = { ...server, environment: "test", from: "import" } as const;
    await importKeys(
      ctx,
      ["One", "Two"].map((name) => ({ ...fields, name, hash: hashSecret(randomUUID()) })),
    );
    expect(secret).not.toBe(second);
    return [ownerId, member.ownerId, imported];
  }

  it("waits to be sent, whatever was done and by whichever statement it was recorded", async () => {
    const seen = new Set<string>();
    for (const ownerId of await actInEveryWay(sending)) {
      const recorded = await recordedActions(sending.db, ownerId);
      expect(await waitingActions(sending.db, ownerId)).toEqual(recorded);
      for (const action of recorded) seen.add(action);
    }
    expect(keyEventActions.filter((action) => !seen.has(action))).toEqual([]);
  });

  it("waits, too, where the command `import` has recorded it", async () => {
    for (const address of [{}, { EVENTS_WEBHOOK_URL: "https://example.com/" }]) {
      const ownerId = `user_${randomUUID()}`;
      const settings = { DATABASE_URL: sending.postgresProxy.target, API_KEY_ACCEPT_FORMATS: "wm_:hex:40", ...address };
      const line = JSON.stringify(worldmonitorKey(ownerId).line);
      expect((await runLatchkey(["import", "-"], settings, `${line}\n`)).code).toBe(0);
      expect(await recordedActions(sending.db, ownerId)).toEqual(["key.created"]);
      expect(await waitingActions(sending.db, ownerId)).toEqual("EVENTS_WEBHOOK_URL" in address ? ["key.created"] : []);
    }
  });

  it("waits, too, where the command `revoke` has recorded it", async () => {
    for (const address of [{}, { EVENTS_WEBHOOK_URL: "https://example.com/" }]) {
      const caller = newCaller();
      const { key } = await createKeyOf(silent, caller);
      const settings = { ...settingsOf(silent), ...address };
      expect(await runLatchkey(["revoke", key.id], settings)).toMatchObject({ code: 0 });
      const recorded = (await recordedActions(silent.db, caller.ownerId)).slice(1);
      expect(recorded).toEqual(["key.revoked", "key.revocation_effective"]);
      expect(await waitingActions(silent.db, caller.ownerId)).toEqual("EVENTS_WEBHOOK_URL" in address ? recorded : []);
    }
  });

  it("does not where no address is set, and is not sent later either", async () => {
    for (const ownerId of await actInEveryWay(silent)) {
      expect((await recordedActions(silent.db, ownerId)).length).toBeGreaterThan(1);
      expect(await waitingActions(silent.db, ownerId)).toEqual([]);
    }
  });

  it("leaves the connection as it was: the next one's events are not sent because of it", async () => {
    const caller = newCaller();
    await createKeyOf(sending, caller);
    const told = await sending.db.execute<{ now: string | null }>(
      sql`select current_setting('latchkey.sends_events', true) as now`,
    );
    expect(["", null]).toContain(told.rows[0]?.now);
  });

  it("is there exactly when its delivery is: neither is committed alone", async () => {
    const caller = newCaller();
    const { key } = await createKeyOf(sending, caller);
    // As where the disk is full.
    await sending.db.execute(
      sql`alter table ${eventDeliveries} add constraint no_more check (created_at < '2020-01-01') not valid`,
    );
    await expect(renameApiKey(sending, caller, { id: key.id, name: "Never" })).rejects.toThrow();
    await sending.db.execute(sql`alter table ${eventDeliveries} drop constraint no_more`);
    expect(await recordedActions(sending.db, caller.ownerId)).toEqual(["key.created"]);
  });

  it.each(commitSteps)("and so is it for a process that is killed $step", async (step) => {
    const caller = newCaller();
    const { key } = await createKeyOf(sending, caller);
    await crash(sending, "embedded", step, { do: "revoke", ownerId: caller.ownerId, id: key.id }, { events });
    const recorded = await recordedActions(sending.db, caller.ownerId);
    expect(recorded.includes("key.revoked")).toBe(step.isDone);
    expect(await waitingActions(sending.db, caller.ownerId)).toEqual(recorded);
  });

  it("that is deleted from the history is not sent any more", async () => {
    const caller = newCaller();
    await createKeyOf(sending, caller);
    await storeOldEvents(sending.db, caller.ownerId, 400);
    const [old] = await sending.db
      .select({ id: keyEvents.id })
      .from(keyEvents)
      .where(eq(keyEvents.ownerId, caller.ownerId))
      .orderBy(keyEvents.id)
      .limit(1);
    const now = sql`clock_timestamp()`;
    await sending.db.insert(eventDeliveries).values({ eventId: old?.id ?? "", createdAt: now, nextAttemptAt: now });
    expect(await waitingActions(sending.db, caller.ownerId)).toEqual(["owner.reopened", "key.created"]);
    await pruneEvents(sending);
    expect(await waitingActions(sending.db, caller.ownerId)).toEqual(["key.created"]);
    expect(await sending.db.$count(eventDeliveries, eq(eventDeliveries.eventId, old?.id ?? ""))).toBe(0);
  });
});
