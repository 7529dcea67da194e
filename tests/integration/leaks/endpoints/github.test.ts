import { describe, expect, it, vi } from "vitest";

import { verifyApiKey } from "@/server/keys";
import { mintSecret } from "@/server/keys/secret";
import { ec, pemOf, startGithubSender } from "@/tests/support/github-sender";

import { expectProblem, match, newKey, sender, start } from "./receiving-server";

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
