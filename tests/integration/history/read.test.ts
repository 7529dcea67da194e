import { sql, type SQLWrapper } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import { type KeyEventPage, listKeyEvents } from "@/server/history";
import { renameApiKey, revokeAllApiKeys, revokeApiKey } from "@/server/keys";
import { selectOldEvents } from "@/server/history/prune";
import { selectEvents } from "@/server/history/read-events";
import { keyEvents } from "@/server/platform/schema";
import { historyInput } from "@/server/shared/inputs";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { storeOldEvents } from "@/tests/support/recorded-events";

describe("the pages of a history", () => {
  const server = useTestServer("embedded", { keyLimit: 100 });
  const page = (owner: { ownerId: string }, input: { id?: string; cursor?: string; limit?: number } = {}) =>
    listKeyEvents(server(), owner, historyInput.parse(input));
  async function allPages(
    owner: { ownerId: string },
    limit: number,
    between: () => Promise<unknown> = () => Promise.resolve(),
    id?: string,
  ) {
    const pages: KeyEventPage[] = [];
    let cursor: string | null = null;
    do {
      pages.push(await page(owner, { limit, ...(cursor !== null && { cursor }), ...(id !== undefined && { id }) }));
      cursor = pages.at(-1)?.nextCursor ?? null;
      await between();
    } while (cursor !== null);
    return pages;
  }
  const idsOf = (pages: readonly KeyEventPage[]) => pages.flatMap(({ events }) => events.map(({ id }) => id));

  it("begin with the newest, and tell each event as the contract has it", async () => {
    const caller = newCaller();
    const { key } = await createKeyOf(server(), caller, { name: "Build" });
    await revokeApiKey(server(), { ...caller, impersonatedBy: "user_support" }, key);
    const { events, nextCursor } = await page(caller);
    const ofKey = { id: expect.any(String) as string, at: expect.any(Date) as Date, keyId: key.id, keyName: "Build" };
    expect(nextCursor).toBeNull();
    expect(events).toEqual([
      {
        ...{ ...ofKey, action: "key.revocation_effective", actor: { kind: "system", id: null } },
        detail: { at: expect.any(String) as string },
      },
      {
        ...{ ...ofKey, action: "key.revoked", detail: { by: "owner" } },
        actor: { kind: "user", id: caller.userId, impersonatedBy: "user_support" },
      },
      { ...ofKey, action: "key.created", actor: { kind: "user", id: caller.userId }, detail: {} },
    ]);
  });

  it.each([
    [4, [4, 4]],
    [3, [3, 3, 2]],
    [7, [7, 1]],
    [8, [8]],
    [9, [8]],
    [1, [1, 1, 1, 1, 1, 1, 1, 1]],
  ])("of %i have every event once, and the last one has no cursor", async (limit, sizes) => {
    const { ownerId } = newCaller();
    await storeOldEvents(server().db, ownerId, 1, 8);
    const pages = await allPages({ ownerId }, limit);
    expect(pages.map(({ events }) => events.length)).toEqual(sizes);
    const ids = idsOf(pages);
    expect(ids).toEqual([...new Set(ids)].toSorted().toReversed());
    expect(ids).toHaveLength(8);
  });

  it("are of 50 by default", async () => {
    const { ownerId } = newCaller();
    await storeOldEvents(server().db, ownerId, 1, 51);
    expect((await page({ ownerId })).events).toHaveLength(50);
    expect((await page({ ownerId })).nextCursor).not.toBeNull();
  });

  it("have every event once though all are of the same microsecond", async () => {
    const { ownerId } = newCaller();
    await server().db.execute(sql`
      insert into ${keyEvents} (id, at, owner_id, action, actor_kind, detail)
      select latchkey.event_id(at), at, ${ownerId}, 'owner.reopened', 'clerk', '{}'
      from (select timestamptz '2026-01-01 00:00:00.000999+00' as at from generate_series(1, 10)) as tied`);
    const ids = idsOf(await allPages({ ownerId }, 3));
    expect(new Set(ids).size).toBe(10);
    expect(ids).toEqual(ids.toSorted().toReversed());
  });

  it("neither repeat nor miss an event while others are recorded and old ones deleted", async () => {
    const caller = newCaller();
    await storeOldEvents(server().db, caller.ownerId, 1, 20);
    const before = idsOf(await allPages(caller, 100));
    const pages = await allPages(caller, 6, () => createKeyOf(server(), caller));
    expect(idsOf(pages)).toEqual(before);
    expect(idsOf(await allPages(caller, 100))).toHaveLength(20 + pages.length);
  });

  it("of one key have its events alone", async () => {
    const caller = newCaller();
    const [one, two] = [await createKeyOf(server(), caller), await createKeyOf(server(), caller)];
    await renameApiKey(server(), caller, { id: one.key.id, name: "Other" });
    await revokeAllApiKeys(server(), caller);
    const pages = await allPages(caller, 3, undefined, one.key.id);
    expect(pages.map(({ events }) => events.length)).toEqual([3, 1]);
    const events = pages.flatMap((each) => each.events);
    expect(events.map(({ keyId, action }) => [keyId, action])).toEqual(
      ["key.revocation_effective", "key.revoked", "key.renamed", "key.created"].map((action) => [one.key.id, action]),
    );
    expect((await page(caller)).events).toHaveLength(7);
    expect((await page(caller, { id: two.key.id })).events).toHaveLength(3);
  });

  it("show nothing of another owner: not by an id, not by a cursor", async () => {
    const [caller, other] = [newCaller(), newCaller()];
    const { key } = await createKeyOf(server(), caller);
    await createKeyOf(server(), caller);
    await createKeyOf(server(), other, { name: "Theirs" });
    const unknown = { id: "key_01890000-0000-7000-8000-000000000000" };
    const refusals = await Promise.all(
      [key, unknown].map(({ id }) => page(other, { id }).catch((fault: unknown) => String(fault))),
    );
    expect(refusals[0]).toMatch(/no such API key/);
    expect(refusals[0]).toEqual(refusals[1]);
    const { nextCursor } = await page(caller, { limit: 1 });
    const shown = await page(other, { cursor: nextCursor ?? "" });
    for (const { keyName } of shown.events) expect(keyName).toBe("Theirs");
    expect(shown.nextCursor).toBeNull();
    // An own key with a cursor of another owner's page.
    expect((await page(caller, { id: key.id, cursor: nextCursor ?? "" })).events).toMatchObject([{ keyId: key.id }]);
  });
});

