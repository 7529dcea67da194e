import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { createHandler } from "@/server/http";
import { noIdentity } from "@/server/http/no-identity";
import { verifyApiKey } from "@/server/keys";
import { mintSecret } from "@/server/keys/secret";
import { createKeyOf, newCaller, startTestServer } from "@/tests/support/domain";
import { ec, type GithubSender, pemOf, startGithubSender } from "@/tests/support/github-sender";
import { recordedEvents } from "@/tests/support/recorded-events";
import type { Settings, TestServer } from "@/tests/support/server-instance";
import { testDatabaseUrl } from "@/tests/support/services";

const noHttp = {
  appOrigin: "https://app.example.com",
  allowedOrigins: [],
  introspectionSecret: undefined,
  cronSecret: undefined,
  metricsSecret: undefined,
};
const handlerOf = (server: TestServer) => createHandler({ server, identity: noIdentity, http: noHttp });

let sender: GithubSender;
let databaseUrl: string;
const started: TestServer[] = [];
beforeAll(async () => {
  databaseUrl = await testDatabaseUrl();
});
beforeEach(async () => {
  sender = await startGithubSender();
});
afterEach(() => sender.stop());
afterAll(() => Promise.all(started.map((server) => server.close())));

/** A server of its own: its memory knows no key of GitHub's and no report. */
async function start(settings: Settings = {}) {
  const server = await startTestServer("embedded", databaseUrl, {
    ...settings,
    leaks: { githubSecretScanning: true, githubKeysUrl: sender.keysUrl, ...settings.leaks },
  });
  started.push(server);
  return { server, handle: handlerOf(server) };
}

async function newKey(server: TestServer) {
  const caller = newCaller();
  const created = await createKeyOf(server, caller);
  const history = async () => (await recordedEvents(server.db, caller.ownerId)).slice(1);
  return { caller, ...created, history };
}

async function expectProblem(response: Response, status: number, code: string) {
  expect([response.status, await response.clone().json()]).toEqual([status, expect.objectContaining({ code, status })]);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(response.headers.get("cache-control")).toBe("no-store");
}

const match = (token: string, url = "https://github.com/octo/repo/blob/main/a.yml") => ({
  token,
  type: "latchkey_api_key",
  url,
  source: "content",
});
const label = (token: string, isOurs: boolean) => ({
  token_raw: token,
  token_type: "latchkey_api_key",
  label: isOurs ? "true_positive" : "false_positive",
});

