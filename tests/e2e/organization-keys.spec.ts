import { createHash, randomUUID } from "node:crypto";

import { type APIRequestContext, expect, test } from "@playwright/test";

import type { MembershipChangeOptions, OrganizationChangeOptions } from "@/local/clerk";

import { bearerOf, callProcedure, createKeyOver, type HttpUser, newHttpUser } from "../support/http-user";

type Role = "org:admin" | "org:member";
type Summary = {
  id: string;
  name: string;
  createdBy: string;
  creatorLeft: boolean;
  status: string;
  rotation: { state: string; display: string } | null;
};
type List = { owner: object; canManage: boolean; access: { allowed: boolean }; keys: Summary[] };

/** Changes an organisation, or a member of one, at the sign-in, which sends the app the events of it. */
async function change(
  request: APIRequestContext,
  path: string,
  data: OrganizationChangeOptions | MembershipChangeOptions,
): Promise<number[]> {
  const answer = await request.post(`${process.env.CLERK_API_URL}/local/organizations/${path}`, {
    headers: { authorization: `Bearer ${process.env.CLERK_SECRET_KEY}` },
    data,
  });
  return ((await answer.json()) as { statuses: number[] }).statuses;
}

/** A session of the person in that organisation. */
const memberOf = (id: string, role: Role, options: Partial<Parameters<typeof newHttpUser>[0]> = {}) =>
  newHttpUser({ organization: { id, role, features: ["api_access"] }, ...options });

/** An organisation with API access, its admin and a member, and a key of the admin. */
async function organization(request: APIRequestContext) {
  const id = `org_${randomUUID().replaceAll("-", "")}`;
  await change(request, id, { name: "Umbrella", features: ["api_access"] });
  const admin = await memberOf(id, "org:admin");
  const member = await memberOf(id, "org:member");
  await change(request, `${id}/memberships/${admin.userId}`, { role: "org:admin" });
  await change(request, `${id}/memberships/${member.userId}`, { role: "org:member" });
  const { key, secret } = await createKeyOver(request, admin);
  return { id, admin, member, key, secret };
}

const listOf = async (request: APIRequestContext, user: HttpUser) =>
  (await callProcedure(request, user, "list")).result as List;

async function whoami(request: APIRequestContext, secret: string) {
  const answer = await request.get("/api/v1/whoami", { headers: { "x-api-key": secret } });
  return {
    status: answer.status(),
    ...((await answer.json()) as { code?: string; ownerId?: string; createdBy?: string }),
  };
}

const changesOf = ({ id }: { id: string }) =>
  [
    ["create", { name: "x", requestId: randomUUID() }],
    ["rename", { id, name: "x" }],
    ["rotate", { id, requestId: randomUUID(), graceSeconds: 300 }],
    ["cancelRotation", { id }],
    ["endGrace", { id }],
    ["revoke", { id }],
    ["revokeAll", {}],
  ] as const;
const permissionRequired = { status: 403, error: { data: { domainCode: "ORG_PERMISSION_REQUIRED" } } };

