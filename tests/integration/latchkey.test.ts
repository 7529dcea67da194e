import { createLatchkey, type Latchkey, VerificationUnavailableError } from "latchkey";
import { createHandler } from "latchkey/http";
import { afterAll, describe, expect, it } from "vitest";

import { createApiKey, openServer, revokeApiKey } from "@/server/keys";
import { newCaller, newKeyInput } from "@/tests/support/domain";
import { createGate } from "@/tests/support/gate";
import { testDatabaseUrl, testRedis } from "@/tests/support/services";

const running: Latchkey[] = [];
afterAll(() => Promise.all(running.map((latchkey) => latchkey.close())));

async function startLatchkey(changes: Partial<Parameters<typeof createLatchkey>[0]> = {}) {
  const latchkey = createLatchkey({
    secretFormat: { environment: "test" },
    databaseUrl: await testDatabaseUrl(),
    redis: testRedis("embedded"),
    logLevel: "silent",
    http: { metricsSecret },
    ...changes,
  });
  running.push(latchkey);
  return latchkey;
}
const metricsSecret = "0123456789abcdef0123456789abcdef";

async function createKey(latchkey: Latchkey) {
  const caller = newCaller();
  const { key, secret } = await createApiKey(openServer(latchkey.server), caller, newKeyInput());
  return { key, secret, revoke: () => revokeApiKey(openServer(latchkey.server), caller, key) };
}

const ask = (path: string, bearer?: string, method = "GET") =>
  new Request(`https://app.example.com${path}`, {
    method,
    headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
  });
const acceptedIn = async (latchkey: Latchkey) => {
  const text = await (await latchkey.handler(ask("/api/metrics", metricsSecret))).text();
  return Number(/^latchkey_verification_seconds_count\{result="accepted"\} (\d+)$/m.exec(text)?.[1] ?? 0);
};

describe("two instances in one process", () => {
  it("know only their own keys, and count only their own verifications", async () => {
    const first = await startLatchkey();
    const second = await startLatchkey({
      redis: { ...testRedis("embedded"), prefix: "second:" },
      secretFormat: { prefix: "sec", environment: "test" },
    });
    const key = await createKey(first);
    expect((await first.verify(key.secret)).valid).toBe(true);
    expect(await second.verify(key.secret)).toEqual({ valid: false, reason: "malformed" });
    const other = await createKey(second);
    expect(other.secret).toMatch(/^sec_test_/);
    expect((await second.verify(other.secret)).valid).toBe(true);
    expect(await first.verify(other.secret)).toEqual({ valid: false, reason: "malformed" });
    expect([await acceptedIn(first), await acceptedIn(second)]).toEqual([1, 1]);
    await first.close();
    await other.revoke();
    expect(await second.verify(other.secret)).toEqual({ valid: false, reason: "revoked" });
  });
});

describe("without a sign-in", () => {
  it("keys are verified, and nobody is signed in", async () => {
    const latchkey = await startLatchkey();
    const { secret } = await createKey(latchkey);
    expect((await latchkey.handler(ask("/api/v1/whoami", secret))).status).toBe(200);
    expect(await latchkey.identity.readSession()).toEqual({ status: "signed_out" });
    expect((await latchkey.handler(ask("/api/webhooks/clerk", undefined, "POST"))).status).toBe(404);
  });
});

describe("the handler below a path", () => {
  it.each([
    ["/api", "/api"],
    ["/gateway/", "/gateway"],
    ["gateway", "/gateway"],
    ["/a/b//", "/a/b"],
    ["/", ""],
    ["", ""],
  ])("%j answers there and nowhere else", async (basePath, start) => {
    const latchkey = await startLatchkey();
    const { secret } = await createKey(latchkey);
    for (const handler of [latchkey.createHandler({ basePath }), createHandler(latchkey, { basePath })]) {
      expect((await handler(ask(`${start}/v1/whoami`, secret))).status).toBe(200);
      expect((await handler(ask(`/elsewhere${start}/v1/whoami`, secret))).status).toBe(404);
      expect((await handler(ask(`${start}/x/v1/whoami`, secret))).status).toBe(404);
      const wrong = await handler(ask(`${start}/v1/whoami`, secret, "PUT"));
      expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD, DELETE, OPTIONS"]);
      const { paths } = (await (await handler(ask(`${start}/openapi.json`))).json()) as { paths: object };
      expect(Object.keys(paths)).toContain(`${start}/v1/whoami`);
    }
  });
});