describe("POST /api/v1/leaks/github", () => {
  it("ends the keys that GitHub has found, and labels each match in the order of the request", async () => {
    const { server, handle } = await start();
    const [a, b] = [await newKey(server), await newKey(server)];
    const unknown = mintSecret({ prefix: "lk", environment: "test" });
    const tokens = [b.secret, unknown, "lk_test_masked***", a.secret, b.secret];
    const response = await handle(sender.report(tokens.map((token) => match(token))));
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual(
      tokens.map((token) => label(token, token === a.secret || token === b.secret)),
    );
    await server.runDeferred();
    for (const key of [a, b]) {
      expect(await verifyApiKey(server, key.secret)).toEqual({ valid: false, reason: "revoked" });
      expect((await key.history()).slice(0, 2)).toMatchObject([
        {
          action: "key.exposed",
          actor: ["reporter", "github", null],
          detail: { source: "github", location: "content" },
        },
        { action: "key.revoked", actor: ["reporter", "github", null], detail: { by: "leak" } },
      ]);
    }
  });

  it("answers a replay, also of a part and in another order, the same, and nothing happens twice", async () => {
    const { server, handle } = await start();
    const { secret, history } = await newKey(server);
    const other = await newKey(server);
    const matches = [match(secret), match("x"), match(other.secret)];
    const first = (await (await handle(sender.report(matches))).json()) as unknown[];
    await server.runDeferred();
    const before = [await history(), await other.history()];
    expect(await (await handle(sender.report(matches))).json()).toEqual(first);
    expect(await (await handle(sender.report([match(secret)]))).json()).toEqual([label(secret, true)]);
    expect(await (await handle(sender.report(matches.toReversed()))).json()).toEqual(first.toReversed());
    await server.runDeferred();
    expect([await history(), await other.history()]).toEqual(before);
  });

  it("answers an empty list with an empty list", async () => {
    const { handle } = await start();
    const response = await handle(sender.report([]));
    expect([response.status, await response.json()]).toEqual([200, []]);
  });

  it("is not there unless it is turned on, whatever is sent", async () => {
    const { handle } = await start({ leaks: { githubSecretScanning: false } });
    await expectProblem(await handle(sender.report([])), 404, "leaks_off");
    await expectProblem(await handle(new Request("http://localhost/api/v1/leaks/github")), 404, "leaks_off");
    const huge = new Request("http://localhost/api/v1/leaks/github", { method: "POST", body: "x".repeat(2 ** 20 + 1) });
    await expectProblem(await handle(huge), 404, "leaks_off");
    expect(sender.requests).toHaveLength(0);
  });

  it("has no other method than POST and OPTIONS", async () => {
    const { handle } = await start();
    const ask = (method: string) => handle(new Request("http://localhost/api/v1/leaks/github", { method }));
    for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE"]) {
      const { status, headers } = await ask(method);
      expect([method, status, headers.get("allow")]).toEqual([method, 405, "POST, OPTIONS"]);
    }
    expect((await ask("OPTIONS")).status).toBe(204);
  });

  it("looks at the size first, then at the signature, then at the shape", async () => {
    const { handle } = await start();
    const sign = (body: string) => ({ method: "POST", headers: sender.headersFor(body), body });
    const post = (init: RequestInit) => handle(new Request("http://localhost/api/v1/leaks/github", init));
    const tooLarge = `["${"x".repeat(2 ** 20)}"]`;
    await expectProblem(await post({ method: "POST", body: tooLarge }), 413, "body_too_large");
    await expectProblem(await post(sign(tooLarge)), 413, "body_too_large");
    await expectProblem(await post({ method: "POST", body: "no JSON" }), 401, "invalid_signature");
    await expectProblem(await post({ method: "POST" }), 401, "invalid_signature");
    for (const body of ["", "no JSON", "{}", "[5]", JSON.stringify([{ ...match("x"), url: 5 }])])
      await expectProblem(await post(sign(body)), 422, "invalid_body");
    // As large as allowed: to the byte.
    const filled = (length: number) => JSON.stringify([match("x".repeat(length - JSON.stringify([match("")]).length))]);
    expect(filled(2 ** 20)).toHaveLength(2 ** 20);
    expect((await post(sign(filled(2 ** 20)))).status).toBe(200);
    await expectProblem(await post(sign(filled(2 ** 20 + 1))), 413, "body_too_large");
  });

  it("reads no more of a body without a length than it takes", async () => {
    const { handle } = await start();
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    await expectProblem(await handle(new Request("http://localhost/api/v1/leaks/github", init)), 413, "body_too_large");
    expect(sent).toBeLessThan(2 * 2 ** 20);
  });

  it.each(["/api/v1/leaks/github", "/api/v1/leaks"])(
    "waits for a body that drips only for a time (%s)",
    async (path) => {
      const { handle } = await start();
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      try {
        let isGivenUp = false;
        const body = new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(new TextEncoder().encode("[")),
          cancel: () => void (isGivenUp = true),
        });
        const init = { method: "POST", body, duplex: "half" } as RequestInit;
        const answer = handle(new Request(`http://localhost${path}`, init));
        await vi.advanceTimersByTimeAsync(10_000);
        await expectProblem(await answer, 422, "invalid_body");
        expect(isGivenUp).toBe(true);
      } finally {
        vi.useRealTimers();
      }
    },
  );

  it("changes nothing for a forged report, and asks the database nothing", async () => {
    const { server, handle } = await start();
    const { secret, history } = await newKey(server);
    const genuine = sender.report([match(secret)]);
    const headers = Object.fromEntries(genuine.headers);
    const stranger = await startGithubSender();
    server.postgresProxy.statements.length = 0;
    const post = (body: string, changed: Record<string, string>) =>
      handle(new Request(genuine.url, { method: "POST", headers: changed, body }));
    const body = JSON.stringify([match(secret)]);
    const forged: [string, Record<string, string>][] = [
      [JSON.stringify([match(secret, "https://example.com")]), headers],
      [JSON.stringify([match("x"), match(secret)]), headers],
      [` ${body}`, headers],
      [body, stranger.headersFor(body)],
      [body, { ...stranger.headersFor(body), "Github-Public-Key-Identifier": sender.keyId }],
      [body, { ...headers, "Github-Public-Key-Identifier": "another" }],
      [body, { ...headers, "Github-Public-Key-Signature": "MEUCIQ==" }],
      [body, {}],
    ];
    for (const [text, changed] of forged) await expectProblem(await post(text, changed), 401, "invalid_signature");
    expect(server.postgresProxy.statements).toEqual([]);
    expect(await history()).toEqual([]);
    expect((await verifyApiKey(server, secret)).valid).toBe(true);
    await stranger.stop();
    expect((await handle(genuine)).status).toBe(200);
  });

  it("crashes at no key of the list: those of another kind are none", async () => {
    const { handle } = await start();
    sender.publish("p384", pemOf(ec("P-384").publicKey));
    sender.publish("garbage", "garbage");
    for (const id of ["p384", "garbage"])
      await expectProblem(
        await handle(sender.report([], { "Github-Public-Key-Identifier": id })),
        401,
        "invalid_signature",
      );
    expect((await handle(sender.report([]))).status).toBe(200);
  });

  it("does not refuse what it cannot check: 503 while GitHub's keys cannot be read", async () => {
    const { server, handle } = await start();
    const { secret, history } = await newKey(server);
    sender.answer = (response) => void response.writeHead(500).end();
    const response = await handle(sender.report([match(secret)]));
    await expectProblem(response, 503, "keys_unavailable");
    expect(response.headers.get("retry-after")).toBe("10");
    expect(await history()).toEqual([]);
    sender.answer = null;
    server.advance(10_000);
    expect((await handle(sender.report([match(secret)]))).status).toBe(200);
    sender.answer = (response) => void response.writeHead(500).end();
    server.advance(3_600_000);
    expect((await handle(sender.report([match(secret)]))).status).toBe(200);
  });

  it("answers 503 while the database is down, and a second report ends the key", async () => {
    const { server, handle } = await start();
    const { secret } = await newKey(server);
    server.postgresProxy.sever();
    await expectProblem(await handle(sender.report([match(secret)])), 503, "verification_unavailable");
    // What is no key needs no database.
    expect((await handle(sender.report([match("x")]))).status).toBe(200);
    server.postgresProxy.heal();
    expect(await (await handle(sender.report([match(secret)]))).json()).toEqual([label(secret, true)]);
  });

  it("answers as soon as it is committed while Redis hangs", async () => {
    const { server, handle } = await start();
    const { secret, history } = await newKey(server);
    server.redisProxy.decide = () => "hang";
    server.redisProxy.requests.length = 0;
    expect((await handle(sender.report([match(secret)]))).status).toBe(200);
    expect(server.redisProxy.requests).toEqual([]);
    expect((await history()).map(({ action }) => action)).toEqual(["key.exposed", "key.revoked"]);
  });

  it("keeps an address as text whatever it holds, and stores none that has the key in it", async () => {
    const { server, handle } = await start();
    const { secret, history } = await newKey(server);
    const places = ["javascript:alert(1)", "\0\ud800", `https://example.com/?key=${secret}`, "u".repeat(2_048), ""];
    expect((await handle(sender.report(places.map((place) => match(secret, place))))).status).toBe(200);
    const told = (await history()).filter(({ action }) => action === "key.exposed").map(({ detail }) => detail.url);
    expect(told).toEqual([
      "javascript:alert(1)",
      "\ufffd\ufffd",
      "https://example.com/?key=…",
      "u".repeat(2_048),
      null,
    ]);
  });
});

