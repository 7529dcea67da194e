import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import { revokeApiKey, rotateApiKey, verifyApiKey } from "@/server/keys";
import { hashSecret, mintSecret } from "@/server/keys/secret";
import { apiKeySecrets, cachePurges, owners } from "@/server/platform/schema";
import { rotateInput } from "@/server/shared/inputs";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { worldmonitorKey } from "@/tests/support/latchkey-command";
import { objectsIn, operate, runWith, settingsOf } from "@/tests/support/operator";
import { createWarmKey } from "@/tests/support/server-instance";
import { emptyDatabaseUrl } from "@/tests/support/services";

/** No secret and no hash stands in what a command has written. */
function expectNothingOf(secrets: string[], { output, errors }: { output: string; errors: string }) {
  for (const secret of secrets) {
    const hash = hashSecret(secret);
    for (const form of [
      secret,
      secret.slice(-38),
      hash.toString("hex"),
      hash.toString("base64"),
      hash.toString("base64url"),
    ])
      expect(output + errors).not.toContain(form);
  }
}

describe("latchkey find", () => {
  const server = useTestServer("embedded");
  const find = (input: string, args: string[] = [], settings = {}) =>
    operate(server(), ["find", ...args], input, settings);
  const findJson = async (input: string) => {
    const ended = await find(input, ["--json"]);
    return { ...ended, objects: objectsIn(ended) };
  };

  it("tells a key by its secret, its id or its owner, and never the secret", async () => {
    const { caller, key, secret } = await createWarmKey(server());
    await server().usage.flush();
    for (const [by, input] of [
      ["secret", `GET /?key=${secret} 200\n`],
      ["id", `it was ${key.id}, they say`],
      ["owner", `${caller.ownerId}\n`],
    ] as const) {
      const { code, errors, objects, output } = await findJson(input);
      expect({ code, errors, count: objects.length }).toEqual({ code: 0, errors: "", count: 1 });
      expect(objects[0]).toMatchObject({
        ...{ known: true, by, id: key.id, ownerId: caller.ownerId, name: "Production", display: key.display },
        ...{ status: "active", createdAt: key.createdAt.toISOString(), createdBy: caller.userId, effect: null },
        ...{ revokedAt: null, revokedBy: null, lastUsedAt: expect.any(String) as string },
        secret:
          by === "secret" ? { state: "current", display: key.display, lastUsedAt: expect.any(String) as string } : null,
      });
      const text = await find(input);
      for (const part of [key.id, caller.ownerId, "Production", key.display, "active"])
        expect(text.output).toContain(part);
      expectNothingOf([secret], { output: output + text.output, errors: errors + text.errors });
    }
  });

  it("tells which secret of a rotated key was found", async () => {
    const caller = newCaller();
    const { key, secret: first } = await createKeyOf(server(), caller);
    const rotate = async (graceSeconds: number) =>
      (await rotateApiKey(server(), caller, rotateInput.parse({ id: key.id, graceSeconds, requestId: randomUUID() })))
        .secret;
    const states = async (...secrets: string[]) => {
      const ended = await findJson(secrets.join("\n"));
      expectNothingOf(secrets, ended);
      return ended.objects.map(({ id, secret }) => [id, (secret as { state: string }).state]);
    };
    const second = await rotate(3_600);
    expect(await states(first, second)).toEqual([
      [key.id, "current"],
      [key.id, "waiting"],
    ]);
    await verifyApiKey(server(), second);
    expect(await states(first, second)).toEqual([
      [key.id, "previous"],
      [key.id, "current"],
    ]);
    expect((await find(first)).output).toMatch(/its previous secret, .*, accepted until \d{4}-/);
    const endPassed = eq(apiKeySecrets.hash, hashSecret(first));
    await server().db.update(apiKeySecrets).set({ endsAt: new Date() }).where(endPassed);
    expect(await states(first)).toEqual([[key.id, "revoked"]]);
    expect((await find(first)).output).toMatch(/a secret of it that has ended already, .*, effective: no request/);
    server().redisProxy.decide = (body) => (body.includes("'DEL'") ? "refuse" : "pass");
    const third = await rotate(0);
    server().redisProxy.decide = () => "pass";
    const { objects } = await findJson(second);
    expect(objects).toMatchObject([{ status: "active", effect: null, secret: { effect: { status: "pending" } } }]);
    expect(await states(first, second, third)).toEqual([
      [key.id, "revoked"],
      [key.id, "revoked"],
      [key.id, "current"],
    ]);
  });

  it("tells when and by whom a key was revoked, and its receipt, and changes nothing by it", async () => {
    const { caller, key, secret } = await createWarmKey(server());
    server().redisProxy.decide = (body) => (body.includes("'DEL'") ? "refuse" : "pass");
    const { effect } = await revokeApiKey(server(), caller, key);
    server().redisProxy.decide = () => "pass";
    if (effect.status !== "pending") throw new Error("Redis was not asked");
    const pending = { status: "pending", guaranteedBy: effect.guaranteedBy.toISOString() };
    const before = await server().db.select().from(cachePurges);
    const { objects } = await findJson(secret);
    expect(objects).toMatchObject([{ status: "revoked", revokedBy: "owner", effect: pending }]);
    expect((await find(secret)).output).toContain(`pending: no request that starts after ${pending.guaranteedBy}`);
    expect(await server().db.select().from(cachePurges)).toEqual(before);
    await revokeApiKey(server(), caller, key);
    expect((await findJson(key.id)).objects).toMatchObject([{ effect: { status: "effective" } }]);
  });

  it("says what is unknown, and ends with 1 only where nothing is known", async () => {
    const { key } = await createKeyOf(server(), newCaller());
    const strange = mintSecret({ prefix: "lk", environment: "test" });
    const foreign = mintSecret({ prefix: "acme", environment: "live" });
    const id = `key_${randomUUID()}`;
    const unknown = await find(`${strange}\n${foreign}\n${id}\nuser_nobody\nkey_wrong\n`);
    expect(unknown.code).toBe(1);
    expect(unknown.output.match(/unknown here/g)).toHaveLength(5);
    expect(unknown.output).toContain("another prefix or environment");
    expectNothingOf([strange, foreign], unknown);
    const mixed = await findJson(`${strange}\n${key.id}\n`);
    expect(mixed.code).toBe(0);
    expect(mixed.objects.map(({ known }) => known)).toEqual([false, true]);
  });

  it("says so where there is nothing to find, and repeats nothing of it", async () => {
    const cut = mintSecret({ prefix: "lk", environment: "test" }).slice(0, -1);
    for (const input of ["", "\n\n", "hello world", cut, `x ${cut} y`]) {
      const ended = await find(input);
      expect([ended.code, ended.output]).toEqual([1, ""]);
      expect(ended.errors).toContain("There is no key");
      if (input !== "") expect(ended.errors).not.toContain(cut.slice(-20));
    }
  });

  it("finds keys of another system, by a shape that is accepted", async () => {
    const { secret, line } = worldmonitorKey("user_import");
    const settings = { API_KEY_ACCEPT_FORMATS: "wm_:hex:40" };
    expect((await operate(server(), ["import", "-"], JSON.stringify(line), settings)).code).toBe(0);
    const found = await find(`{"log":"\\n${secret}\\n"}`, ["--json"], settings);
    expect(objectsIn(found)).toMatchObject([{ known: true, ownerId: "user_import", secret: { state: "current" } }]);
    expectNothingOf([secret], found);
  });

  it("tells an owner without a key from one that is unknown, also one with an id of another form", async () => {
    await server()
      .db.insert(owners)
      .values([{ id: "user_keyless" }, { id: "acme-42" }]);
    expect((await findJson("user_keyless")).objects).toEqual([{ known: true, by: "owner", ownerId: "user_keyless" }]);
    expect((await find("user_keyless")).output).toContain("is known and has no key");
    expect((await findJson("acme-42")).code).toBe(0);
    expect(await findJson("acme-43")).toMatchObject({ code: 1, objects: [{ known: false, by: "owner" }] });
  });

  it("lists every key of an owner who has many, each once", async () => {
    const caller = newCaller();
    const line = (at: number) => worldmonitorKey(caller.ownerId, { name: `Key ${at}` }).line;
    const lines = Array.from({ length: 1_203 }, (_, at) => JSON.stringify(line(at))).join("\n");
    await operate(server(), ["import", "-"], lines);
    const { objects } = await findJson(caller.ownerId);
    expect(new Set(objects.map(({ id }) => id)).size).toBe(1_203);
    expect(objects).toHaveLength(1_203);
  });

  it("asks in bounded statements, however long the input is", async () => {
    const caller = newCaller();
    const { secret } = await createKeyOf(server(), caller);
    const strangers = Array.from({ length: 10_000 }, () => `key_${randomUUID()}`).join("\n");
    server().postgresProxy.statements.length = 0;
    const { objects } = await findJson(`${strangers}\n${secret}`);
    expect(objects.filter(({ known }) => known)).toHaveLength(1);
    expect(objects).toHaveLength(10_001);
    expect(server().postgresProxy.statements.length).toBeLessThan(50);
  });

  it("needs no setting of Redis, and names what it does need", async () => {
    const { key } = await createKeyOf(server(), newCaller());
    const { DATABASE_URL = "" } = settingsOf(server());
    const run = (environment: Record<string, string>) =>
      runWith(["find"], { environment }, Readable.from([Buffer.from(key.id)]));
    expect((await run({ DATABASE_URL, UPSTASH_REDIS_REST_URL: "nonsense", CLERK_SECRET_KEY: "x" })).code).toBe(0);
    for (const address of ["nonsense", "'https://example.com'", "http://example.com"])
      expect((await run({ DATABASE_URL, EVENTS_WEBHOOK_URL: address })).code).toBe(0);
    expect(await run({})).toMatchObject({ code: 1, output: "", errors: "DATABASE_URL is not set\n" });
    expect(await run({ DATABASE_URL, API_KEY_PREFIX: "No!" })).toMatchObject({
      code: 1,
      errors: expect.stringContaining("API_KEY_PREFIX is malformed") as string,
    });
  });

  it("ends with 1 and says so where Postgres takes connections and never answers", async () => {
    server().postgresProxy.decide = () => new Promise<never>(() => undefined);
    const { code, errors } = await find("user_1");
    server().postgresProxy.decide = () => "pass";
    expect([code, errors]).toEqual([1, expect.stringContaining("no Postgres that answers")]);
  });

  it("ends with 1 and says so where Postgres is down, or has no tables", async () => {
    const secret = mintSecret({ prefix: "lk", environment: "test" });
    const down = await find(secret, [], { DATABASE_URL: "postgres://me:word@127.0.0.1:1/x" });
    expect([down.code, down.output]).toEqual([1, ""]);
    expect(down.errors).toContain("no Postgres that answers");
    expect(down.errors).not.toContain("word");
    const bare = await find(secret, [], { DATABASE_URL: await emptyDatabaseUrl() });
    expect(bare).toMatchObject({
      code: 1,
      errors: "The database has no tables of Latchkey. Run `latchkey migrate` first.\n",
    });
    expectNothingOf([secret], { output: "", errors: down.errors + bare.errors });
  });
});
