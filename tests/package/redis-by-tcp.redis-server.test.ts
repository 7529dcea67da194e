import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { verifyApiKey } from "@/server/keys";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { followIncidentPage } from "@/tests/support/incident";
import { commandOf, createPackageHost, type PackageHost, plainEnvironment } from "@/tests/support/package-host";
import { directPlaceOf } from "@/tests/support/services";

const run = promisify(execFile);

describe("the package in an app whose Redis is reached", () => {
  const server = useTestServer("tcp");
  let host: PackageHost;
  beforeAll(async () => {
    host = await createPackageHost();
  });
  afterAll(() => host.remove());

  /** Verifies a key in a process of the host. */
  async function verifyBy(redis: object) {
    const { secret } = await createKeyOf(server(), newCaller());
    const script = `import { createRequire } from "node:module";
      import { createLatchkey } from "latchkey";
      const { SECRET, DATABASE, REDIS } = process.env;
      const latchkey = createLatchkey({ secretFormat: { environment: "test" }, databaseUrl: DATABASE, redis: JSON.parse(REDIS), logLevel: "silent" });
      const { valid } = await latchkey.verify(SECRET);
      await latchkey.close();
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      console.log(JSON.stringify({ valid, hasLoadedIoredis: loaded.some((file) => file.includes("ioredis")) }));`;
    const env = plainEnvironment({
      SECRET: secret,
      DATABASE: server().postgresProxy.url,
      REDIS: JSON.stringify(redis),
    });
    const { stdout, stderr } = await run(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: host.folder,
      env,
    });
    return { ...(JSON.parse(stdout) as object), stderr };
  }

  it("by TCP verifies keys, and lets the process end", async () => {
    const place = directPlaceOf("tcp");
    if (!("address" in place)) throw new Error("no address");
    const redis = { connection: `redis://${place.address.host}:${place.address.port}` };
    expect(await verifyBy(redis)).toEqual({ valid: true, hasLoadedIoredis: true, stderr: "" });
  });

  it("by TCP ends what has leaked, as docs/incident.md says, and each command ends by itself", async () => {
    const { followed, receipts, leaked } = await followIncidentPage(server(), [process.execPath, commandOf(host)]);
    for (const { line, code, errors } of followed) expect({ line, code, errors }).toMatchObject({ line, code: 0 });
    expect(JSON.parse(receipts)).toMatchObject({ id: leaked.key.id, effect: { status: "effective" } });
    expect(await verifyApiKey(server(), leaked.secret)).toEqual({ valid: false, reason: "revoked" });
  });

  it("by Upstash's REST API does not load the client for TCP", async () => {
    const { url, token } = directPlaceOf("redis-server") as { url: string; token: string };
    expect(await verifyBy({ url, token })).toEqual({ valid: true, hasLoadedIoredis: false, stderr: "" });
  });
});
