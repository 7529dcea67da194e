import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createClerkClient } from "@clerk/backend";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type LocalClerk, startLocalClerk } from "@/local/clerk";
import { readSession } from "@/server/clerk/session";
import type { ApiKeyList, CreatedApiKey } from "@/server/keys";
import { type Caller, listApiKeys, verifyApiKey } from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { createAppRouter } from "latchkey/trpc";
import { youngMinute } from "@/tests/support/young-minute";

const origin = "http://localhost:3997";
const manage = "org:api_keys:manage";

let directory: string;
let clerk: LocalClerk;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "local-clerk-"));
  clerk = await startLocalClerk({ directory, appOrigin: origin });
});
afterAll(async () => {
  await clerk.stop();
  await rm(directory, { recursive: true });
});

type TokenOptions = Parameters<LocalClerk["mintSessionToken"]>[0];

/** What Clerk's own code, and then ours, makes of a session token. */
async function callerOf(
  token: TokenOptions,
  options: { accessFeature?: string; orgPermission?: string } = {},
): Promise<Caller> {
  const request = new Request(origin, { headers: { authorization: `Bearer ${clerk.mintSessionToken(token)}` } });
  const state = await createClerkClient({
    secretKey: clerk.environment.CLERK_SECRET_KEY ?? "",
    publishableKey: clerk.environment.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY ?? "",
    telemetry: { disabled: true },
  }).authenticateRequest(request, { jwtKey: clerk.environment.CLERK_JWT_KEY ?? "", authorizedParties: [origin] });
  const session = await readSession(
    state.toAuth() as unknown as Parameters<typeof readSession>[0],
    { accessFeature: options.accessFeature, orgPermission: options.orgPermission, appOrigin: origin },
    (id) => Promise.resolve(`name of ${id}`),
  );
  if (session.status !== "signed_in") throw new Error("the token is refused");
  return session.caller;
}

const newIds = () => ({ userId: `user_${randomUUID()}`, organizationId: `org_${randomUUID()}` });
const inOrganization = (id: string, role: string, permissions: string[] = [], features: string[] = []) => ({
  organization: { id, role, permissions, features },
});

describe("whom a session acts for", () => {
  it("is the active organisation, with its name, and the person where there is none", async () => {
    const { userId, organizationId } = newIds();
    expect(await callerOf({ userId, ...inOrganization(organizationId, "org:admin") })).toMatchObject({
      ownerId: organizationId,
      ownerKind: "organization",
      ownerName: `name of ${organizationId}`,
      userId,
      canManage: true,
      impersonatedBy: null,
    });
    expect(await callerOf({ userId })).toEqual({
      ownerId: userId,
      ownerKind: "user",
      ownerName: null,
      userId,
      hasAccessClaim: false,
      canManage: true,
      impersonatedBy: null,
    });
  });

  it("keeps who acts as the person", async () => {
    const { userId, organizationId } = newIds();
    const act = { sub: "user_support" };
    for (const rest of [{}, inOrganization(organizationId, "org:admin")])
      expect(await callerOf({ userId, act, ...rest })).toMatchObject({ userId, impersonatedBy: "user_support" });
  });

  it.each([
    ["an admin, by default", "org:admin", [], undefined, true],
    ["a member, by default", "org:member", [], undefined, false],
    ["a member of another role, by default", "org:administrator", [], undefined, false],
    ["a member with the permission, by default", "org:member", [manage], undefined, false],
    ["a member with the permission that is asked for", "org:member", [manage], manage, true],
    ["an admin without the permission that is asked for", "org:admin", [], manage, false],
    ["a member with another permission of the feature", "org:member", ["org:api_keys:read"], manage, false],
    ["a member with that permission of another feature", "org:member", ["org:reports:manage"], manage, false],
  ])("%s may change its keys or not", async (_title, role, permissions, orgPermission, expected) => {
    const { userId, organizationId } = newIds();
    const token = { userId, ...inOrganization(organizationId, role, permissions, ["api_keys", "reports"]) };
    const caller = await callerOf(token, orgPermission === undefined ? {} : { orgPermission });
    expect(caller.canManage).toBe(expected);
  });

  it.each([
    ["the organisation's plan counts in it", { organization: ["api_access"], user: [] }, true],
    ["the person's own does not", { organization: ["other"], user: ["api_access"] }, false],
  ])("%s", async (_title, { organization, user }, expected) => {
    const { userId, organizationId } = newIds();
    const token = { userId, features: user, ...inOrganization(organizationId, "org:admin", [], organization) };
    expect((await callerOf(token, { accessFeature: "api_access" })).hasAccessClaim).toBe(expected);
    const personal = await callerOf({ userId, features: user }, { accessFeature: "api_access" });
    expect(personal.hasAccessClaim).toBe(!expected);
  });
});

