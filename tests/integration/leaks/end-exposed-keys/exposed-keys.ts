import { beforeEach } from "vitest";

import { type Caller, verifyApiKey } from "@/server/keys";
import { endExposedKeys, type LeakSource } from "@/server/leaks";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { recordedEvents } from "@/tests/support/recorded-events";
import type { TestServer } from "@/tests/support/server-instance";

export const url = "https://github.com/octo/repo/blob/main/config.yml";
export const at = (token: string, place: { location?: string | null; url?: string | null } = {}) => ({
  token,
  location: "content",
  url,
  ...place,
});
export const reporter = (source: LeakSource) => ["reporter", source === "github" ? "github" : null, null];
export const valid = { valid: true };

export async function historyOf(server: TestServer, { ownerId }: Caller) {
  return (await recordedEvents(server.db, ownerId)).filter(({ action }) => action !== "key.created");
}
export const actionsOf = async (server: TestServer, caller: Caller) =>
  (await historyOf(server, caller)).map(({ action }) => action);
export const end = (server: TestServer, tokens: string[], source: LeakSource = "github") =>
  endExposedKeys(
    server,
    tokens.map((token) => at(token)),
    { source },
  );

/** Starts a test server for a file that tests reports. @returns it, and what these tests do with keys. */
export function useReportedKeys() {
  const server = useTestServer("embedded", {
    secretFormat: {
      prefix: "lk",
      environment: "test",
      accepted: [{ prefix: "wm_", characters: "hex", length: 40 }],
    },
  });
  beforeEach(() => {
    server().redisProxy.decide = () => "pass";
    server().postgresProxy.decide = () => "pass";
    server().postgresProxy.heal();
    server().postgresProxy.statements.length = 0;
  });

  const isEnded = async (secret: string) => {
    await server().runDeferred();
    return !(await verifyApiKey(server(), secret)).valid;
  };
  const newKey = async (caller = newCaller()) => ({ caller, ...(await createKeyOf(server(), caller)) });

  return { server, isEnded, newKey };
}
