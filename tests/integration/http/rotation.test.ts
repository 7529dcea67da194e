import { randomUUID } from "node:crypto";

import { beforeAll, describe, expect, it } from "vitest";

import { endGrace, listApiKeys, rotateApiKey } from "@/server/keys";
import { createHandler } from "@/server/http/handler";
import { noIdentity } from "@/server/http/no-identity";
import { effectSchema, introspectionSchema, whoamiSchema } from "@/server/http/schemas";
import { owners } from "@/server/platform/schema";
import { rotateInput } from "@/server/shared/inputs";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { youngMinute } from "@/tests/support/young-minute";

const introspectionSecret = "i".repeat(32);

describe("the endpoints during a rotation", () => {
  const server = useTestServer("embedded");
  let handler: ReturnType<typeof createHandler>;
  beforeAll(() => {
    const http = {
      appOrigin: "http://localhost",
      allowedOrigins: [],
      introspectionSecret,
      cronSecret: undefined,
      metricsSecret: undefined,
    };
    handler = createHandler({ server: server(), identity: noIdentity, http });
  });
  const whoami = (secret: string, method = "GET") =>
    handler(new Request("http://localhost/api/v1/whoami", { method, headers: { "x-api-key": secret } }));
  const introspect = async (token: string) => {
    const headers = {
      authorization: `Bearer ${introspectionSecret}`,
      "content-type": "application/x-www-form-urlencoded",
    };
    const body = `token=${token}`;
    const answer = await handler(new Request("http://localhost/api/v1/introspect", { method: "POST", headers, body }));
    return introspectionSchema.parse(await answer.json());
  };

  async function rotated(fields: { expiresInDays?: number } = {}) {
    const caller = newCaller();
    const { key, secret: old } = await createKeyOf(server(), caller, fields);
    const input = rotateInput.parse({ id: key.id, requestId: randomUUID(), graceSeconds: 300 });
    const { secret: fresh } = await rotateApiKey(server(), caller, input);
    return { caller, key, old, fresh };
  }

  it("say which secret was sent and when it ends, in the body and in a header", async () => {
    const { caller, old, fresh } = await rotated();
    const before = await whoami(old);
    expect(before.headers.has("api-key-expires")).toBe(false);
    expect(whoamiSchema.parse(await before.json())).toMatchObject({ secret: "current", expiresAt: null });

    const first = await whoami(fresh);
    expect(first.headers.has("api-key-expires")).toBe(false);
    expect(whoamiSchema.parse(await first.json())).toMatchObject({ secret: "current", expiresAt: null });

    const [shown] = (await listApiKeys(server(), caller)).keys;
    if (shown?.rotation?.state !== "grace") throw new Error("no grace runs");
    const { endsAt } = shown.rotation;
    const seconds = Math.floor(endsAt.getTime() / 1_000);
    for (const round of ["read", "cached"]) {
      const after = await whoami(old);
      expect(after.headers.get("api-key-expires"), round).toBe(`@${seconds}`);
      expect(whoamiSchema.parse(await after.json())).toMatchObject({
        secret: "previous",
        expiresAt: endsAt.toISOString(),
      });
      expect(await introspect(old), round).toMatchObject({ active: true, client_id: shown.id, exp: seconds });
      await server().runDeferred();
    }
    expect(await introspect(fresh)).not.toHaveProperty("exp");
    server().advance(300_000);
    const ended = await whoami(old);
    expect({ status: ended.status, ...((await ended.json()) as object) }).toMatchObject({
      status: 401,
      code: "api_key_revoked",
    });
    expect(ended.headers.has("api-key-expires")).toBe(false);
    expect(await introspect(old)).toEqual({ active: false });
    server().advance(-300_000);
  });

  it("tell the key's own expiry in the header, rounded down, and none on a refusal", async () => {
    const { key, old } = await rotated({ expiresInDays: 1 });
    expect((await whoami(old)).headers.get("api-key-expires")).toBe(
      `@${Math.floor((key.expiresAt?.getTime() ?? 0) / 1_000)}`,
    );
    expect((await whoami(`${old}x`)).headers.has("api-key-expires")).toBe(false);
  });

  it("do not tell an end where the owner's limit refuses", async () => {
    const { caller, old } = await rotated({ expiresInDays: 1 });
    await server()
      .db.insert(owners)
      .values({ id: caller.ownerId, requestsPerMinute: 1 })
      .onConflictDoUpdate({ target: owners.id, set: { requestsPerMinute: 1 } });
    await youngMinute();
    expect((await whoami(old)).headers.has("api-key-expires")).toBe(true);
    const refused = await whoami(old);
    expect({ status: refused.status, tells: refused.headers.has("api-key-expires") }).toEqual({
      status: 429,
      tells: false,
    });
  });

  it("activate by introspection too, and a secret that was ended tells its effect when it is sent to end itself", async () => {
    const { caller, key, old, fresh } = await rotated();
    expect(await introspect(fresh)).toMatchObject({ active: true });
    const { effect } = await endGrace(server(), caller, key);
    const answer = await whoami(old, "DELETE");
    expect(answer.status).toBe(200);
    expect(effectSchema.parse(await answer.json())).toEqual(JSON.parse(JSON.stringify(effect)));
    expect((await whoami(fresh)).status).toBe(200);
  });
});
