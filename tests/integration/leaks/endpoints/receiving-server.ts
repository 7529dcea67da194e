import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";

import { createHandler } from "@/server/http";
import { noIdentity } from "@/server/http/no-identity";
import { createKeyOf, newCaller, startTestServer } from "@/tests/support/domain";
import { type GithubSender, startGithubSender } from "@/tests/support/github-sender";
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

/** Each test of a file that imports this has a sender of GitHub's reports of its own. */
export let sender: GithubSender;
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
export async function start(settings: Settings = {}) {
  const server = await startTestServer("embedded", databaseUrl, {
    ...settings,
    leaks: { githubSecretScanning: true, githubKeysUrl: sender.keysUrl, ...settings.leaks },
  });
  started.push(server);
  return { server, handle: handlerOf(server) };
}

export async function newKey(server: TestServer) {
  const caller = newCaller();
  const created = await createKeyOf(server, caller);
  const history = async () => (await recordedEvents(server.db, caller.ownerId)).slice(1);
  return { caller, ...created, history };
}

export async function expectProblem(response: Response, status: number, code: string) {
  expect([response.status, await response.clone().json()]).toEqual([status, expect.objectContaining({ code, status })]);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(response.headers.get("cache-control")).toBe("no-store");
}

export const match = (token: string, url = "https://github.com/octo/repo/blob/main/a.yml") => ({
  token,
  type: "latchkey_api_key",
  url,
  source: "content",
});