describe("what operators watch", () => {
  const readinessOf = async (latchkey: Latchkey) =>
    (await (await latchkey.handler(ask("/api/health/ready"))).json()) as Record<string, unknown>;
  const metricsOf = async (latchkey: Latchkey) => (await latchkey.handler(ask("/api/metrics", metricsSecret))).text();

  it("tells when this process last drained, and that it never has", async () => {
    const latchkey = await startLatchkey();
    expect(await readinessOf(latchkey)).toMatchObject({ lastDrainSeconds: null });
    expect(await metricsOf(latchkey)).toMatch(/^latchkey_drain_last_success_timestamp_seconds 0$/m);
    const before = Date.now() / 1_000;
    await latchkey.drain();
    const { lastDrainSeconds } = await readinessOf(latchkey);
    expect(lastDrainSeconds).toEqual(expect.any(Number));
    const [, at = "0"] = /^latchkey_drain_last_success_timestamp_seconds (\S+)$/m.exec(await metricsOf(latchkey)) ?? [];
    expect(Number(at)).toBeGreaterThanOrEqual(before);
  });

  it("tells the number of reported leaks, and to nobody without the secret what they were", async () => {
    const latchkey = await startLatchkey();
    const { metrics } = openServer(latchkey.server);
    metrics.countLeak("github", "revoked");
    metrics.countLeak("web", "unknown");
    const readiness = await readinessOf(latchkey);
    expect(readiness).toMatchObject({ leaksReceived: 2 });
    expect(JSON.stringify(readiness)).not.toMatch(/revoked|unknown|github|web/);
    expect(await metricsOf(latchkey)).toMatch(
      /^latchkey_leaks_received_total\{source="github",outcome="revoked"\} 1$/m,
    );
  });

  it("stays there while the database is down, and claims no empty outbox", async () => {
    const latchkey = await startLatchkey({ databaseUrl: "postgres://latchkey@127.0.0.1:9/none" });
    const { secret } = await createKey(await startLatchkey());
    await expect(latchkey.verify(secret)).rejects.toBeInstanceOf(VerificationUnavailableError);
    const response = await latchkey.handler(ask("/api/metrics", metricsSecret));
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).toMatch(/^latchkey_verification_seconds_count\{result="unavailable"\} 1$/m);
    for (const name of ["latchkey_pending_purges", "latchkey_oldest_pending_purge_seconds"])
      expect(text).toMatch(new RegExp(`^${name} Nan$`, "m"));
    await expect(latchkey.drain()).rejects.toThrow();
    expect(await readinessOf(latchkey)).toMatchObject({ postgres: "unreachable", lastDrainSeconds: null });
  });
});

describe("close", () => {
  it("waits for the verifications and the deferred tasks that are running", async () => {
    const { opened, open } = createGate();
    const latchkey = await startLatchkey({ defer: (task) => void opened.then(task) });
    const { secret } = await createKey(latchkey);
    const route = latchkey.withApiKey(async () => {
      await opened;
      return new Response();
    });
    const events: string[] = [];
    const answer = route(ask("/", secret), {}).then(() => events.push("answered"));
    const verdict = latchkey.verify(secret).then(({ valid }) => events.push(valid ? "accepted" : "refused"));
    const closing = latchkey.close().then(() => events.push("closed"));
    await verdict;
    open();
    await Promise.all([closing, answer]);
    expect(events).toEqual(["accepted", "answered", "closed"]);
    const { text } = await openServer(latchkey.server).metrics.render({ count: 0, oldestSeconds: null });
    expect(text).toMatch(/^latchkey_slot_fills_total\{result="stored"\} 1$/m);
  });

  it("writes the uses that were counted", async () => {
    const databaseUrl = await testDatabaseUrl();
    const latchkey = await startLatchkey({ databaseUrl });
    const { secret } = await createKey(latchkey);
    // The first use of a process is written at once, later ones within a minute.
    for (let use = 0; use < 3; use++) await latchkey.verify(secret);
    await latchkey.close();
    const after = await startLatchkey({ databaseUrl });
    const { rows } = await openServer(after.server).db.execute<{ sum: string }>(
      "select sum(count) as sum from latchkey.api_key_usage",
    );
    expect(Number(rows[0]?.sum)).toBe(3);
  });

  it("may be called twice, at once and later, and starts no drain afterwards", async () => {
    const latchkey = await startLatchkey();
    latchkey.startDraining();
    await Promise.all([latchkey.close(), latchkey.close()]);
    latchkey.startDraining();
    await latchkey.close();
    const fresh = await startLatchkey();
    const { secret } = await createKey(fresh);
    await expect(latchkey.verify(secret)).rejects.toBeInstanceOf(VerificationUnavailableError);
  });
});
