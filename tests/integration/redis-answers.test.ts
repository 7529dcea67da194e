import { afterEach, describe, expect, it } from "vitest";

import { createApiKey, invalidateCache, limitInvalidations, verifyApiKey } from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { owners } from "@/server/platform/schema";
import { createWithApiKey } from "@/server/http/with-api-key";
import { checkReadiness } from "@/server/http/readiness";
import { createKeyOf, newCaller, newKeyInput, useTestServer } from "@/tests/support/domain";
import { youngMinute } from "@/tests/support/young-minute";

/** JSON as a REST API would send it, of something that is no answer to what was asked. */
const answers = [
  ["OK", '{"result":"OK"}'],
  ["null", '{"result":null}'],
  ["the text 1", '{"result":"1"}'],
  ["the number 1", '{"result":1}'],
  ["an empty list", '{"result":[]}'],
  ["texts", '{"result":["OK","OK"]}'],
  ["numbers as texts", '{"result":["LTE=","NjA="]}'],
  ["numbers as plain texts", '{"result":["-1","60"]}'],
  ["too few numbers", '{"result":[-1]}'],
  ["too many numbers", '{"result":[-1,60,0]}'],
  ["a count of another limit", '{"result":[-1,61]}'],
  ["less than nothing", '{"result":[-2,60]}'],
  ["half a call", '{"result":[-0.5,60]}'],
  ["nothing of a limit", '{"result":[null,60]}'],
  ["a fraction that would pass", '{"result":[59.5,60]}'],
  ["as many left as the limit, as if this call were none", '{"result":[60,60]}'],
  ["more than a number can tell", '{"result":[1e400,60]}'],
  ["far below nothing", '{"result":[-1e400,60]}'],
  ["not a number", '{"result":["NaN",60]}'],
  ["yes and no", '{"result":[false,60]}'],
  ["lists in a list", '{"result":[[-1],[60]]}'],
  ["an object", '{"result":{}}'],
  ["no result", "{}"],
  ["a list of OK", '[{"result":"OK"}]'],
  ["JSON's null", "null"],
  ["no JSON", "OK"],
] as const;

describe("a Redis that answers everything with", () => {
  const server = useTestServer("embedded");

  afterEach(() => {
    server().redisProxy.decide = () => "pass";
  });

  it.each(answers)("%s has counted nothing: nobody is told of too many requests", async (_title, body) => {
    server().redisProxy.decide = () => ({ status: 200, body });
    const caller = newCaller();
    await expect(createApiKey(server(), caller, newKeyInput())).resolves.toMatchObject({ replaced: null });
    await expect(limitInvalidations(server(), caller)).resolves.toBeUndefined();
    for (const name of ["owner", "create", "invalidate"] as const)
      expect(await server().limits[name](caller.ownerId, 60)).toBeNull();
  });

  it.each(answers)("%s has neither accepted, refused, purged nor answered a check", async (_title, body) => {
    const caller = newCaller();
    await server().db.insert(owners).values({ id: caller.ownerId, requestsPerMinute: 60 });
    const { secret } = await createKeyOf(server(), caller);
    server().redisProxy.decide = () => ({ status: 200, body });
    expect(await verifyApiKey(server(), secret)).toMatchObject({ valid: true });
    const handler = createWithApiKey(() => server())(() => new Response("ok"));
    const response = await handler(new Request("http://localhost/x", { headers: { "x-api-key": secret } }), {});
    expect([response.status, response.headers.get("ratelimit")]).toEqual([200, null]);
    const keyHash = hashSecret(secret).toString("hex");
    expect(await invalidateCache(server(), caller, { keyHash })).toMatchObject({ effect: { status: "pending" } });
    expect(await checkReadiness(server())).toMatchObject({ isReady: false, redis: "unreachable" });
  });

  it.each(answers)("%s does not say what a slot held before its bypass", async (_title, body) => {
    server().redisProxy.decide = () => ({ status: 200, body });
    // Nothing at all is what an empty slot held.
    await expect(server().slots.bypass([Buffer.alloc(32), Buffer.alloc(32)])).rejects.toThrow();
  });

  it("counts is believed again as soon as the answers are counts", async () => {
    const caller = newCaller();
    server().redisProxy.decide = () => ({ status: 200, body: '{"result":"OK"}' });
    await limitInvalidations(server(), caller);
    server().redisProxy.decide = () => "pass";
    await youngMinute();
    expect(await server().limits.invalidate(caller.ownerId, 60)).toMatchObject({ isWithin: true, remaining: 59 });
    for (let call = 1; call < 60; call++) await limitInvalidations(server(), caller);
    await expect(limitInvalidations(server(), caller)).rejects.toMatchObject({ code: "RATE_LIMITED" });
  });
});
