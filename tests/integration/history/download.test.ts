import { createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";

import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";

import { createHistoryEndpoint } from "@/server/http/history";
import type { Session } from "@/server/http/identity";
import { keyEventSchema } from "@/server/http/schemas";
import { keyEvents } from "@/server/platform/schema";
import { type Caller, renameApiKey } from "@/server/keys";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { storeOldEvents } from "@/tests/support/recorded-events";

const isPage = (statement: string) => statement.includes('from "latchkey"."key_events"');

describe("the download of a history", () => {
  const server = useTestServer("embedded");
  beforeEach(() => {
    server().postgresProxy.heal();
    server().postgresProxy.decide = () => "pass";
    server().postgresProxy.statements.length = 0;
  });

  const as = (caller: Caller): Session => ({ status: "signed_in", caller });
  const endpointFor = (session: Session) =>
    createHistoryEndpoint(server(), { readSession: () => Promise.resolve(session) });
  const download = (session: Session, query: string, method = "GET") =>
    endpointFor(session)(new Request(`https://app.example.com/api/history${query}`, { method }));
  const linesOf = async (response: Response) => (await response.text()).split("\n").slice(0, -1);
  const pagesRead = () => server().postgresProxy.statements.filter(isPage).length;

  it.each([
    ["csv", "text/csv; charset=utf-8"],
    ["ndjson", "application/x-ndjson"],
  ])("as %s is a file, which nobody keeps and no browser takes for something else", async (format, type) => {
    const caller = newCaller();
    const { key } = await createKeyOf(server(), caller, { name: "=1+1" });
    await renameApiKey(server(), caller, { id: key.id, name: "Build, test" });
    const response = await download(as(caller), `?format=${format}`);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      "cache-control": "no-store",
      "content-disposition": `attachment; filename="api-key-history.${format}"`,
      "content-type": type,
      "x-content-type-options": "nosniff",
    });
    const lines = await linesOf(response);
    if (format === "csv") {
      expect(lines).toHaveLength(3);
      expect(lines[1]).toContain(",key.renamed,key_");
      expect(lines[1]).toContain(',"Build, test",user,');
      expect(lines[2]).toContain(",'=1+1,user,");
      return;
    }
    const events = lines.map((line) => keyEventSchema.parse(JSON.parse(line)));
    expect(events).toMatchObject([
      { action: "key.renamed", keyName: "Build, test", detail: { from: "=1+1" } },
      { action: "key.created", actor: { kind: "user", id: caller.userId } },
    ]);
  });

  it("of one key has its events alone", async () => {
    const caller = newCaller();
    const { key } = await createKeyOf(server(), caller);
    await createKeyOf(server(), caller);
    const lines = await linesOf(await download(as(caller), `?format=ndjson&id=${key.id}`));
    expect(lines.map((line) => (JSON.parse(line) as { keyId: string }).keyId)).toEqual([key.id]);
  });

  it("is for who is signed in, and for the owner that the page was made for", async () => {
    const [caller, other] = [newCaller(), newCaller()];
    const { key } = await createKeyOf(server(), caller);
    const told = async (session: Session, query: string) => {
      const response = await download(session, query);
      return [response.status, response.status === 200 ? "" : ((await response.json()) as { error: string }).error];
    };
    expect(await told({ status: "signed_out" }, "?format=csv")).toEqual([401, "UNAUTHENTICATED"]);
    expect(await told({ status: "unavailable" }, "?format=csv")).toEqual([503, "Service unavailable"]);
    expect(await told(as(other), `?format=csv&owner=${caller.ownerId}`)).toEqual([401, "UNAUTHENTICATED"]);
    expect(await told(as(caller), `?format=csv&owner=${caller.ownerId}`)).toEqual([200, ""]);
    expect(await told(as(other), `?format=csv&id=${key.id}`)).toEqual([404, "NOT_FOUND"]);
    const unknown = "key_01890000-0000-7000-8000-000000000000";
    expect(await told(as(caller), `?format=csv&id=${unknown}`)).toEqual([404, "NOT_FOUND"]);
    expect(await linesOf(await download(as(other), "?format=ndjson"))).toEqual([]);
  });

  it.each([
    ["", "Invalid format"],
    ["?format=xlsx", "Invalid format"],
    ["?format=csv&id=1", "Invalid id"],
    ["?format=csv&id=", "Invalid id"],
  ])("with the query %j is refused", async (query, error) => {
    const response = await download(as(newCaller()), query);
    expect([response.status, await response.json()]).toEqual([400, { error }]);
  });

  it("of any size has every event once, in order, and reads the next page only when the last one was taken", async () => {
    const { ownerId } = newCaller();
    await storeOldEvents(server().db, ownerId, 1, 3_500);
    const response = await download(as(newCaller({ ownerId })), "?format=ndjson");
    const reader = response.body?.getReader();
    const ids: string[] = [];
    const pagesAfter: number[] = [];
    for (;;) {
      const part = await reader?.read();
      if (!part || part.done) break;
      const lines = new TextDecoder().decode(part.value).split("\n").slice(0, -1);
      ids.push(...lines.map((line) => (JSON.parse(line) as { id: string }).id));
      pagesAfter.push(pagesRead());
    }
    expect(pagesAfter).toEqual([1, 2, 3, 4]);
    expect(ids).toHaveLength(3_500);
    expect(ids).toEqual([...new Set(ids)].toSorted().toReversed());
  });

  it("that is given up reads no further", async () => {
    const { ownerId } = newCaller();
    await storeOldEvents(server().db, ownerId, 1, 3_500);
    const session = as(newCaller({ ownerId }));
    const reader = (await download(session, "?format=csv")).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    const head = await download(session, "?format=csv", "HEAD");
    expect([head.status, head.body, pagesRead()]).toEqual([200, null, 2]);
  });

  it("is 503 when the database is down before it begins", async () => {
    server().postgresProxy.sever();
    expect((await download(as(newCaller()), "?format=csv")).status).toBe(503);
  });

  it("is broken off, and not ended, when the database fails on the way: over HTTP, too", async () => {
    const { ownerId } = newCaller();
    await storeOldEvents(server().db, ownerId, 1, 2_500);
    const endpoint = endpointFor(as(newCaller({ ownerId })));
    const http = createServer((request, response) => {
      const send = async () => {
        const answer = await endpoint(new Request(`http://localhost${request.url ?? ""}`));
        response.writeHead(answer.status, Object.fromEntries(answer.headers));
        if (answer.body) await pipeline(Readable.fromWeb(answer.body as ReadableStream), response);
      };
      send().catch(() => undefined);
    });
    await new Promise<void>((resolve) => http.listen(0, resolve));
    try {
      const url = `http://localhost:${(http.address() as AddressInfo).port}/api/history?format=csv`;
      const whole = await (await fetch(url)).text();
      expect(whole.split("\r\n")).toHaveLength(2_502);
      let pages = 0;
      server().postgresProxy.decide = (statement) => (isPage(statement) && ++pages === 2 ? "break" : "pass");
      const broken = await fetch(url);
      expect(broken.status).toBe(200);
      await expect(broken.text()).rejects.toThrow();
    } finally {
      http.close();
    }
  });

  it("escapes a name from before the rule for names", async () => {
    const { ownerId } = newCaller();
    await server().db.execute(sql`
      insert into ${keyEvents} (id, at, owner_id, key_name, action, actor_kind, detail)
      values ('01890000-0000-7000-8000-000000000001', now(), ${ownerId}, ${"\t=cmd|' /C calc'!A0"}, 'key.created', 'user', '{}')`);
    const [, line] = await linesOf(await download(as(newCaller({ ownerId })), "?format=csv"));
    expect(line).toContain(",'\t=cmd|' /C calc'!A0,");
  });
});
