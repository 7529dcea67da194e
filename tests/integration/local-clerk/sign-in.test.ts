import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { verifyToken } from "@clerk/backend";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startLocalClerk, type LocalClerk } from "@/local/clerk";

import { errorCode, ProxiedBrowser, read } from "./proxied-browser";

const appOrigin = "http://localhost:3999";
const password = "latchkey-demo-2026";
let directory: string;
let clerk: LocalClerk;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "local-clerk-"));
  clerk = await startLocalClerk({ directory, appOrigin });
});
afterAll(async () => {
  await clerk.stop();
  await rm(directory, { recursive: true });
});

const newBrowser = () => new ProxiedBrowser(clerk, appOrigin);
const verify = (token: string, parties = [appOrigin]) =>
  verifyToken(token, { jwtKey: clerk.environment.CLERK_JWT_KEY ?? "", authorizedParties: parties });

async function sessionTokenOf(browser: ProxiedBrowser, sessionId: string): Promise<string> {
  const { body } = await browser.call("POST", `/v1/client/sessions/${sessionId}/tokens`);
  return String(read(body, "jwt"));
}

describe("signing in", () => {
  test.each([
    ["ada@example.test", "u:api_access"],
    ["grace@example.test", "u:api_access"],
    ["linus@example.test", undefined],
  ])("%s gets a session token that Clerk's own code verifies, with the account's features", async (email, features) => {
    const browser = newBrowser();
    const sessionId = await browser.signIn(email, password);
    const claims = await verify(await sessionTokenOf(browser, sessionId));
    expect(claims).toMatchObject({
      sub: clerk.accounts.find((account) => account.email === email)?.id,
      sid: sessionId,
      azp: appOrigin,
    });
    expect(claims.exp - claims.iat).toBe(60);
    expect(read(claims, "fea")).toBe(features);
  });

  test("a session token is refused where another origin is the authorized party", async () => {
    const browser = newBrowser();
    const token = await sessionTokenOf(browser, await browser.signIn("ada@example.test", password));
    await expect(verify(token, ["https://elsewhere.example"])).rejects.toThrow(/authorized party/i);
  });

  test("a wrong password is refused with the code that Clerk's page shows beside the field", async () => {
    const browser = newBrowser();
    expect(await browser.signIn("ada@example.test", "latchkey-demo-2025")).toBe("form_password_incorrect");
    expect(await browser.sessionIds()).toEqual([]);
  });

  test("an unknown address is refused with the code that Clerk's page shows beside the field", async () => {
    expect(await newBrowser().signIn("nobody@example.test", password)).toBe("form_identifier_not_found");
  });

  test("two browsers are signed in as two people at once", async () => {
    const [first, second] = [newBrowser(), newBrowser()];
    const ids = [await first.signIn("ada@example.test", password), await second.signIn("grace@example.test", password)];
    expect([await first.sessionIds(), await second.sessionIds()]).toEqual(ids.map((id) => [id]));
  });

  test("signing in as somebody else replaces the session of that browser", async () => {
    const browser = newBrowser();
    const first = await browser.signIn("ada@example.test", password);
    const second = await browser.signIn("grace@example.test", password);
    expect(await browser.sessionIds()).toEqual([second]);
    const answer = await browser.call("POST", `/v1/client/sessions/${first}/tokens`);
    expect([answer.status, errorCode(answer)]).toEqual([404, "resource_not_found"]);
  });
});

describe("signing out", () => {
  test.each([
    ["DELETE of all sessions", () => "/v1/client/sessions?_method=DELETE"],
    ["end of the session", (id: string) => `/v1/client/sessions/${id}/end`],
    ["removal of the session", (id: string) => `/v1/client/sessions/${id}/remove`],
  ])("after %s no token is made, not even for a cookie copied before", async (_name, path) => {
    const browser = newBrowser();
    const sessionId = await browser.signIn("ada@example.test", password);
    const copied = new Map(browser.cookies);
    expect((await browser.call("POST", path(sessionId))).status).toBe(200);
    expect(await browser.sessionIds()).toEqual([]);
    for (const [name, value] of copied) browser.cookies.set(name, value);
    expect((await browser.call("POST", `/v1/client/sessions/${sessionId}/tokens`)).status).toBe(404);
  });
});

describe("the sealed cookie", () => {
  test("a sign-in survives a restart of the stand-in", async () => {
    const before = await startLocalClerk({ directory, appOrigin });
    const browser = new ProxiedBrowser(before, appOrigin);
    const sessionId = await browser.signIn("ada@example.test", password);
    await before.stop();

    const after = newBrowser();
    for (const [name, value] of browser.cookies) after.cookies.set(name, value);
    expect(await after.sessionIds()).toEqual([sessionId]);
    await expect(verify(await sessionTokenOf(after, sessionId))).resolves.toMatchObject({ sid: sessionId });
  });

  test("a cookie with any byte changed opens nothing", async () => {
    const browser = newBrowser();
    await browser.signIn("ada@example.test", password);
    const sealed = Buffer.from(browser.cookies.get("__client") ?? "", "base64url");
    for (const index of [0, 11, 12, 27, 28, sealed.length - 1]) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      browser.cookies.set("__client", changed.toString("base64url"));
      expect(await browser.sessionIds()).toEqual([]);
    }
    browser.cookies.set("__client", sealed.toString("base64url"));
    expect(await browser.sessionIds()).toHaveLength(1);
  });

  test("a cookie of another machine opens nothing", async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), "local-clerk-"));
    const other = await startLocalClerk({ directory: elsewhere, appOrigin });
    const browser = new ProxiedBrowser(other, appOrigin);
    await browser.signIn("ada@example.test", password);
    await other.stop();
    await rm(elsewhere, { recursive: true });
    const here = newBrowser();
    here.cookies.set("__client", browser.cookies.get("__client") ?? "");
    expect(await here.sessionIds()).toEqual([]);
  });

  test("no script of the page and no other site's request sees it", async () => {
    const browser = newBrowser();
    const answer = await browser.call("POST", "/v1/client/sign_ins", { identifier: "ada@example.test" });
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__client=[\w-]+; Path=\/__clerk; HttpOnly; SameSite=Lax; /),
    ]);
  });
});