describe("a page of a large history", () => {
  const server = useTestServer("embedded");

  it("reads as many rows as it shows, wherever it is, of an owner and of a key", async () => {
    const caller = newCaller();
    const { key } = await createKeyOf(server(), caller);
    const other = newCaller();
    await storeOldEvents(server().db, other.ownerId, 2, 20_000);
    await storeOldEvents(server().db, caller.ownerId, 1, 20_000);
    await server().db.execute("vacuum analyze latchkey.key_events");
    const { events } = await listKeyEvents(server(), caller, { limit: 50 });
    const before = events.at(-1)?.id ?? "";
    for (const [of, place] of [
      [caller, null],
      [caller, before],
      // Older than everything of the first owner.
      [other, null],
      [other, before],
      [{ keyId: key.id.slice(4) }, null],
      [{ keyId: key.id.slice(4) }, before],
    ] as const)
      expect(await rowsRead(selectEvents(server().db, of, { before: place, limit: 51 }))).toBeLessThanOrEqual(51);
  });

  it("does not slow down the search for what is too old", async () => {
    const { ownerId } = newCaller();
    await storeOldEvents(server().db, ownerId, 1, 20_000);
    await storeOldEvents(server().db, ownerId, 366, 3);
    await server().db.execute("vacuum analyze latchkey.key_events");
    expect(await rowsRead(selectOldEvents(server().db, 365))).toBeLessThanOrEqual(3);
  });

  /** How many rows the lowest part of the plan has looked at, those that it has dropped again included. */
  async function rowsRead(query: SQLWrapper): Promise<number> {
    const { rows } = await server().db.execute<{ "QUERY PLAN": [{ Plan: Plan }] }>(
      sql`explain (analyze, format json) ${query}`,
    );
    let plan = rows[0]?.["QUERY PLAN"][0].Plan;
    while (plan?.Plans?.[0]) plan = plan.Plans[0];
    return (plan?.["Actual Rows"] ?? Infinity) + (plan?.["Rows Removed by Filter"] ?? 0);
  }
});

interface Plan {
  Plans?: Plan[];
  "Actual Rows": number;
  "Rows Removed by Filter"?: number;
}
