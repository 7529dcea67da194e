import { describe, expect, it } from "vitest";

import { verifyApiKey } from "@/server/keys";
import { mintSecret } from "@/server/keys/secret";

import { expectProblem, match, newKey, sender, start } from "./receiving-server";

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
