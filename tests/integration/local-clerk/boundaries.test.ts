import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { request } from "node:http";
import { networkInterfaces, tmpdir } from "node:os";
import { connect } from "node:net";
import { join } from "node:path";

import { createClerkClient, verifyToken } from "@clerk/backend";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { loadLocalKeys, startLocalClerk, type LocalClerk } from "@/local/clerk";

import { errorCode, ProxiedBrowser, read } from "./proxied-browser";

const appOrigin = "http://localhost:3998";
let directory: string;
let clerk: LocalClerk;
let secretKey: string;

beforeAll(async () => {
  directory = join(await mkdtemp(join(tmpdir(), "local-clerk-")), "sign-in");
  clerk = await startLocalClerk({ directory, appOrigin });
  secretKey = clerk.environment.CLERK_SECRET_KEY ?? "";
});
afterAll(async () => {
  await clerk.stop();
  await rm(join(directory, ".."), { recursive: true });
});

/** A plain request that no URL parser tidies first. */
function send(
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port: clerk.port, path, method, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

describe("the keys of the machine", () => {
  test("only the owner can read them", async () => {
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect(await readdir(directory)).toEqual(["keys.json"]);
    expect((await stat(join(directory, "keys.json"))).mode & 0o777).toBe(0o600);
  });

  test("two first starts at once end with the same keys, and a later one reuses them", async () => {
    const fresh = join(directory, "..", "raced");
    const [first, second] = await Promise.all([loadLocalKeys(fresh), loadLocalKeys(fresh)]);
    const later = await loadLocalKeys(fresh);
    expect(second).toEqual(first);
    expect(later).toEqual(first);
    expect(later.secretKey).not.toBe(secretKey);
  });
});

describe("the backend API", () => {
  test.each([undefined, "Bearer sk_test_wrong", "Bearer ", `Bearer pk_test_x`])(
    "it answers nobody without the secret key: %j",
    async (authorization) => {
      const headers = authorization === undefined ? {} : { authorization };
      for (const path of ["/v1/users", "/v1/jwks", `/v1/users/${clerk.accounts[0]?.id}`])
        expect((await send(path, headers)).status).toBe(401);
      expect((await send("/local/browser-sessions", headers, "POST")).status).toBe(401);
    },
  );

  test("Clerk's own client reads users and sessions with the secret key", async () => {
    const client = createClerkClient({ secretKey, apiUrl: clerk.environment.CLERK_API_URL ?? "" });
    const [ada, grace] = clerk.accounts;
    const user = await client.users.getUser(ada?.id ?? "");
    expect(user.primaryEmailAddress?.emailAddress).toBe("ada@example.test");
    const list = await client.users.getUserList({ emailAddress: ["grace@example.test"] });
    expect([list.totalCount, list.data[0]?.id]).toEqual([1, grace?.id]);
    await expect(client.users.getUser("user_unknown")).rejects.toMatchObject({ status: 404 });

    const browser = new ProxiedBrowser(clerk, appOrigin);
    const sessionId = await browser.signIn("ada@example.test", "latchkey-demo-2026");
    expect(await client.sessions.getSession(sessionId)).toMatchObject({ userId: ada?.id, status: "active" });
  });

  test("a session that the backend revoked makes no more tokens", async () => {
    const client = createClerkClient({ secretKey, apiUrl: clerk.environment.CLERK_API_URL ?? "" });
    const browser = new ProxiedBrowser(clerk, appOrigin);
    const sessionId = await browser.signIn("ada@example.test", "latchkey-demo-2026");
    expect((await client.sessions.revokeSession(sessionId)).status).toBe("revoked");
    expect((await browser.call("POST", `/v1/client/sessions/${sessionId}/tokens`)).status).toBe(404);
  });

  test("without CLERK_JWT_KEY a token is verified by the published key", async () => {
    const token = clerk.mintSessionToken({ userId: clerk.accounts[0]?.id ?? "" });
    await expect(
      verifyToken(token, { secretKey, apiUrl: clerk.environment.CLERK_API_URL ?? "" }),
    ).resolves.toMatchObject({ azp: appOrigin });
  });

  test("the app's proxy leads to no backend endpoint, even with the secret key", async () => {
    const browser = new ProxiedBrowser(clerk, appOrigin);
    browser.headers.authorization = `Bearer ${secretKey}`;
    for (const path of ["/v1/users", "/v1/jwks"]) expect((await browser.call("GET", path)).status).toBe(404);
    expect((await browser.call("POST", "/local/browser-sessions")).status).toBe(404);
  });
});

describe("the frontend API", () => {
  test("it answers nobody but the app's proxy", async () => {
    const proxied = { "clerk-proxy-url": `${appOrigin}/__clerk` };
    for (const path of ["/v1/client", "/v1/environment", "/npm/@clerk/clerk-js@6/dist/clerk.browser.js"]) {
      expect((await send(path, proxied)).status).toBe(401);
      expect((await send(path, { ...proxied, "clerk-secret-key": "sk_test_wrong" })).status).toBe(401);
      expect((await send(path, { ...proxied, "clerk-secret-key": secretKey })).status).toBe(200);
    }
  });

  test("a page of another origin is refused", async () => {
    const browser = new ProxiedBrowser(clerk, appOrigin);
    browser.headers.origin = "https://elsewhere.example";
    const answer = await browser.call("POST", "/v1/client/sign_ins", { identifier: "ada@example.test" });
    expect([answer.status, errorCode(answer)]).toEqual([400, "origin_invalid"]);
  });

  test("a body without end is cut off", async () => {
    const browser = new ProxiedBrowser(clerk, appOrigin);
    const answer = await browser.call("POST", "/v1/client/sign_ins", { identifier: "a".repeat(100_000) });
    expect([answer.status, errorCode(answer)]).toEqual([413, "request_body_too_large"]);
  });
});

describe("the scripts", () => {
  const proxied = () => ({ "clerk-proxy-url": `${appOrigin}/__clerk`, "clerk-secret-key": secretKey });

  test("clerk-js and @clerk/ui come with the type and the validator that browsers need", async () => {
    const browser = new ProxiedBrowser(clerk, appOrigin);
    for (const path of ["clerk-js@6/dist/clerk.browser.js", "ui@1/dist/ui.browser.js"]) {
      const answer = await browser.call("GET", `/npm/@clerk/${path}`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
      expect(String(answer.body).length).toBeGreaterThan(100_000);
      expect(answer.headers.get("cache-control")).toBe("no-cache");
      browser.headers["if-none-match"] = answer.headers.get("etag") ?? "";
      expect((await browser.call("GET", `/npm/@clerk/${path}`)).status).toBe(304);
    }
  });

  test.each([
    "/npm/@clerk/clerk-js@6/dist/../package.json",
    "/npm/@clerk/clerk-js@6/dist/..%2fpackage.json",
    "/npm/@clerk/clerk-js@6/dist/%2e%2e/package.json",
    "/npm/@clerk/clerk-js@6/dist/..%5cpackage.json",
    "/npm/@clerk/clerk-js@6/dist//etc/passwd",
    "/npm/@clerk/clerk-js@6/dist/types/index.d.ts",
    "/npm/@clerk/clerk-js@../../../../dist/clerk.browser.js",
    "/npm/@clerk/backend@3/dist/index.js",
    "/npm/@clerk/clerk-js@6/dist/nowhere.js",
  ])("nothing outside the two dist folders is served: %s", async (path) => {
    const { status, body } = await send(path, proxied());
    expect(status).toBe(404);
    expect(read(JSON.parse(body), "errors", 0, "code")).toBe("resource_not_found");
  });
});

test("the stand-in listens on loopback only", async () => {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = addresses
    .filter(({ internal, family }) => !internal && family === "IPv4")
    .map(({ address }) => address);
  // 127.0.0.2 is loopback too, yet not ours: it stands in where a machine has no other address.
  for (const host of [...outside, "127.0.0.2"]) {
    const connected = await new Promise<boolean>((resolve) => {
      const socket = connect({ host, port: clerk.port });
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("close", () => socket.destroy());
    });
    expect(connected, host).toBe(false);
  }
});
