import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

import { findFreePort } from "@/local/free-port";
import { revokeApiKey } from "@/server/keys";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { createPackageHost, plainEnvironment } from "@/tests/support/package-host";
import { sendRaw } from "@/tests/support/raw-http";
import { testRedis } from "@/tests/support/services";

const tsx = pathToFileURL(join(process.cwd(), "node_modules/tsx/dist/esm/index.mjs")).href;

describe.each([
  ["node-http", []],
  ["hono", ["hono"]],
])("the example %s, with the packed package", (name, packages) => {
  const server = useTestServer("embedded");

  it("answers whoami and a protected route, and refuses the key once it is revoked", async () => {
    const host = await createPackageHost(...packages);
    await cp("docs/examples", host.folder, { recursive: true });
    const port = await findFreePort();
    const redis = testRedis("embedded");
    const settings = {
      DATABASE_URL: server().postgresProxy.url,
      UPSTASH_REDIS_REST_URL: redis.url,
      UPSTASH_REDIS_REST_TOKEN: redis.token,
      PORT: String(port),
    };
    const example = spawn(process.execPath, ["--import", tsx, `${name}.ts`], {
      cwd: host.folder,
      env: plainEnvironment(settings),
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await once(example.stdout, "data");
      const caller = newCaller();
      const { key, secret } = await createKeyOf(server(), caller);
      const ask = (path: string, method = "GET", token = secret) =>
        fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { authorization: `Bearer ${token}` } });
      const told = async (answer: Promise<Response>) => {
        const { status, headers } = await answer;
        return [status, headers.get("content-type"), headers.get("cache-control"), headers.get("allow")];
      };

      expect(await (await ask("/")).text()).toBe(`Hello, ${caller.ownerId}\n`);
      expect(await (await ask("/api/v1/whoami")).json()).toMatchObject({ keyId: key.id, ownerId: caller.ownerId });
      const problem = "application/problem+json";
      expect(await told(ask("/api/v1/whoami", "PUT"))).toEqual([
        405,
        problem,
        "no-store",
        "GET, HEAD, DELETE, OPTIONS",
      ]);
      expect(await told(ask("/api/v1/nothing"))).toEqual([404, problem, "no-store", null]);
      expect(await (await ask("/api/nothing")).json()).toEqual({ error: "Not found" });
      const two = await sendRaw(`http://127.0.0.1:${port}/`, "GET", [
        ["Authorization", `Bearer ${secret}`],
        ["Authorization", "Bearer lk_test_another"],
      ]);
      expect(two.status).toBe(400);

      await revokeApiKey(server(), caller, key);
      const refused = await ask("/");
      expect([refused.status, await refused.json()]).toMatchObject([401, { code: "api_key_revoked" }]);
      expect((await ask("/", "GET", "lk_test_x")).status).toBe(401);

      const ended = once(example, "exit");
      example.kill("SIGTERM");
      expect(await ended).toEqual([0, null]);
    } finally {
      example.kill("SIGKILL");
      await host.remove();
    }
  });
});
