import { spawn } from "node:child_process";
import { once } from "node:events";

import { describe, expect, it } from "vitest";

import { findFreePort } from "@/local/free-port";
import { revokeApiKey } from "@/server/keys";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { testRedis } from "@/tests/support/services";

describe("the node:http example", () => {
  const server = useTestServer("embedded");

  it("accepts a key without Next, and refuses it once revoked", async () => {
    const port = await findFreePort();
    const redis = testRedis("embedded");
    const settings = {
      DATABASE_URL: server().postgresProxy.url,
      UPSTASH_REDIS_REST_URL: redis.url,
      UPSTASH_REDIS_REST_TOKEN: redis.token,
      PORT: String(port),
    };
    const example = spawn(process.execPath, ["--import", "tsx", "docs/examples/node-http.ts"], {
      env: { ...process.env, ...settings },
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await once(example.stdout, "data");
      const caller = newCaller();
      const { key, secret } = await createKeyOf(server(), caller);
      const call = async (token: string) => {
        const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: `Bearer ${token}` } });
        return [answer.status, (await answer.text()).trim()];
      };
      expect(await call(secret)).toEqual([200, `Hello, ${caller.ownerId}`]);
      expect(await call(secret)).toEqual([200, `Hello, ${caller.ownerId}`]);
      expect(await call("lk_test_x")).toEqual([401, "malformed"]);
      await revokeApiKey(server(), caller, key);
      expect(await call(secret)).toEqual([401, "revoked"]);
    } finally {
      example.kill("SIGKILL");
    }
  });
});