test.describe("an organisation's keys", () => {
  test("every member sees them, with the organisation's name; only an admin changes them", async ({ request }) => {
    const { id, admin, member, key, secret } = await organization(request);
    const owner = { kind: "organization", id, name: "Umbrella" };
    const shown = { id: key.id, createdBy: admin.userId, creatorLeft: false };
    expect(await listOf(request, admin)).toMatchObject({
      owner,
      canManage: true,
      access: { allowed: true },
      keys: [shown],
    });
    expect(await listOf(request, member)).toMatchObject({ owner, canManage: false, keys: [shown] });
    for (const [procedure, input] of changesOf(key))
      expect(await callProcedure(request, member, procedure, input)).toMatchObject(permissionRequired);
    expect(await whoami(request, secret)).toMatchObject({ status: 200, ownerId: id, createdBy: admin.userId });
    for (const [procedure, input] of changesOf(key))
      expect((await callProcedure(request, admin, procedure, input)).status, procedure).toBe(200);
  });

  test("the admin's own account, and a stranger's organisation, see none of them and end none", async ({ request }) => {
    const { admin, key, secret } = await organization(request);
    const personal = await newHttpUser({ userId: admin.userId });
    const stranger = await memberOf(`org_${randomUUID().replaceAll("-", "")}`, "org:admin");
    for (const user of [personal, stranger]) {
      expect((await listOf(request, user)).keys).toEqual([]);
      const rotation = { requestId: randomUUID(), graceSeconds: 300 };
      for (const [procedure, input] of [
        ["rotate", { id: key.id, ...rotation }],
        ...["cancelRotation", "endGrace", "revoke", "effect", "usage"].map((name) => [name, { id: key.id }] as const),
      ] as const)
        expect(await callProcedure(request, user, procedure, input)).toMatchObject({
          status: 404,
          error: { data: { domainCode: "API_KEY_NOT_FOUND" } },
        });
      expect((await callProcedure(request, user, "revokeAll", {})).status).toBe(200);
    }
    expect((await whoami(request, secret)).status).toBe(200);
    expect(await listOf(request, personal)).toMatchObject({ owner: { kind: "user", id: admin.userId, name: null } });
  });

  test("an impersonated admin sees and revokes them, and creates none", async ({ request }) => {
    const { id, admin, key, secret } = await organization(request);
    const impersonated = await memberOf(id, "org:admin", { userId: admin.userId, act: { sub: "user_support" } });
    expect((await listOf(request, impersonated)).keys).toHaveLength(1);
    expect(await callProcedure(request, impersonated, "create", { name: "x", requestId: randomUUID() })).toMatchObject({
      status: 403,
      error: { data: { domainCode: "IMPERSONATED" } },
    });
    expect((await callProcedure(request, impersonated, "revoke", { id: key.id })).status).toBe(200);
    expect(await whoami(request, secret)).toMatchObject({ status: 401, code: "api_key_revoked" });
  });

  test("a tab that was made for another owner than the session has now is refused, and changes nothing", async ({
    request,
  }) => {
    const { id, admin, key, secret } = await organization(request);
    const other = await organization(request);
    const rotation = { id: key.id, requestId: randomUUID(), graceSeconds: 300 };
    expect((await callProcedure(request, admin, "rotate", rotation)).status).toBe(200);
    const [rotating] = (await listOf(request, admin)).keys;
    const personal = await newHttpUser({ userId: admin.userId });
    const elsewhere = await memberOf(other.id, "org:admin", { userId: admin.userId });
    const hash = createHash("sha256").update(secret).digest("hex");
    const calls = [...changesOf(key), ["invalidateCache", { keyHash: hash }]] as const;
    // The page's owner, and the session that the browser sends meanwhile.
    for (const [expected, session] of [
      [id, personal],
      [id, elsewhere],
      [admin.userId, admin],
      [other.id, admin],
    ] as const) {
      const headers = { ...bearerOf(session), "x-expected-owner": expected };
      const list = await request.get("/api/trpc/apiKeys.list", { headers });
      expect([expected, list.status()]).toEqual([expected, 401]);
      for (const [procedure, input] of calls) {
        const answer = await request.post(`/api/trpc/apiKeys.${procedure}`, { headers, data: { json: input } });
        expect([procedure, answer.status()]).toEqual([procedure, 401]);
      }
    }
    expect(rotating).toMatchObject({ id: key.id, name: "Over HTTP", rotation: { state: "waiting" } });
    expect((await listOf(request, admin)).keys).toEqual([rotating]);
    for (const user of [personal, elsewhere])
      expect((await listOf(request, user)).keys.filter(({ createdBy }) => createdBy === admin.userId)).toEqual([]);
    const headers = { ...bearerOf(admin), "x-expected-owner": id };
    expect((await request.get("/api/trpc/apiKeys.list", { headers })).status()).toBe(200);
    expect((await whoami(request, secret)).status).toBe(200);
  });

  test("the original endpoint acts for the session's organisation too, for every member", async ({ request }) => {
    const { admin, member, secret } = await organization(request);
    const personal = await newHttpUser({ userId: admin.userId });
    const data = { keyHash: createHash("sha256").update(secret).digest("hex") };
    for (const [user, status] of [
      [member, 200],
      [admin, 200],
      [personal, 403],
    ] as const) {
      const headers = bearerOf(user);
      const answer = await request.post("/api/invalidate-user-api-key-cache", { headers, data });
      expect(answer.status()).toBe(status);
    }
    expect((await whoami(request, secret)).status).toBe(200);
  });

  test("they follow the organisation's plan, and not the person's", async ({ request }) => {
    const { id, admin, secret } = await organization(request);
    expect(await change(request, id, { features: ["other"] })).toEqual([200, 200]);
    expect(await whoami(request, secret)).toMatchObject({ status: 403, code: "api_access_required" });
    const personal = await newHttpUser({ userId: admin.userId });
    expect((await listOf(request, personal)).access).toEqual({ allowed: true });
    await change(request, id, { features: ["api_access"] });
    expect((await whoami(request, secret)).status).toBe(200);
  });

  test("who leaves is marked as having left, no longer creates or rotates, and is not marked after joining again", async ({
    request,
  }) => {
    const { id, admin, member, key, secret } = await organization(request);
    const membership = `${id}/memberships/${admin.userId}`;
    expect(await change(request, membership, { deleted: true })).toEqual([200]);
    expect((await listOf(request, member)).keys).toMatchObject([{ creatorLeft: true }]);
    expect((await whoami(request, secret)).status).toBe(200);
    // The session token is from before.
    for (const [procedure, input] of [
      ["create", { name: "x", requestId: randomUUID() }],
      ["rotate", { id: key.id, requestId: randomUUID(), graceSeconds: 0 }],
    ] as const)
      expect(await callProcedure(request, admin, procedure, input)).toMatchObject(permissionRequired);
    expect((await whoami(request, secret)).status).toBe(200);
    expect(await change(request, membership, { role: "org:admin" })).toEqual([200]);
    expect((await listOf(request, member)).keys).toMatchObject([{ creatorLeft: false }]);
  });

  test("they end with the organisation", async ({ request }) => {
    const { id, admin, secret } = await organization(request);
    expect(await change(request, id, { deleted: true })).toEqual([200]);
    expect(await whoami(request, secret)).toMatchObject({ status: 401, code: "api_key_revoked" });
    expect(await callProcedure(request, admin, "create", { name: "x", requestId: randomUUID() })).toMatchObject({
      status: 403,
      error: { data: { domainCode: "API_ACCESS_REQUIRED" } },
    });
  });

  test("a new name of the organisation is told at once", async ({ request }) => {
    const { id, admin } = await organization(request);
    expect(await listOf(request, admin)).toMatchObject({ owner: { name: "Umbrella" } });
    expect(await change(request, id, { name: "Umbrella Ltd" })).toEqual([200]);
    expect(await listOf(request, admin)).toMatchObject({ owner: { name: "Umbrella Ltd" } });
  });
});