describe("tests' own ways in", () => {
  test("an impersonated session carries the actor into every token of that browser", async () => {
    const cookies = clerk.browserSession({ userId: clerk.accounts[0]?.id ?? "", act: { sub: "user_support" } });
    const browser = newBrowser();
    for (const { name, value } of cookies) browser.cookies.set(name, value);
    const [sessionId = ""] = await browser.sessionIds();
    for (const token of [await sessionTokenOf(browser, sessionId), browser.cookies.get("__session") ?? ""])
      await expect(verify(token)).resolves.toMatchObject({ act: { sub: "user_support" }, sid: sessionId });
  });

  test("another process gets such a session from the backend API, with other features if it asks", async () => {
    const { CLERK_API_URL, CLERK_SECRET_KEY } = clerk.environment;
    const userId = clerk.accounts[0]?.id ?? "";
    const response = await fetch(`${CLERK_API_URL}/local/browser-sessions`, {
      method: "POST",
      headers: { authorization: `Bearer ${CLERK_SECRET_KEY}` },
      body: JSON.stringify({ userId, features: [] }),
    });
    const browser = newBrowser();
    const answer = (await response.json()) as { cookies: { name: string; value: string }[] };
    for (const { name, value } of answer.cookies) browser.cookies.set(name, value);
    const claims = await verify(await sessionTokenOf(browser, (await browser.sessionIds())[0] ?? ""));
    expect([claims.sub, read(claims, "fea")]).toEqual([userId, undefined]);
  });

  test("a session's tokens name the site as Clerk's do: where the request that asks has an Origin, or never", async () => {
    const userId = clerk.accounts[0]?.id ?? "";
    const partyOf = async (token: string) =>
      read(await verifyToken(token, { jwtKey: clerk.environment.CLERK_JWT_KEY ?? "" }), "azp");
    for (const [azp, asked] of [
      ["from Origin", appOrigin],
      ["never", undefined],
    ] as const) {
      const browser = newBrowser();
      for (const { name, value } of clerk.browserSession({ userId, azp })) browser.cookies.set(name, value);
      expect(await partyOf(browser.cookies.get("__session") ?? "")).toBeUndefined();
      const { body } = await browser.call("GET", "/v1/client");
      const [sessionId, jwt] = [["id"], ["last_active_token", "jwt"]].map((path) =>
        read(body, "response", "sessions", 0, ...path),
      );
      expect(await partyOf(String(jwt))).toBeUndefined();
      const token = await sessionTokenOf(browser, String(sessionId));
      expect(await partyOf(token)).toBe(asked);
      if (asked === undefined) await expect(verify(token)).rejects.toThrow(/authorized party/i);
    }
  });

  test("a minted token has the features and the lifetime that were asked for", async () => {
    const userId = clerk.accounts[2]?.id ?? "";
    const claims = await verify(clerk.mintSessionToken({ userId, features: ["one", "two"], expiresInSeconds: 300 }));
    expect(claims).toMatchObject({ sub: userId, fea: "u:one,u:two" });
    expect(claims.exp - claims.iat).toBe(300);
    await expect(verify(clerk.mintSessionToken({ userId, expiresInSeconds: -60 }))).rejects.toThrow(/expired/i);
  });
});

describe("the handshake", () => {
  const handshakePath = (target: string) => `/v1/client/handshake?redirect_url=${encodeURIComponent(target)}`;

  test("it sends a signed-in browser back with cookies that carry a valid session", async () => {
    const browser = newBrowser();
    const sessionId = await browser.signIn("ada@example.test", password);
    const answer = await browser.call("GET", handshakePath(`${appOrigin}/settings?tab=1`));
    expect(answer.status).toBe(307);
    const location = new URL(answer.headers.get("location") ?? "");
    expect(location.href).toMatch(`${appOrigin}/settings?tab=1&__clerk_handshake=`);
    const payload: unknown = JSON.parse(
      Buffer.from(location.searchParams.get("__clerk_handshake")?.split(".")[1] ?? "", "base64url").toString(),
    );
    const session = /(?<=__session=)[^;]+/.exec(JSON.stringify(read(payload, "handshake")))?.[0] ?? "";
    await expect(verify(session)).resolves.toMatchObject({ sid: sessionId });
  });

  test.each(["https://elsewhere.example/", "http://localhost:4000/", "javascript:alert(1)", "//elsewhere.example", ""])(
    "it never sends cookies to another place: %j",
    async (target) => {
      const browser = newBrowser();
      await browser.signIn("ada@example.test", password);
      const answer = await browser.call("GET", handshakePath(target));
      expect([answer.status, errorCode(answer)]).toEqual([400, "redirect_url_invalid"]);
      expect(answer.headers.get("location")).toBeNull();
    },
  );
});
