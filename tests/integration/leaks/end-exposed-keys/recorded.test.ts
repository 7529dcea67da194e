import { randomUUID } from "node:crypto";

import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import { rotateApiKey, verifyApiKey } from "@/server/keys";
import { mintSecret } from "@/server/keys/secret";
import { endExposedKeys } from "@/server/leaks";
import { apiKeys } from "@/server/platform/schema";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { createWarmKey } from "@/tests/support/server-instance";

import { actionsOf, at, end, historyOf, url, useReportedKeys, valid } from "./exposed-keys";

describe("a report", () => {
  const { server, isEnded, newKey } = useReportedKeys();

  it("costs no statement where nothing has the shape and the checksum of a key", async () => {
    const { secret } = await newKey();
    server().postgresProxy.statements.length = 0;
    const lookalikes = [
      "",
      "x".repeat(1_000_000),
      secret.slice(0, -1),
      `${secret}x`,
      ` ${secret}`,
      secret.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
      mintSecret({ prefix: "lk", environment: "live" }),
      mintSecret({ prefix: "sk", environment: "test" }),
      `wm_${"g".repeat(40)}`,
      `${secret.slice(0, 12)}…${secret.slice(-4)}`,
      "\0",
      "\ud800",
    ];
    expect(await end(server(), lookalikes)).toEqual(lookalikes.map(() => false));
    expect(server().postgresProxy.statements).toEqual([]);
    expect((await verifyApiKey(server(), secret)).valid).toBe(true);
  });

  it("costs one statement where something only looks like a key, however much there is", async () => {
    const madeUp = Array.from({ length: 500 }, () => mintSecret({ prefix: "lk", environment: "test" }));
    expect(await end(server(), madeUp)).toEqual(madeUp.map(() => false));
    expect(server().postgresProxy.statements).toHaveLength(1);
  });

  it("tells of each finding in its place whether it is a key of ours", async () => {
    const [a, b] = [await newKey(), await newKey()];
    const unknown = mintSecret({ prefix: "lk", environment: "test" });
    expect(await end(server(), ["x", b.secret, unknown, a.secret, b.secret, ""])).toEqual([
      ...[false, true, false, true, true, false],
    ]);
    for (const { secret, caller } of [a, b]) {
      expect(await isEnded(secret)).toBe(true);
      expect((await actionsOf(server(), caller)).filter((action) => action !== "key.revocation_effective")).toEqual([
        "key.exposed",
        "key.revoked",
      ]);
    }
  });

  it("ends nothing twice, records nothing twice and answers the same when it is repeated, in any order", async () => {
    const keys = [await newKey(), await newKey(), await newKey()];
    const tokens = keys.map(({ secret }) => secret);
    await end(server(), tokens);
    await server().runDeferred();
    const before = await Promise.all(keys.map(({ caller }) => historyOf(server(), caller)));
    const revokedAt = () => server().db.select({ at: apiKeys.revokedAt }).from(apiKeys).orderBy(apiKeys.id);
    const times = await revokedAt();
    for (const replay of [tokens, tokens.toReversed(), [...tokens, ...tokens]]) {
      expect(await end(server(), replay)).toEqual(replay.map(() => true));
      await server().runDeferred();
    }
    expect(await Promise.all(keys.map(({ caller }) => historyOf(server(), caller)))).toEqual(before);
    expect(await revokedAt()).toEqual(times);
  });

  it("that comes several times at once leaves one row for one act", async () => {
    const keys = [await newKey(), await newKey(), await newKey(), await newKey()];
    const tokens = keys.map(({ secret }) => secret);
    const answers = await Promise.all(
      [tokens, tokens.toReversed(), tokens, tokens.toReversed(), tokens.slice(2), tokens.slice(0, 2)].map((batch) =>
        end(server(), batch),
      ),
    );
    expect(answers.flat().every(Boolean)).toBe(true);
    await server().runDeferred();
    for (const { caller } of keys)
      expect(await actionsOf(server(), caller)).toEqual(["key.exposed", "key.revoked", "key.revocation_effective"]);
  });

  it("records another place of a key that is dead already, once", async () => {
    const { caller, secret } = await newKey();
    await end(server(), [secret]);
    const other = { url: "https://example.com/elsewhere" };
    for (let repeat = 0; repeat < 2; repeat++)
      expect(await endExposedKeys(server(), [at(secret, other), at(secret)], { source: "github" })).toEqual([
        true,
        true,
      ]);
    await endExposedKeys(server(), [at(secret, { location: "commit_description" })], { source: "github" });
    await end(server(), [secret], "report");
    const places = (await historyOf(server(), caller)).filter(({ action }) => action === "key.exposed");
    expect(places.map(({ detail }) => detail)).toEqual([
      { source: "github", location: "content", url, action: "revoke" },
      { source: "github", location: "content", url: other.url, action: "report" },
      { source: "github", location: "commit_description", url, action: "report" },
      { source: "report", location: "content", url, action: "report" },
    ]);
    expect(await actionsOf(server(), caller)).toEqual([
      "key.exposed",
      "key.revoked",
      ...Array<string>(3).fill("key.exposed"),
    ]);
  });

  it("cannot fill the history: of one secret at most 20 places are recorded", async () => {
    const { caller, secret } = await newKey();
    for (let batch = 0; batch < 3; batch++)
      await endExposedKeys(
        server(),
        Array.from({ length: 15 }, (_, n) => at(secret, { url: `https://example.com/${batch}/${n}` })),
        { source: "report" },
      );
    expect((await actionsOf(server(), caller)).filter((action) => action === "key.exposed")).toHaveLength(20);
  });

  it("is recorded where it ends a key, though an old secret of that key was reported everywhere before", async () => {
    const { caller, key, secret: old } = await newKey();
    const { secret } = await rotateApiKey(server(), caller, { id: key.id, requestId: randomUUID(), graceSeconds: 0 });
    await endExposedKeys(
      server(),
      Array.from({ length: 30 }, (_, n) => at(old, { url: `https://example.com/${n}` })),
      { source: "report" },
    );
    expect((await verifyApiKey(server(), secret)).valid).toBe(true);
    await endExposedKeys(
      server(),
      [at(old, { url: "https://example.com/more" }), at(secret, { url: "https://example.com/0" })],
      { source: "report" },
    );
    expect((await historyOf(server(), caller)).slice(-2)).toMatchObject([
      { action: "key.exposed", detail: { url: "https://example.com/0", action: "revoke" } },
      { action: "key.revoked" },
    ]);
  });

  it("keeps no secret, escaped or not, and no e-mail address, of the place where it was found", async () => {
    const { caller, secret } = await newKey();
    const places = [
      `https://example.com/?key=${secret}`,
      `https://example.com/?key=${secret.replaceAll("_", "%5f")}`,
      `https://ada@example.com/\0\ud800`,
    ];
    await endExposedKeys(
      server(),
      places.map((place) => at(secret, { url: place, location: place })),
      { source: "web" },
    );
    const told = JSON.stringify(await historyOf(server(), caller));
    expect(told).toContain("https://example.com/?key=…");
    expect(told).not.toContain(secret.slice(10, 20));
    expect(told).not.toContain("ada");
  });
});