describe("the router for an organisation", () => {
  const server = useTestServer("embedded");

  const router = (caller: Caller) => {
    const identity = { readSession: () => Promise.resolve({ status: "signed_in" as const, caller }) };
    return createAppRouter(() => ({ server: server(), identity })).createCaller({}).apiKeys;
  };
  const keyHash = "0".repeat(64);

  /** An organisation with a key of its admin, and everybody who may call. */
  async function people() {
    const admin = newCaller({ ownerKind: "organization" });
    const member = { ...admin, userId: `user_${randomUUID()}`, canManage: false };
    const impersonated = { ...admin, impersonatedBy: "user_support" };
    const stranger = newCaller({ ownerKind: "organization" });
    const personal = newCaller({ ownerId: admin.userId });
    const { key, secret } = await createKeyOf(server(), admin);
    return { admin, member, impersonated, stranger, personal, key, secret };
  }

  type People = Awaited<ReturnType<typeof people>>;
  const changes: [string, (caller: Caller, key: { id: string }) => Promise<unknown>][] = [
    ["create", (caller) => router(caller).create({ name: "x", requestId: randomUUID() })],
    ["rename", (caller, { id }) => router(caller).rename({ id, name: "Renamed" })],
    ["revoke", (caller, { id }) => router(caller).revoke({ id })],
    ["revokeAll", (caller) => router(caller).revokeAll({})],
  ];
  const reads: [string, (caller: Caller, key: { id: string }) => Promise<unknown>][] = [
    ["list", (caller) => router(caller).list()],
    ["effect", (caller, { id }) => router(caller).effect({ id })],
    ["usage", (caller, { id }) => router(caller).usage({ id })],
    ["invalidateCache", (caller) => router(caller).invalidateCache({ keyHash })],
  ];
  const refused = (domainCode: string) => ({ cause: { code: domainCode } });
  const stateOf = async ({ admin, secret }: People) => [
    (await listApiKeys(server(), admin)).keys,
    (await verifyApiKey(server(), secret)).valid,
  ];

  it.each(changes)("%s is done for an admin", async (_name, call) => {
    const { admin, key } = await people();
    await expect(call(admin, key)).resolves.toBeDefined();
  });

  it.each(changes)("%s is refused to a member without the permission, and changes nothing", async (_name, call) => {
    const them = await people();
    const before = await stateOf(them);
    await expect(call(them.member, them.key)).rejects.toMatchObject({
      code: "FORBIDDEN",
      ...refused("ORG_PERMISSION_REQUIRED"),
    });
    // Nor does the refusal tell which ids there are.
    await expect(call(them.member, { id: `key_${randomUUID()}` })).rejects.toMatchObject(
      refused("ORG_PERMISSION_REQUIRED"),
    );
    expect(await stateOf(them)).toEqual(before);
  });

  it.each(reads)("%s is done for every member", async (_name, call) => {
    const { member, key } = await people();
    await expect(call(member, key)).resolves.not.toBeUndefined();
  });

  it.each([...changes, ...reads].filter(([name]) => ["rename", "revoke", "effect", "usage"].includes(name)))(
    "%s is NOT_FOUND for another organisation, and for the same person in their own account",
    async (_name, call) => {
      const them = await people();
      const before = await stateOf(them);
      for (const caller of [them.stranger, them.personal])
        await expect(call(caller, them.key)).rejects.toMatchObject(refused("API_KEY_NOT_FOUND"));
      expect(await stateOf(them)).toEqual(before);
    },
  );

  it("a member sees the admin's key, whose it is, and that they may not change it; nobody else sees it", async () => {
    const { admin, member, stranger, personal, key } = await people();
    const owner = { kind: "organization", id: admin.ownerId, name: "Acme" };
    const shown = { id: key.id, createdBy: admin.userId, creatorLeft: false };
    expect(await router(member).list()).toMatchObject({ owner, canManage: false, keys: [shown] });
    expect(await router(admin).list()).toMatchObject({ owner, canManage: true, keys: [shown] });
    expect(await router(stranger).list()).toMatchObject({ keys: [] });
    expect(await router(personal).list()).toMatchObject({
      owner: { kind: "user", id: admin.userId, name: null },
      canManage: true,
      keys: [],
    });
  });

  it("revokeAll of a person ends no key of their organisation, and the other way round", async () => {
    const { admin, personal, secret } = await people();
    const own = await createKeyOf(server(), personal);
    expect((await router(personal).revokeAll({})).keys).toHaveLength(1);
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    const second = await createKeyOf(server(), personal);
    expect((await router(admin).revokeAll({})).keys).toHaveLength(1);
    expect(await verifyApiKey(server(), second.secret)).toMatchObject({ valid: true });
    expect(await verifyApiKey(server(), own.secret)).toEqual({ valid: false, reason: "revoked" });
  });

  it("an impersonated admin lists and revokes, and creates nothing", async () => {
    const { impersonated, key } = await people();
    await expect(router(impersonated).create({ name: "x", requestId: randomUUID() })).rejects.toMatchObject(
      refused("IMPERSONATED"),
    );
    expect((await router(impersonated).list()).keys).toHaveLength(1);
    expect((await router(impersonated).revoke({ id: key.id })).effect.status).toBe("effective");
  });

  describe("whose key is rotated", () => {
    const rotationOf = (id: string, graceSeconds = 300) => ({ id, requestId: randomUUID(), graceSeconds });

    /** A key of the admin, as it is, with a secret that waits, or in its grace. `secrets` are those that are in use. */
    async function keyIn(state: "rest" | "waiting" | "grace", admin = newCaller({ ownerKind: "organization" })) {
      const { key, secret } = await createKeyOf(server(), admin);
      const secrets = [secret];
      if (state !== "rest") {
        const rotated: CreatedApiKey = await router(admin).rotate(rotationOf(key.id));
        if (state === "grace") secrets.push(rotated.secret);
      }
      const told = async () => [
        (await listApiKeys(server(), admin)).keys.map((shown) => ({ ...shown, lastUsedAt: null })),
        await Promise.all(secrets.map(async (each) => (await verifyApiKey(server(), each)).valid)),
      ];
      await told();
      return { admin, key, told };
    }

    const verbs: [
      string,
      "rest" | "waiting" | "grace",
      (caller: Caller, key: { id: string }) => Promise<{ key: ApiKeyList["keys"][number] }>,
      object,
    ][] = [
      ["rotate", "rest", (caller, { id }) => router(caller).rotate(rotationOf(id)), { state: "waiting" }],
      ["rotate, now", "rest", (caller, { id }) => router(caller).rotate(rotationOf(id, 0)), {}],
      ["cancelRotation", "waiting", (caller, { id }) => router(caller).cancelRotation({ id }), {}],
      ["endGrace", "grace", (caller, { id }) => router(caller).endGrace({ id }), {}],
    ];

    it.each(verbs)("%s is done for each admin of it, and for a person with a key of their own", async (...row) => {
      const [_name, state, call, rotation] = row;
      const creator = newCaller({ ownerKind: "organization" });
      for (const caller of [creator, { ...creator, userId: `user_${randomUUID()}` }, newCaller()]) {
        const { key, told } = await keyIn(state, caller.ownerKind === "user" ? caller : creator);
        const before = await told();
        const answer = await call(caller, key);
        if ("state" in rotation) expect(answer.key.rotation).toMatchObject(rotation);
        else expect(answer.key.rotation).toBeNull();
        expect(await told()).not.toEqual(before);
      }
    });

    it.each(verbs)("%s is refused to a member without the permission, and changes nothing", async (...row) => {
      const [_name, state, call] = row;
      const { admin, key, told } = await keyIn(state);
      const before = await told();
      const member = { ...admin, userId: `user_${randomUUID()}`, canManage: false };
      // Also to who has created the key and has lost the role. The refusal does not tell which ids there are.
      for (const caller of [member, { ...admin, canManage: false }])
        for (const { id } of [key, { id: `key_${randomUUID()}` }])
          await expect(call(caller, { id })).rejects.toMatchObject({
            code: "FORBIDDEN",
            ...refused("ORG_PERMISSION_REQUIRED"),
          });
      expect(await told()).toEqual(before);
    });

    it.each(verbs)("%s is NOT_FOUND for another organisation, and for its admin in person", async (...row) => {
      const [_name, state, call] = row;
      const { admin, key, told } = await keyIn(state);
      const before = await told();
      for (const caller of [newCaller({ ownerKind: "organization" }), newCaller({ ownerId: admin.userId })])
        await expect(call(caller, key)).rejects.toMatchObject({ code: "NOT_FOUND", ...refused("API_KEY_NOT_FOUND") });
      expect(await told()).toEqual(before);
    });

    it.each(verbs)("%s is UNAUTHORIZED for a page whose session has switched to another owner", async (...row) => {
      const [_name, state, , rotation] = row;
      const { key, told } = await keyIn(state);
      const before = await told();
      // What the adapter to Clerk answers where the page's owner is not the session's.
      const identity = { readSession: () => Promise.resolve({ status: "signed_out" as const }) };
      const { apiKeys } = createAppRouter(() => ({ server: server(), identity })).createCaller({});
      for (const call of [
        () => apiKeys.rotate(rotationOf(key.id, "state" in rotation ? 300 : 0)),
        () => apiKeys.cancelRotation({ id: key.id }),
        () => apiKeys.endGrace({ id: key.id }),
      ])
        await expect(call()).rejects.toMatchObject({ code: "UNAUTHORIZED" });
      expect(await told()).toEqual(before);
    });

    it("an impersonated session does not rotate, whatever it may do else", async () => {
      const { admin, key, told } = await keyIn("rest");
      const before = await told();
      for (const canManage of [true, false])
        await expect(
          router({ ...admin, canManage, impersonatedBy: "user_support" }).rotate(rotationOf(key.id)),
        ).rejects.toMatchObject(refused("IMPERSONATED"));
      expect(await told()).toEqual(before);
    });

    it("rotations and creates count together, before the permission is looked at", async () => {
      await youngMinute();
      const { admin, key } = await keyIn("rest");
      const member = { ...admin, userId: `user_${randomUUID()}`, canManage: false };
      for (let call = 1; call < 60; call++)
        await expect(router(member).rotate(rotationOf(key.id))).rejects.toMatchObject(
          refused("ORG_PERMISSION_REQUIRED"),
        );
      for (const caller of [member, admin])
        await expect(router(caller).rotate(rotationOf(key.id))).rejects.toMatchObject(refused("RATE_LIMITED"));
    });

    it.each([300, 0])("a repeated rotation (grace %i) gives its secret to nobody else of it", async (graceSeconds) => {
      const { admin, key } = await keyIn("rest");
      const other = { ...admin, userId: `user_${randomUUID()}` };
      const input = rotationOf(key.id, graceSeconds);
      const rotated: CreatedApiKey = await router(admin).rotate(input);
      await expect(router(other).rotate(input)).rejects.toMatchObject(refused("API_KEY_REQUEST_REUSED"));
      const repeated: CreatedApiKey = await router(admin).rotate(input);
      expect(repeated.replaced).toMatchObject({ status: "effective" });
      expect(await verifyApiKey(server(), rotated.secret)).toEqual({ valid: false, reason: "revoked" });
      expect(await verifyApiKey(server(), repeated.secret)).toMatchObject({ valid: true });
    });
  });

  it("the limit is the organisation's, whoever of its admins creates", async () => {
    const first = newCaller({ ownerKind: "organization" });
    const second = { ...first, userId: `user_${randomUUID()}` };
    const create = (caller: Caller) => router(caller).create({ name: "x", requestId: randomUUID() });
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, (_, at) => create(at % 2 === 0 ? first : second)),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
    const { keys }: ApiKeyList = await router(first).list();
    expect(new Set(keys.map(({ createdBy }) => createdBy))).toEqual(new Set([first.userId, second.userId]));
    // Their own accounts are as empty as before.
    await expect(create(newCaller({ ownerId: first.userId }))).resolves.toBeDefined();
  });

  it("creates count against the organisation's rate, before the permission is looked at", async () => {
    const admin = newCaller({ ownerKind: "organization" });
    const member = { ...admin, userId: `user_${randomUUID()}`, canManage: false };
    const create = (caller: Caller) => router(caller).create({ name: "x", requestId: randomUUID() });
    await youngMinute();
    for (let call = 0; call < 60; call++)
      await expect(create(member)).rejects.toMatchObject(refused("ORG_PERMISSION_REQUIRED"));
    for (const caller of [member, admin]) await expect(create(caller)).rejects.toMatchObject(refused("RATE_LIMITED"));
  });

  it("a retry gives the secret to who has created the key, and to nobody else of the organisation", async () => {
    const admin = newCaller({ ownerKind: "organization" });
    const other = { ...admin, userId: `user_${randomUUID()}` };
    const input = { name: "x", requestId: randomUUID() };
    const created: CreatedApiKey = await router(admin).create(input);
    await expect(router(other).create(input)).rejects.toMatchObject(refused("API_KEY_REQUEST_REUSED"));
    expect(await verifyApiKey(server(), created.secret)).toMatchObject({ valid: true });
    const unused = { name: "y", requestId: randomUUID() };
    await router(admin).create(unused);
    expect((await router(admin).create(unused)).replaced).not.toBeNull();
  });

  it("a hash of the organisation's key may be invalidated by its members, and is foreign to its admin in person", async () => {
    const { member, personal, secret } = await people();
    const hash = hashSecret(secret).toString("hex");
    expect(await router(member).invalidateCache({ keyHash: hash })).toMatchObject({ ok: true });
    await expect(router(personal).invalidateCache({ keyHash: hash })).rejects.toMatchObject(
      refused("API_KEY_NOT_OWNED"),
    );
  });

  it("an accepted key tells the organisation, and who has created it", async () => {
    const { admin, secret } = await people();
    const expected = { valid: true, key: { ownerId: admin.ownerId, createdBy: admin.userId } };
    expect(await verifyApiKey(server(), secret)).toMatchObject(expected);
    await server().runDeferred();
    expect(await verifyApiKey(server(), secret)).toMatchObject(expected);
  });
});