describe("POST /api/v1/leaks", () => {
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    new Request("http://localhost/api/v1/leaks", {
      method: "POST",
      headers,
      body: typeof body === "string" ? body : JSON.stringify(body),
    });

  it("ends what somebody has found, and answers the same whatever it was", async () => {
    const { server, handle } = await start();
    const { secret, history } = await newKey(server);
    const bodies = [
      { credentials: [secret], url: "https://example.com/paste" },
      { credentials: [secret] },
      { credentials: ["", "x".repeat(10_000), mintSecret({ prefix: "lk", environment: "test" })] },
    ];
    for (const body of bodies) {
      const response = await handle(post(body));
      expect([response.status, await response.text()]).toEqual([202, "{}"]);
      expect(response.headers.get("cache-control")).toBe("no-store");
      await server.runDeferred();
    }
    expect((await verifyApiKey(server, secret)).valid).toBe(false);
    const detail = { source: "report", location: null };
    expect(await history()).toMatchObject([
      {
        action: "key.exposed",
        actor: ["reporter", null, null],
        detail: { ...detail, url: "https://example.com/paste", action: "revoke" },
      },
      { action: "key.revoked", actor: ["reporter", null, null], detail: { by: "leak" } },
      { action: "key.revocation_effective" },
      { action: "key.exposed", detail: { ...detail, url: null, action: "report" } },
    ]);
  });

  it("refuses a body that is malformed or too large, and ends nothing of it", async () => {
    const { server, handle } = await start();
    const { secret } = await newKey(server);
    for (const body of [
      "",
      "[",
      "null",
      { credentials: [] },
      { credentials: [secret], x: 1 },
      { credentials: [secret, 5] },
    ])
      await expectProblem(await handle(post(body)), 422, "invalid_body");
    const large = (length: number) => {
      const empty = JSON.stringify({ credentials: [secret, ""] }).length;
      return JSON.stringify({ credentials: [secret, "x".repeat(length - empty)] });
    };
    await expectProblem(await handle(post(large(256 * 1024 + 1))), 413, "body_too_large");
    expect((await verifyApiKey(server, secret)).valid).toBe(true);
    expect((await handle(post(large(256 * 1024)))).status).toBe(202);
  });

  it("has no other method than POST and OPTIONS", async () => {
    const { handle } = await start();
    for (const method of ["GET", "PUT", "DELETE"]) {
      const { status, headers } = await handle(new Request("http://localhost/api/v1/leaks", { method }));
      expect([status, headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
    }
  });

  it("answers 503 when nothing is committed, and 202 when Redis alone is down", async () => {
    const { server, handle } = await start();
    const { secret } = await newKey(server);
    server.postgresProxy.sever();
    await expectProblem(await handle(post({ credentials: [secret] })), 503, "verification_unavailable");
    server.postgresProxy.heal();
    server.redisProxy.decide = () => "hang";
    expect((await handle(post({ credentials: [secret] }))).status).toBe(202);
  });

  it("takes 30 reports a minute of an address, whatever they are, and others' as before", async () => {
    const { server, handle } = await start({ trustedProxyHops: 1 });
    const from = (address: string, body: unknown = { credentials: ["x"] }, spoofed = "10.0.0.1") =>
      handle(post(body, { "X-Forwarded-For": `${spoofed}, ${address}` }));
    for (let at = 0; at < 15; at++) {
      expect((await from("192.0.2.1", undefined, `10.0.0.${at}`)).status).toBe(202);
      expect((await from("192.0.2.1:4711", "no JSON")).status).toBe(422);
    }
    const refused = await from("192.0.2.1");
    await expectProblem(refused, 429, "rate_limited");
    expect(refused.headers.get("retry-after")).toMatch(/^([1-9]|[1-5]\d|60)$/);
    expect((await from("192.0.2.2")).status).toBe(202);
    server.advance(60_001);
    expect((await from("192.0.2.1")).status).toBe(202);
  });

  it("counts those together that did not come through the proxies", async () => {
    const { handle } = await start({ trustedProxyHops: 2 });
    const statuses: number[] = [];
    for (let at = 0; at < 31; at++)
      statuses.push((await handle(post({ credentials: ["x"] }, { "X-Forwarded-For": `192.0.2.${at}` }))).status);
    expect(statuses).toEqual([...Array<number>(30).fill(202), 429]);
  });

  it("without trusted proxies takes 300 a minute in all, and believes no header", async () => {
    const { handle } = await start();
    const statuses: number[] = [];
    for (let at = 0; at < 301; at++)
      statuses.push((await handle(post({ credentials: ["x"] }, { "X-Forwarded-For": `192.0.2.${at}` }))).status);
    expect(statuses).toEqual([...Array<number>(300).fill(202), 429]);
  });

  it("limits GitHub's reports by nothing but their signature", async () => {
    const { handle } = await start({ trustedProxyHops: 1 });
    for (let at = 0; at < 40; at++) expect((await handle(sender.report([match("x")]))).status).toBe(200);
  });
});

describe("the form of the page /leaked", () => {
  const send = (fields: Record<string, string> | string) =>
    new Request("http://localhost/api/v1/leaks", { method: "POST", body: new URLSearchParams(fields) });
  const outcomeOf = (response: Response) => [response.status, response.headers.get("location")];

  it("ends every key in the text, however it is wrapped, and says on the page that the report has come", async () => {
    const { server, handle } = await start();
    const [one, other] = [await newKey(server), await newKey(server)];
    const text = `{"a":"\\n${one.secret}\\n"} > ${other.secret.slice(0, 20)}=\n> ${other.secret.slice(20)}`;
    const response = await handle(send({ text, url: "https://paste.example/x" }));
    expect(outcomeOf(response)).toEqual([303, "/leaked?report=received#report-received"]);
    for (const { secret, history } of [one, other]) {
      expect(await verifyApiKey(server, secret)).toMatchObject({ valid: false, reason: "revoked" });
      expect((await history())[0]).toMatchObject({
        action: "key.exposed",
        actor: ["reporter", null, null],
        detail: { source: "web", location: null, url: "https://paste.example/x", action: "revoke" },
      });
    }
  });

  it("says the same of a key that nobody has, and of one that is dead", async () => {
    const { server, handle } = await start();
    const { secret } = await newKey(server);
    const unknown = mintSecret({ prefix: "lk", environment: "test" });
    for (const text of [unknown, secret, secret])
      expect(outcomeOf(await handle(send({ text, url: "" })))).toEqual([
        303,
        "/leaked?report=received#report-received",
      ]);
  });

  it("says so when the text holds more keys than a report may have, and ends the first of them", async () => {
    const { server, handle } = await start();
    const [first, last] = [await newKey(server), await newKey(server)];
    const between = Array.from({ length: 99 }, () => mintSecret({ prefix: "lk", environment: "test" }));
    const all = [first.secret, ...between];
    expect(outcomeOf(await handle(send({ text: [...all, last.secret].join("\n") })))).toEqual([
      303,
      "/leaked?report=partly#report-partly",
    ]);
    expect((await verifyApiKey(server, first.secret)).valid).toBe(false);
    expect((await verifyApiKey(server, last.secret)).valid).toBe(true);
    expect(outcomeOf(await handle(send({ text: all.join("\n") })))).toEqual([
      303,
      "/leaked?report=received#report-received",
    ]);
  });

  it("is known by its type however that is written, and takes an address as long as the other reports' may be", async () => {
    const { handle } = await start();
    const text = mintSecret({ prefix: "lk", environment: "test" });
    const type = "Application/X-WWW-Form-URLEncoded;charset=UTF-8";
    const url = "\u{1f511}".repeat(2_048);
    const init = {
      method: "POST",
      headers: { "Content-Type": type },
      body: new URLSearchParams({ text, url }).toString(),
    };
    const response = await handle(new Request("http://localhost/api/v1/leaks", init));
    expect(outcomeOf(response)).toEqual([303, "/leaked?report=received#report-received"]);
  });

  it("finds a key of another system, which has no checksum, as a word", async () => {
    const accepted = [{ prefix: "wm_", characters: "hex", length: 40 }] as const;
    const { handle } = await start({ secretFormat: { prefix: "lk", environment: "test", accepted } });
    const text = `token: "wm_${"0123456789".repeat(4)}";`;
    expect(outcomeOf(await handle(send({ text })))).toEqual([303, "/leaked?report=received#report-received"]);
  });

  it.each([
    ["no_key", { text: "lk_test_…9xYz" }],
    ["no_key", { text: "" }],
    ["invalid", { url: "https://example.com" }],
    ["invalid", { text: "x", url: "x".repeat(2_049) }],
    ["too_large", { text: "x".repeat(256 * 1024) }],
  ])("says %s of what it cannot take, and changes nothing", async (outcome, fields) => {
    const { server, handle } = await start();
    const { secret } = await newKey(server);
    const spoilt = "text" in fields ? fields : { ...fields, other: secret };
    expect(outcomeOf(await handle(send(spoilt)))).toEqual([303, `/leaked?report=${outcome}#report-${outcome}`]);
    expect((await verifyApiKey(server, secret)).valid).toBe(true);
  });

  it("says that a report has not come when nothing is committed, and that there were too many", async () => {
    const { server, handle } = await start({ trustedProxyHops: 1 });
    const { secret } = await newKey(server);
    server.postgresProxy.sever();
    expect(outcomeOf(await handle(send({ text: secret })))).toEqual([
      303,
      "/leaked?report=unavailable#report-unavailable",
    ]);
    server.postgresProxy.heal();
    for (let at = 1; at < 30; at++) await handle(send({ text: "x" }));
    expect(outcomeOf(await handle(send({ text: secret })))).toEqual([303, "/leaked?report=limited#report-limited"]);
    expect((await verifyApiKey(server, secret)).valid).toBe(true);
  });
});
