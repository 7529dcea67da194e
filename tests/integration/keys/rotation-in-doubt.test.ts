import { randomUUID } from "node:crypto";

import { Redis } from "@upstash/redis";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import {
  type Caller,
  cancelRotation,
  createApiKey,
  endGrace,
  listApiKeys,
  revokeApiKey,
  revokeSelf,
  rotateApiKey,
  verifyApiKey,
} from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { apiKeySecrets } from "@/server/platform/schema";
import { createKeyOf, newCaller, newKeyInput, startTestServer } from "@/tests/support/domain";
import { recordedActions } from "@/tests/support/recorded-events";
import type { TestServer } from "@/tests/support/server-instance";
import { testDatabaseUrl, testRedis } from "@/tests/support/services";
import { slotKeyOf } from "@/tests/support/slots";

const redisKind = "embedded";
const isCommit = (statement: string) => statement.startsWith("COMMIT");
const isBegin = (statement: string) => statement.startsWith("BEGIN");
const isCurrent = { valid: true, key: { secret: "current" } };
const reused = { code: "API_KEY_REQUEST_REUSED" };

/** The first commit's answer is lost, and another instance acts before the repeated attempt begins. */
describe("a call whose first commit is in doubt", () => {
  let doubting: TestServer;
  let other: TestServer;
  beforeAll(async () => {
    const databaseUrl = await testDatabaseUrl();
    doubting = await startTestServer(redisKind, databaseUrl);
    other = await startTestServer(redisKind, databaseUrl);
  });
  afterAll(async () => {
    await doubting.close();
    await other.close();
  });
  beforeEach(() => {
    doubting.postgresProxy.decide = () => "pass";
  });
  const redis = () => new Redis({ ...testRedis(redisKind), automaticDeserialization: false });

  const spend = async (secret: string) => {
    const verification = await verifyApiKey(other, secret);
    await other.runDeferred();
    return verification;
  };
  const inputFor = (id: string, graceSeconds = 3_600) => ({ id, graceSeconds, requestId: randomUUID() });
  const rotate = (server: TestServer, caller: Caller, { id }: { id: string }, graceSeconds?: number) =>
    rotateApiKey(server, caller, inputFor(id, graceSeconds));
  const stateOf = async (secret: string) => {
    const [row] = await other.db
      .select()
      .from(apiKeySecrets)
      .where(eq(apiKeySecrets.hash, hashSecret(secret)));
    return row?.state;
  };
  const acts = async ({ ownerId }: Caller) => (await recordedActions(other.db, ownerId)).slice(1);

  async function keyWithWaiting() {
    const caller = newCaller();
    const { key, secret: old } = await createKeyOf(other, caller);
    await spend(old);
    const { secret: fresh } = await rotate(other, caller, key);
    return { caller, key, old, fresh };
  }
  async function keyInGrace() {
    const made = await keyWithWaiting();
    await spend(made.fresh);
    return made;
  }

  function doubt(fate: "break" | "break after", meanwhile: () => Promise<unknown> = () => Promise.resolve()) {
    let commits = 0;
    let running: Promise<unknown> | undefined;
    doubting.postgresProxy.decide = async (statement) => {
      if (isCommit(statement)) return commits++ === 0 ? fate : "pass";
      if (isBegin(statement) && commits === 1) await (running ??= meanwhile());
      return "pass" as const;
    };
  }

  it("cancels nothing, and purges nothing, where the secret was used before its commit", async () => {
    const { caller, key, fresh } = await keyWithWaiting();
    doubt("break", () => spend(fresh));
    expect(await cancelRotation(doubting, caller, key)).toMatchObject({ effect: null });
    expect(await verifyApiKey(other, fresh)).toMatchObject(isCurrent);
  });

  it("cancels the secret that it has chosen, and not the one that waits by now", async () => {
    const { caller, key, fresh } = await keyWithWaiting();
    let second = "";
    doubt("break after", async () => (second = (await rotate(other, caller, key)).secret));
    expect(await cancelRotation(doubting, caller, key)).toMatchObject({ effect: { status: "effective" } });
    expect([await stateOf(fresh), await stateOf(second)]).toEqual(["revoked", "waiting"]);
    expect(await acts(caller)).toEqual(["key.rotation_started", "key.rotation_cancelled", "key.rotation_started"]);
  });

  it("ends the grace that it has chosen, and not the one that runs by now", async () => {
    const { caller, key, old, fresh } = await keyInGrace();
    let third = "";
    doubt("break after", async () => {
      third = (await rotate(other, caller, key)).secret;
      await spend(third);
    });
    expect(await endGrace(doubting, caller, key)).toMatchObject({ effect: { status: "effective" } });
    expect([await stateOf(old), await stateOf(fresh), await stateOf(third)]).toEqual([
      "revoked",
      "previous",
      "current",
    ]);
    expect((await acts(caller)).filter((act) => act === "key.grace_ended")).toHaveLength(1);
  });

  it("tells the effect of a grace that it has ended, also where the key was revoked since", async () => {
    const { caller, key } = await keyInGrace();
    doubt("break after", () => revokeApiKey(other, caller, key));
    expect(await endGrace(doubting, caller, key)).toMatchObject({
      effect: { status: "effective" },
      key: { status: "revoked", effect: { status: "effective" } },
    });
  });

  it("gives no secret of a key that was revoked since", async () => {
    const { caller, key } = await keyWithWaiting();
    doubt("break after", () => revokeApiKey(other, caller, key));
    await expect(rotate(doubting, caller, key, 0)).rejects.toMatchObject({ name: "CommitOutcomeUnknownError" });
  });

  it("ends a waiting secret by itself, and never its key", async () => {
    const { caller, old, fresh } = await keyWithWaiting();
    doubt("break after");
    expect(await revokeSelf(doubting, fresh)).toMatchObject({ status: "effective" });
    expect(await verifyApiKey(other, old)).toMatchObject(isCurrent);
    expect(await acts(caller)).toEqual(["key.rotation_started", "key.rotation_cancelled"]);
  });

  it.each(["cancelled", "replaced"])(
    "a waiting secret that ends itself while it is %s leaves the key alone",
    async (how) => {
      const { caller, key, old, fresh } = await keyWithWaiting();
      let running: Promise<unknown> | undefined;
      doubting.postgresProxy.decide = async (statement) => {
        const act = () => (how === "cancelled" ? cancelRotation(other, caller, key) : rotate(other, caller, key));
        if (isBegin(statement)) await (running ??= act());
        return "pass" as const;
      };
      expect(await revokeSelf(doubting, fresh)).toMatchObject({ status: "effective" });
      expect(await verifyApiKey(other, old)).toMatchObject(isCurrent);
      expect((await listApiKeys(other, caller)).keys).toMatchObject([{ status: "active" }]);
    },
  );

  it("a key that ends itself bypasses the slots of all its secrets before the commit", async () => {
    const { old, fresh } = await keyInGrace();
    await spend(old);
    let seen: string[] | undefined;
    doubting.postgresProxy.decide = async (statement) => {
      const read = async (secret: string) => String(await redis().get(slotKeyOf(secret))).slice(0, 2);
      if (isBegin(statement)) seen ??= [await read(fresh), await read(old)];
      return "pass" as const;
    };
    await revokeSelf(doubting, fresh);
    expect(seen).toEqual(["M:", "M:"]);
  });

  it("a rotation that is repeated again and again never ends a secret that is in use", async () => {
    const caller = newCaller();
    const { key } = await createKeyOf(other, caller);
    const input = inputFor(key.id, 0);
    const { secret } = await rotateApiKey(other, caller, input);
    await spend(secret);
    for (let repeated = 0; repeated < 3; repeated++)
      await expect(rotateApiKey(doubting, caller, input)).rejects.toMatchObject(reused);
    expect(await verifyApiKey(other, secret)).toMatchObject(isCurrent);
  });

  it("a creation that is repeated again and again never ends a secret that is in use", async () => {
    const caller = newCaller();
    const input = newKeyInput();
    const { secret } = await createApiKey(other, caller, input);
    await spend(secret);
    for (let repeated = 0; repeated < 3; repeated++)
      await expect(createApiKey(doubting, caller, input)).rejects.toMatchObject(reused);
    expect(await verifyApiKey(other, secret)).toMatchObject(isCurrent);
  });
});