describe("where keys are only to be reported", () => {
  const server = useTestServer("embedded", { leaks: { action: "report" } });

  it("a key that was found works on, and its history tells each place once", async () => {
    const { caller, secret } = await createWarmKey(server());
    for (let repeat = 0; repeat < 3; repeat++) expect(await end(server(), [secret, secret])).toEqual([true, true]);
    await endExposedKeys(server(), [at(secret, { url: null })], { source: "github" });
    await server().runDeferred();
    expect(await verifyApiKey(server(), secret)).toMatchObject(valid);
    expect((await historyOf(server(), caller)).map(({ action, detail }) => [action, detail])).toEqual([
      ["key.exposed", { source: "github", location: "content", url, action: "report" }],
      ["key.exposed", { source: "github", location: "content", url: null, action: "report" }],
    ]);
    expect((await server().db.execute(sql`select from latchkey.cache_purges`)).rows).toHaveLength(0);
  });

  it("a new secret at the place of an old one is told as well", async () => {
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server(), caller);
    await end(server(), [secret]);
    server().advance(600_000);
    const { secret: next } = await rotateApiKey(server(), caller, {
      id: key.id,
      requestId: randomUUID(),
      graceSeconds: 0,
    });
    server().advance(-600_000);
    // The new secret is from the future here, so every row is older than it.
    await end(server(), [next]);
    expect((await actionsOf(server(), caller)).filter((action) => action === "key.exposed")).toHaveLength(2);
  });
});
