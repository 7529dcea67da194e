import { sql } from "drizzle-orm";
import { afterEach, beforeEach } from "vitest";

import { createHandler } from "@/server/http/handler";
import { noIdentity } from "@/server/http/no-identity";
import type { Caller } from "@/server/keys";
import { eventDeliveries } from "@/server/platform/schema";
import { createKeyOf, newCaller, startTestServer } from "@/tests/support/domain";
import { type EventReceiver, startEventReceiver } from "@/tests/support/event-receiver";
import { waitingActions } from "@/tests/support/sent-events";
import type { TestServer } from "@/tests/support/server-instance";
import { testDatabaseUrl } from "@/tests/support/services";

const cronSecret = "0123456789abcdef0123456789abcdef";

/** Each test of a file that imports this has a receiver, a server that sends to it, and an owner of its own. */
export let receiver: EventReceiver;
export let server: TestServer;
export let caller: Caller;
export const others: TestServer[] = [];
beforeEach(async () => {
  receiver = await startEventReceiver();
  server = await start(await testDatabaseUrl());
  caller = newCaller();
});
afterEach(async () => {
  await Promise.all([server, ...others.splice(0)].map((one) => one.close()));
  await receiver.stop();
});

async function start(database: string, changes: { secret?: string; url?: string } = {}): Promise<TestServer> {
  const { secret = receiver.secret, url: address = receiver.url } = changes;
  return startTestServer("embedded", database, { keyLimit: 1_000, events: { url: address, secret } });
}
export async function another(changes: { secret?: string; url?: string } = {}): Promise<TestServer> {
  const other = await start(server.postgresProxy.target, changes);
  others.push(other);
  return other;
}
export function senderOf({ events }: TestServer) {
  if (!events) throw new Error("nothing is sent");
  return events;
}
export const sendAll = (one = server) => senderOf(one).sendAll();
export const createEvents = async (count: number, owner = caller) => {
  for (let at = 0; at < count; at++) await createKeyOf(server, owner);
};
export const waiting = (owner = caller) => waitingActions(server.db, owner.ownerId);
export const typesOf = ({ ownerId }: Caller) =>
  receiver.received.filter(({ data }) => data.ownerId === ownerId).map(({ type }) => type);
/** Runs the sender of a process until `work` is done. */
export async function whileSending(work: () => Promise<void>, ...servers: TestServer[]): Promise<void> {
  const stop = new AbortController();
  const ends = (servers.length > 0 ? servers : [server]).map((one) => senderOf(one).sendUntil(stop.signal));
  try {
    await work();
  } finally {
    stop.abort();
    await Promise.all(ends);
  }
}
export const handlerOf = () => {
  const http = { appOrigin: "", allowedOrigins: [], introspectionSecret: undefined, metricsSecret: cronSecret };
  const handler = createHandler({ server, identity: noIdentity, http: { ...http, cronSecret } });
  return (path: string) =>
    handler(new Request(`https://app.example.com${path}`, { headers: { authorization: `Bearer ${cronSecret}` } }));
};
export const readiness = async () => {
  const answer = await handlerOf()("/api/health/ready");
  return ((await answer.json()) as { events: object }).events;
};
export async function pauseSeconds(): Promise<number> {
  const { rows } = await server.db.execute<{ seconds: string }>(
    sql`select extract(epoch from next_attempt_at - last_attempt_at) as seconds from ${eventDeliveries}`,
  );
  return Number(rows[0]?.seconds);
}
