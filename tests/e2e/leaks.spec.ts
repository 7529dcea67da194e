import { connect } from "node:net";
import { text } from "node:stream/consumers";

import { expect, test } from "@playwright/test";

import { withApp } from "../support/app-server";
import { type GithubSender, startGithubSender } from "../support/github-sender";
import { callProcedure, createKeyOver, newHttpUser } from "../support/http-user";

let sender: GithubSender;
let settings: Record<string, string>;
test.beforeAll(async () => {
  sender = await startGithubSender();
  settings = {
    GITHUB_SECRET_SCANNING: "on",
    GITHUB_SECRET_SCANNING_KEYS_URL: sender.keysUrl,
    API_KEY_ENVIRONMENT: "test",
  };
});
test.afterAll(() => sender.stop());

const path = "/api/v1/leaks/github";
const whoami = async (origin: string, secret: string) =>
  (await fetch(`${origin}/api/v1/whoami`, { headers: { authorization: `Bearer ${secret}` } })).status;

test("a signed report of GitHub's ends the key over HTTP, and the history says where it was found", async ({
  request,
}) => {
  const user = await newHttpUser();
  const { secret } = await createKeyOver(request, user, "Found");
  const place = { type: "latchkey_api_key", url: "https://github.com/octo/répo/blob/ü.yml", source: "content" };
  await withApp(settings, async (origin) => {
    expect(await whoami(origin, secret)).toBe(200);
    // Two spaces and a letter of two bytes: the signature is over the bytes as they are.
    const body = `[ ${JSON.stringify({ token: secret, ...place })},  ${JSON.stringify({ token: "x", ...place })} ]`;
    const send = () => fetch(origin + path, { method: "POST", headers: sender.headersFor(body), body });
    for (let repeat = 0; repeat < 2; repeat++) {
      const answer = await send();
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual([
        { token_raw: secret, token_type: place.type, label: "true_positive" },
        { token_raw: "x", token_type: place.type, label: "false_positive" },
      ]);
    }
    await expect.poll(() => whoami(origin, secret)).toBe(401);
    const { result } = await callProcedure(request, user, "history");
    const { events } = result as { events: { action: string; actor: object; detail: object }[] };
    expect(events.map(({ action }) => action)).toEqual([
      "key.revocation_effective",
      "key.revoked",
      "key.exposed",
      "key.created",
    ]);
    expect(events[2]).toMatchObject({
      actor: { kind: "reporter", id: "github" },
      detail: { source: "github", location: "content", url: place.url, action: "revoke" },
    });
  });
});

test("a body that drips, or that is too long, holds up nobody", async () => {
  await withApp(settings, async (origin) => {
    const { port } = new URL(origin);
    const dripping = connect(Number(port), "localhost");
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n`;
    dripping.write(`${head}[`);
    const drops = setInterval(() => dripping.write(" "), 500);
    const long = await fetch(origin + path, { method: "POST", body: `["${"x".repeat(2 ** 20)}"]` });
    expect([long.status, await long.json()]).toEqual([413, expect.objectContaining({ code: "body_too_large" })]);
    const body = "[]";
    const good = await fetch(origin + path, { method: "POST", headers: sender.headersFor(body), body });
    expect([good.status, await good.json()]).toEqual([200, []]);
    const answer = await text(dripping);
    clearInterval(drops);
    expect(answer).toMatch(/^HTTP\/1\.1 422 /);
    expect(answer).toContain("invalid_body");
  });
});

test("whoever has found a key ends it, and learns nothing of it", async ({ request }) => {
  const user = await newHttpUser();
  const { secret } = await createKeyOver(request, user, "Found");
  const report = (credentials: string[]) => request.post("/api/v1/leaks", { data: { credentials } });
  const answers = [await report([secret]), await report([secret]), await report(["nothing"])];
  for (const answer of answers) expect([answer.status(), await answer.text()]).toEqual([202, "{}"]);
  const list = () => callProcedure(request, user, "list");
  await expect.poll(list).toMatchObject({ result: { keys: [{ revokedBy: "leak", effect: { status: "effective" } }] } });
});
