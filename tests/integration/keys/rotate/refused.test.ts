import { randomUUID } from "node:crypto";

import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import {
  type Caller,
  cancelRotation,
  createApiKey,
  endGrace,
  listApiKeys,
  revokeApiKey,
  rotateApiKey,
  verifyApiKey,
} from "@/server/keys";
import { setOwnerAccess } from "@/server/owners";
import { owners } from "@/server/platform/schema";
import { rotateInput } from "@/server/shared/inputs";
import { createKeyOf, newCaller, newKeyInput, useTestServer } from "@/tests/support/domain";
import { redisKinds } from "@/tests/support/services";
import { youngMinute } from "@/tests/support/young-minute";

import { current, reused, useRotatingKeys } from "./rotating-keys";

describe.each(redisKinds)("rotation on %s", (redisKind) => {
  const { server, inputFor, rotate, waiting, inGrace } = useRotatingKeys(redisKind);

  describe("security", () => {
    it("is refused in the order of its rules", async () => {
      const { caller, key } = await inGrace();
      const refuses = (who: Caller, id = key.id, input = {}) =>
        expect(rotateApiKey(server(), who, { ...inputFor(id), ...input })).rejects;
      const stranger = newCaller();
      const unknown = "key_01890000-0000-7000-8000-000000000000";
      await refuses({ ...caller, impersonatedBy: "user_support" }, unknown).toMatchObject({ code: "IMPERSONATED" });
      await refuses(stranger).toMatchObject({ code: "API_KEY_NOT_FOUND" });
      await refuses(caller, unknown).toMatchObject({ code: "API_KEY_NOT_FOUND" });
      for (const verb of [cancelRotation, endGrace])
        await expect(verb(server(), stranger, key)).rejects.toMatchObject({ code: "API_KEY_NOT_FOUND" });
      const used = newKeyInput();
      await createApiKey(server(), caller, used);
      await refuses(caller, key.id, { requestId: used.requestId }).toMatchObject(reused);
      await refuses(caller).toMatchObject({ code: "API_KEY_ROTATING" });
      await revokeApiKey(server(), caller, key);
      await refuses(caller, key.id, { requestId: used.requestId }).toMatchObject({ code: "API_KEY_NOT_ACTIVE" });
      await server().db.update(owners).set({ closedAt: new Date() }).where(eq(owners.id, caller.ownerId));
      await refuses(caller).toMatchObject({ code: "API_ACCESS_REQUIRED" });
      await refuses(caller, unknown).toMatchObject({ code: "API_KEY_NOT_FOUND" });
    });

    it("creations and rotations together are limited to 60 a minute", async () => {
      await youngMinute();
      const { caller, key } = await waiting();
      const unknown = "key_01890000-0000-7000-8000-000000000000";
      const codes = new Set<unknown>();
      for (let call = 0; call < 60; call++)
        await rotateApiKey(server(), caller, inputFor(unknown)).catch((fault: unknown) =>
          codes.add((fault as { code: unknown }).code),
        );
      expect([...codes]).toEqual(["API_KEY_NOT_FOUND", "RATE_LIMITED"]);
      await expect(rotate(caller, { key })).rejects.toMatchObject({ code: "RATE_LIMITED" });
      await expect(createKeyOf(server(), caller)).rejects.toMatchObject({ code: "RATE_LIMITED" });
    });
  });
});

describe.each(redisKinds)("rotation with a required feature on %s", (redisKind) => {
  const server = useTestServer(redisKind, { accessFeature: "api_access" });

  it("a secret that waits is refused without access, and not activated by that", async () => {
    const caller = newCaller({ hasAccessClaim: true });
    const created = await createKeyOf(server(), caller);
    const input = rotateInput.parse({ id: created.key.id, requestId: randomUUID(), graceSeconds: 300 });
    const { secret } = await rotateApiKey(server(), caller, input);
    const setAccess = (allowed: boolean) =>
      setOwnerAccess(server(), { ownerId: caller.ownerId, allowed, until: null, at: new Date() });
    await setAccess(false);
    expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "access_required" });
    await server().runDeferred();
    expect((await listApiKeys(server(), caller)).keys).toMatchObject([{ rotation: { state: "waiting" } }]);
    await expect(rotateApiKey(server(), caller, { ...input, requestId: randomUUID() })).rejects.toMatchObject({
      code: "API_ACCESS_REQUIRED",
    });
    await setAccess(true);
    expect(await verifyApiKey(server(), secret)).toMatchObject(current);
    await setAccess(false);
    for (const either of [secret, created.secret])
      expect(await verifyApiKey(server(), either)).toEqual({ valid: false, reason: "access_required" });
  });
});
