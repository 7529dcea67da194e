import { setTimeout as sleep } from "node:timers/promises";

import pg from "pg";

/** Long enough for what a call leaves to be done after its answer. */
const afterwardsMilliseconds = 200;

/**
 * What one call asks of Redis and Postgres, counted on its way out of this process, what it does after its answer included.
 * @returns in words, such as "2 requests to Redis (GET, SET) and 1 statement to Postgres (SELECT)"
 */
export async function describeTrips(call: () => Promise<unknown>): Promise<string> {
  const requests: string[] = [];
  const statements: string[] = [];
  const { fetch } = globalThis;
  const { prototype } = pg.Client as unknown as {
    prototype: { query: (this: unknown, ...args: unknown[]) => unknown };
  };
  const { query } = prototype;
  globalThis.fetch = (input, init) => {
    requests.push(commandOf(init?.body));
    return fetch(input, init);
  };
  prototype.query = function (this: unknown, ...args) {
    statements.push(statementOf(args[0]));
    return query.apply(this, args);
  };
  try {
    await call();
    await sleep(afterwardsMilliseconds);
  } finally {
    globalThis.fetch = fetch;
    prototype.query = query;
  }
  return `${count(requests, "request", "to Redis")} and ${count(statements, "statement", "to Postgres")}`;
}

function commandOf(body: unknown): string {
  const command = (typeof body === "string" ? JSON.parse(body) : []) as unknown[];
  // A pipeline is a list of commands.
  const names = command
    .map((entry) => (Array.isArray(entry) ? String(entry[0]) : null))
    .filter((name) => name !== null);
  return (names.length > 0 ? names.join("+") : String(command[0])).toUpperCase();
}

function statementOf(query: unknown): string {
  const text = typeof query === "string" ? query : (query as { text?: string }).text;
  return /\w+/.exec(text ?? "")?.[0].toUpperCase() ?? "?";
}

function count(names: readonly string[], noun: string, where: string): string {
  const list = names.length > 0 ? ` (${names.join(", ")})` : "";
  return `${names.length} ${noun}${names.length === 1 ? "" : "s"} ${where}${list}`;
}
