import { randomUUID } from "node:crypto";
import { PassThrough, Readable } from "node:stream";

import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";

import { createApiKey, revokeApiKey, rotateApiKey, verifyApiKey } from "@/server/keys";
import { hashSecret, mintSecret } from "@/server/keys/secret";
import { owners } from "@/server/platform/schema";
import { rotateInput } from "@/server/shared/inputs";
import { fromPublicId } from "@/server/shared/public-id";
import { createKeyOf, newCaller, newKeyInput, useTestServer } from "@/tests/support/domain";
import { worldmonitorKey } from "@/tests/support/latchkey-command";
import { objectsIn, operate, runWith, settingsOf } from "@/tests/support/operator";
import { createWarmKey } from "@/tests/support/server-instance";
import { recordedEvents } from "@/tests/support/recorded-events";

const revoked = { valid: false, reason: "revoked" };
const isPurge = (body: string) => body.includes("'DEL'");

function expectNothingOf(secrets: string[], { output, errors }: { output: string; errors: string }) {
  for (const secret of secrets)
    for (const form of [secret.slice(-38), hashSecret(secret).toString("hex"), hashSecret(secret).toString("base64")])
      expect(output + errors).not.toContain(form);
}

describe("an operator ends keys", () => {
  const server = useTestServer("embedded");
  const run = (args: string[], input = "", settings = {}) => operate(server(), args, input, settings);

  beforeEach(() => {
    server().redisProxy.decide = () => "pass";
    server().postgresProxy.decide = () => "pass";
  });

  async function importKeys(ownerId: string, count: number): Promise<string[]> {
    const lines = Array.from({ length: count }, () => JSON.stringify(worldmonitorKey(ownerId).line)).join("\n");
    expect((await run(["import", "-"], lines)).code).toBe(0);
    return objectsIn<{ id: string }>(await run(["find", "--json"], ownerId)).map(({ id }) => id);
  }

  describe("latchkey revoke", () => {
    it("ends keys of any owner by their ids, and tells for each from when on it is refused", async () => {
      const [first, second] = [await createWarmKey(server()), await createWarmKey(server())];
      const ended = await run(["revoke", first.key.id, second.key.id, first.key.id]);
      expect(ended.code).toBe(0);
      expect(ended.output.match(/effective: no request that starts after \d{4}-[^ ]+Z is accepted/g)).toHaveLength(2);
      for (const { key, secret, caller } of [first, second]) {
        expect(ended.output).toContain(key.id);
        expect(await verifyApiKey(server(), secret)).toEqual(revoked);
        expect(await recordedEvents(server().db, caller.ownerId)).toMatchObject([
          { action: "key.created" },
          { action: "key.revoked", key: key.id, actor: ["operator", null, null], detail: { by: "operator" } },
          { action: "key.revocation_effective", actor: ["system", null, null] },
        ]);
      }
      expectNothingOf([first.secret, second.secret], ended);
    });

    it("repeated, keeps the first time and who it was, and records nothing more", async () => {
      const { key, caller } = await createWarmKey(server());
      const own = await createKeyOf(server(), caller);
      await revokeApiKey(server(), caller, own.key);
      const args = ["revoke", "--json", key.id, own.key.id];
      const [once, twice] = [objectsIn(await run(args)), objectsIn(await run(args))];
      expect(once).toMatchObject([
        {
          id: key.id,
          ownerId: caller.ownerId,
          known: true,
          status: "revoked",
          revokedBy: "operator",
          effect: { status: "effective" },
        },
        { id: own.key.id, revokedBy: "owner", effect: { status: "effective" } },
      ]);
      expect(twice).toEqual(once);
      const events = await recordedEvents(server().db, caller.ownerId);
      expect(events.filter(({ action }) => action === "key.revoked")).toHaveLength(2);
      expect((await run(["revoke", key.id])).output).toContain("revoked already");
    });

    it("takes ids and texts with keys from standard input; any secret of a key ends the whole key", async () => {
      const caller = newCaller();
      const byId = await createKeyOf(server(), caller);
      const byText = await createKeyOf(server(), caller);
      const rotated = await createKeyOf(server(), caller);
      const input = rotateInput.parse({ id: rotated.key.id, graceSeconds: 3_600, requestId: randomUUID() });
      const { secret: waiting } = await rotateApiKey(server(), caller, input);
      const bystander = await createKeyOf(server(), caller);
      const ended = await run(
        ["revoke", "--json"],
        `${byId.key.id}\n{"log":"\\u001b[31m${byText.secret}\\n","keyId":"${bystander.key.id}"}\nexport KEY="${waiting}"\n`,
      );
      expect(ended.code).toBe(0);
      const ids = objectsIn(ended).map(({ id }) => id);
      expect(ids.toSorted()).toEqual([byId.key.id, byText.key.id, rotated.key.id].sort());
      for (const secret of [byId.secret, byText.secret, rotated.secret, waiting])
        expect(await verifyApiKey(server(), secret)).toEqual(revoked);
      expect(await verifyApiKey(server(), bystander.secret)).toMatchObject({ valid: true });
      expect(ended.errors).toContain("Key ids beside other text: 1");
      expectNothingOf([byId.secret, byText.secret, rotated.secret, waiting], ended);
    });

    it("leaves a key alone of which only a secret was pasted that had ended before, and says so", async () => {
      const caller = newCaller();
      const { key, secret: old } = await createKeyOf(server(), caller);
      const input = rotateInput.parse({ id: key.id, graceSeconds: 0, requestId: randomUUID() });
      const { secret: current } = await rotateApiKey(server(), caller, input);
      const text = await run(["revoke"], old);
      expect([text.code, text.errors]).toEqual([0, expect.stringContaining("whose keys were left: 1")]);
      expect(text.output).toMatch(new RegExp(`${key.id}.*had ended already, effective: no request.*by its id`));
      const json = objectsIn(await run(["revoke", "--json"], old));
      expect(json).toMatchObject([
        {
          known: true,
          id: key.id,
          status: "active",
          revokedAt: null,
          effect: { status: "effective" },
          secret: { state: "revoked" },
        },
      ]);
      expect(await verifyApiKey(server(), current)).toMatchObject({ valid: true });
      const both = await run(["revoke", "--json"], `${old}\n${key.id}`);
      expect(objectsIn(both)).toMatchObject([{ id: key.id, status: "revoked", effect: { status: "effective" } }]);
      expect(await verifyApiKey(server(), current)).toEqual(revoked);
      expectNothingOf([old, current], { output: text.output + both.output, errors: text.errors });
    });

    it("does not call an id left out whose key it has revoked by its secret", async () => {
      const { secret, key } = await createKeyOf(server(), newCaller());
      const ended = await run(["revoke"], `{"keyId":"${key.id}","sent":"${secret}"}\n`);
      expect([ended.code, ended.errors]).toEqual([0, "Effective: 1. Pending: 0.\n"]);
    });

    it("takes what `find --json` writes", async () => {
      const { secret, key } = await createKeyOf(server(), newCaller());
      const found = await run(["find", "--json"], `in a log: ${secret}`);
      expect(objectsIn(await run(["revoke", "--json"], found.output))).toMatchObject([
        { id: key.id, revokedBy: "operator" },
      ]);
    });

    it("reports what is unknown with 1, and ends the others all the same", async () => {
      const { secret, key } = await createKeyOf(server(), newCaller());
      const strange = mintSecret({ prefix: "lk", environment: "test" });
      const nobody = `key_${randomUUID()}`;
      const byArguments = await run(["revoke", nobody, key.id, "key_wrong"]);
      expect(byArguments.code).toBe(1);
      expect(byArguments.errors).toContain(`${nobody}: unknown here`);
      expect(byArguments.errors).toContain("key_wrong: unknown here");
      expect(byArguments.errors).toContain("Unknown: 2");
      expect(await verifyApiKey(server(), secret)).toEqual(revoked);
      const other = await createKeyOf(server(), newCaller());
      const byInput = await run(["revoke", "--json"], `${nobody}\n${strange}\n${other.secret}`);
      expect(byInput.code).toBe(1);
      const display = `${strange.slice(0, 12)}…${strange.slice(-4)}`;
      expect(objectsIn(byInput).slice(0, 2)).toEqual([
        { known: false, display },
        { known: false, id: nobody },
      ]);
      expect(await verifyApiKey(server(), other.secret)).toEqual(revoked);
      expectNothingOf([strange, other.secret], byInput);
    });

    it.each([
      ["nothing", ""],
      ["no key", "hello world"],
      ["an owner", "user_1\n"],
      ["an id beside other text", `see key_${randomUUID()}`],
    ])("refuses a standard input that holds %s", async (_title, input) => {
      const { code, output, errors } = await run(["revoke"], input);
      expect([code, output]).toEqual([1, ""]);
      expect(errors).toContain("Nothing was revoked");
    });

    it("is used wrongly with an owner's id, or with a secret, which is not repeated, and changes nothing", async () => {
      const { key, secret } = await createKeyOf(server(), newCaller());
      for (const args of [
        ["revoke", key.id, "user_1"],
        ["revoke", key.id, secret],
        ["revoke", key.id, hashSecret(secret).toString("hex")],
        ["revoke-owner", secret],
        ["revoke-owner"],
        ["revoke-owner", "user_1", "user_2"],
      ]) {
        const ended = await run(args);
        expect([ended.code, ended.output]).toEqual([2, ""]);
        expectNothingOf([secret], ended);
      }
      expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    });

    it("run twice at once gives one time and one event for each key", async () => {
      const caller = newCaller();
      const all = await importKeys(caller.ownerId, 60);
      const args = ["revoke", "--json"];
      const runs = await Promise.all([all, all.toReversed()].map((list) => run(args, list.join("\n"))));
      expect(runs.map(({ code }) => code)).toEqual([0, 0]);
      const [first, second] = runs.map(
        (ended) => new Map(objectsIn(ended).map(({ id, revokedAt }) => [id, revokedAt])),
      );
      expect(first?.size).toBe(60);
      expect(second).toEqual(first && new Map(all.toReversed().map((id) => [id, first.get(id)])));
      const events = await recordedEvents(server().db, caller.ownerId);
      expect(events.filter(({ action }) => action === "key.revoked")).toHaveLength(60);
    });

    it("with --dry-run tells what it would revoke, and changes nothing", async () => {
      const { key, secret, caller } = await createWarmKey(server());
      const gone = await createKeyOf(server(), caller);
      await revokeApiKey(server(), caller, gone.key);
      const before = await recordedEvents(server().db, caller.ownerId);
      const requests = server().redisProxy.requests.length;
      for (const args of [
        ["revoke", "--dry-run", key.id, gone.key.id],
        ["revoke-owner", "--dry-run", caller.ownerId],
      ]) {
        const text = await run(args);
        expect(text.code).toBe(0);
        expect(text.output).toMatch(new RegExp(`${key.id}.*would be revoked`));
        expect(text.output).toMatch(new RegExp(`${gone.key.id}.*revoked already`));
        expect(text.errors).toContain("nothing was changed");
        // Redis is not asked, so its settings are not needed.
        const json = objectsIn(await run([...args, "--json"], "", { UPSTASH_REDIS_REST_URL: "" }));
        expect(json.map(({ id, status }) => [id, status]).toSorted()).toEqual(
          [
            [key.id, "active"],
            [gone.key.id, "revoked"],
          ].toSorted(),
        );
      }
      expect(server().redisProxy.requests).toHaveLength(requests);
      expect(await recordedEvents(server().db, caller.ownerId)).toEqual(before);
      expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    });

    it("is no failure where Redis is down: each key is pending, with its time, and later effective", async () => {
      const { key, secret } = await createKeyOf(server(), newCaller());
      server().redisProxy.decide = () => "refuse";
      const ended = await run(["revoke", "--json", key.id]);
      expect(ended.code).toBe(0);
      expect(ended.errors).toContain("Pending: 1");
      const [receipt] = objectsIn<{ effect: { status: string; guaranteedBy: string } }>(ended);
      expect(receipt?.effect.status).toBe("pending");
      const text = await run(["revoke", key.id]);
      expect(text.output).toContain(`pending: no request that starts after ${receipt?.effect.guaranteedBy ?? "?"}`);
      expect(await verifyApiKey(server(), secret)).toEqual(revoked);
      server().redisProxy.decide = () => "pass";
      expect(objectsIn(await run(["revoke", "--json", key.id]))).toMatchObject([{ effect: { status: "effective" } }]);
    });

    it("is a failure where Postgres is down, and needs the settings of both", async () => {
      const { key } = await createKeyOf(server(), newCaller());
      const down = await run(["revoke", key.id], "", { DATABASE_URL: "postgres://me:word@127.0.0.1:1/x" });
      expect([down.code, down.output]).toEqual([1, ""]);
      expect(down.errors).toContain("no Postgres that answers");
      const unset = await run(["revoke", key.id], "", {
        UPSTASH_REDIS_REST_TOKEN: "",
        UPSTASH_REDIS_REST_URL: "x",
        PORT: "x",
      });
      expect(unset.code).toBe(1);
      expect(unset.errors).toContain("UPSTASH_REDIS_REST_TOKEN is not set");
      expect(unset.errors).toContain("UPSTASH_REDIS_REST_URL is malformed");
      expect(unset.errors).not.toContain("PORT");
    });

    it("ends a key though the address of events is malformed, and its event waits until that is mended", async () => {
      const { key } = await createKeyOf(server(), newCaller());
      expect((await run(["revoke", key.id], "", { EVENTS_WEBHOOK_URL: "nonsense" })).code).toBe(0);
      const { rows } = await server().db.execute(sql`
        select action from latchkey.key_events join latchkey.event_deliveries on event_id = id
        where key_id = ${fromPublicId(key.id)} order by id`);
      expect(rows.map(({ action }) => action)).toEqual(["key.revoked", "key.revocation_effective"]);
    });

    it("says how many keys were revoked before Postgres failed, and may be run again", async () => {
      const caller = newCaller();
      const ids = await importKeys(caller.ownerId, 1_100);
      let commits = 0;
      server().postgresProxy.decide = (statement) =>
        statement.startsWith("COMMIT") && ++commits > 1 ? "break" : "pass";
      const broken = await run(["revoke", "--json"], ids.join("\n"));
      expect(broken.code).toBe(1);
      expect(broken.errors).toContain("500 keys were revoked before this");
      expect(broken.errors).toContain("did not say whether it has stored the last change");
      expect(objectsIn(broken)).toHaveLength(500);
      server().postgresProxy.decide = () => "pass";
      const again = await run(["revoke", "--json"], ids.join("\n"));
      expect([again.code, objectsIn(again).length]).toEqual([0, 1_100]);
      const first = new Map(objectsIn(broken).map(({ id, revokedAt }) => [id, revokedAt]));
      for (const { id, revokedAt } of objectsIn(again)) if (first.has(id)) expect(revokedAt).toBe(first.get(id));
    }, 60_000);

    it("ends 10,000 keys in bounded statements and requests, each once", async () => {
      const caller = newCaller();
      const ids = await importKeys(caller.ownerId, 10_000);
      server().postgresProxy.statements.length = 0;
      server().redisProxy.requests.length = 0;
      const ended = await run(["revoke", "--json"], ids.join("\n"));
      expect(ended.code).toBe(0);
      expect(ended.errors).toBe("Effective: 10000. Pending: 0.\n");
      expect(new Set(objectsIn(ended).map(({ id }) => id)).size).toBe(10_000);
      expect(server().postgresProxy.statements.length).toBeLessThan(400);
      expect(server().redisProxy.requests.length).toBeLessThan(100);
    }, 120_000);
  });

  describe("latchkey revoke-owner", () => {
    it("ends every key of one owner, the expired ones too, and leaves the account open", async () => {
      const caller = newCaller({ ownerKind: "organization" });
      const keys = [await createKeyOf(server(), caller), await createKeyOf(server(), caller, { expiresInDays: 1 })];
      const other = await createKeyOf(server(), newCaller({ ownerKind: "organization" }));
      const ended = await run(["revoke-owner", "--json", caller.ownerId]);
      expect(ended.code).toBe(0);
      expect(objectsIn(ended).map(({ id }) => id)).toEqual(keys.map(({ key }) => key.id));
      for (const { secret } of keys) expect(await verifyApiKey(server(), secret)).toEqual(revoked);
      expect(await verifyApiKey(server(), other.secret)).toMatchObject({ valid: true });
      expect(objectsIn(await run(["revoke-owner", "--json", caller.ownerId]))).toEqual(objectsIn(ended));
      expect((await createApiKey(server(), caller, newKeyInput())).secret).toBeTypeOf("string");
    });

    it("says where an owner is unknown, or has no key", async () => {
      expect(await run(["revoke-owner", "user_nobody"])).toMatchObject({
        code: 1,
        output: "",
        errors: "No such owner is known here. Nothing was revoked.\n",
      });
      await server().db.insert(owners).values({ id: "user_keyless" });
      expect((await run(["revoke-owner", "user_keyless"])).errors).toContain("The owner has no key.");
    });

    it("with Redis down is pending for each, and ends with 0", async () => {
      const caller = newCaller();
      await createKeyOf(server(), caller);
      await createKeyOf(server(), caller);
      server().redisProxy.decide = (body) => (isPurge(body) ? "refuse" : "pass");
      const ended = await run(["revoke-owner", "--json", caller.ownerId]);
      expect(ended.code).toBe(0);
      expect(objectsIn(ended)).toMatchObject([{ effect: { status: "pending" } }, { effect: { status: "pending" } }]);
    });
  });

  describe("a person at a terminal", () => {
    const runAtTerminal = (args: string[], input: Readable, isTerminal: boolean) =>
      runWith(args, { environment: settingsOf(server()) }, input, isTerminal);

    it("is asked for input, and sees how far a long one is read; a file gets neither", async () => {
      const { key } = await createKeyOf(server(), newCaller());
      const long = () =>
        Readable.from([Buffer.from(`${key.id}\n`), ...Array.from({ length: 40 }, () => Buffer.alloc(65_536, "x "))]);
      for (const args of [["find"], ["revoke", "--dry-run"]]) {
        const seen = await runAtTerminal(args, long(), true);
        expect(seen.code).toBe(0);
        expect(seen.errors).toContain("Ctrl-D");
        expect(seen.errors).toContain("2 MiB read");
        const quiet = await runAtTerminal(args, long(), false);
        expect(quiet.errors).not.toMatch(/Ctrl-D|MiB/);
        expect(quiet.output).toBe(seen.output);
      }
      const many = await importKeys(newCaller().ownerId, 600);
      const busy = await runAtTerminal(["revoke"], Readable.from([Buffer.from(many.join("\n"))]), true);
      expect(busy.errors).toContain("500 keys …");
      expect(busy.output.split("\n")).toHaveLength(601);
      const ended = await runAtTerminal(["revoke", key.id], new PassThrough(), true);
      expect([ended.code, ended.errors.includes("Ctrl-D")]).toEqual([0, false]);
    });
  });
});
