import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { createKeyLockingFlagFilter } from "./key-locking-flag";
import { ErrorReply, Status, type Backend, type Command, type Reply } from "./reply";

const MAX_BODY_BYTES = 10 * 1024 * 1024;
/** Longer than any pause between two requests of a development session's client: a socket closed under it is an error there. */
const KEEP_ALIVE_MILLISECONDS = 120_000;

/** All callers share one connection: what blocks it, changes its state or stops the server is refused. */
const REFUSED = new Set(
  `SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR SYNC PSYNC REPLCONF
   BLPOP BRPOP BLMOVE BLMPOP BRPOPLPUSH BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF XREAD XREADGROUP
   MULTI EXEC DISCARD WATCH UNWATCH SELECT SWAPDB CLIENT QUIT RESET HELLO AUTH ASKING READONLY READWRITE
   SHUTDOWN DEBUG CONFIG MODULE ACL CLUSTER FAILOVER MIGRATE REPLICAOF SLAVEOF SAVE BGSAVE BGREWRITEAOF`.split(/\s+/),
);
const REFUSED_SUBCOMMANDS = new Set(["SCRIPT DEBUG", "SCRIPT KILL"]);

type Answer = { status: number; body: string };

/**
 * Serves Upstash's REST API (https://upstash.com/docs/redis/features/restapi) in front of a Redis: `POST /`,
 * `/pipeline` and `/multi-exec`, on loopback. `port` 0 takes a free one.
 */
export async function startBridge(
  backend: Backend,
  token: string,
  port: number,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const filter = createKeyLockingFlagFilter();
  const expected = digest(`Bearer ${token}`);

  async function answer(request: IncomingMessage): Promise<Answer> {
    if (!timingSafeEqual(digest(request.headers.authorization ?? ""), expected))
      return failure(401, "WRONGPASS invalid or missing auth token");
    if (request.method !== "POST") return failure(405, "ERR only POST is served");
    const base64 = request.headers["upstash-encoding"] === "base64";
    const body = await readBody(request);
    if (body === null) return failure(413, `ERR max request size exceeded. Limit: ${MAX_BODY_BYTES} bytes`);
    switch (request.url) {
      case "/":
        return one(body, base64);
      case "/pipeline":
        return many(body, base64, (commands) => backend.pipeline(commands));
      case "/multi-exec":
        return many(body, base64, (commands) => backend.transact(commands));
      default:
        return failure(404, "ERR only /, /pipeline and /multi-exec are served");
    }
  }

  async function one(body: string, base64: boolean): Promise<Answer> {
    const command = toCommand(parseJson(body));
    if (command === null) return failure(400, "ERR failed to parse command");
    const refusal = refuse(command);
    if (refusal !== null) return failure(400, refusal);
    const [reply = null] = await backend.pipeline([filter.outgoing(command)]);
    const shown = filter.incoming(command, reply);
    return { status: shown instanceof ErrorReply ? 400 : 200, body: resultJson(shown, base64) };
  }

  async function many(
    body: string,
    base64: boolean,
    run: (commands: Command[]) => Promise<Reply[] | ErrorReply>,
  ): Promise<Answer> {
    const parsed = parseJson(body);
    const commands = Array.isArray(parsed) ? parsed.map(toCommand) : [];
    if (commands.length === 0 || !commands.every((command) => command !== null))
      return failure(400, "ERR failed to parse pipeline request");
    for (const refusal of commands.map(refuse)) if (refusal !== null) return failure(400, refusal);
    const replies = await run(commands.map((command) => filter.outgoing(command)));
    if (replies instanceof ErrorReply) return failure(400, replies.message);
    const shown = commands.map((command, index) =>
      resultJson(filter.incoming(command, replies[index] ?? null), base64),
    );
    return { status: 200, body: `[${shown.join(",")}]` };
  }

  const server = createServer((request, response) => {
    // A backend that rejects is an outage, as Upstash's own 5xx: the client must not take it for a command's error.
    answer(request)
      .catch((error: unknown) => failure(503, `ERR ${error instanceof Error ? error.message : String(error)}`))
      .then(({ status, body }) => send(response, status, body))
      .catch(() => response.destroy());
  });
  server.keepAliveTimeout = KEEP_ALIVE_MILLISECONDS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the Redis bridge has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, status: number, body: string): void {
  // After a body that was not read to its end the connection cannot be used again.
  const headers = { "Content-Type": "application/json", ...(status === 413 ? { Connection: "close" } : {}) };
  response.writeHead(status, headers).end(body);
}

async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A JSON array of strings, numbers and booleans, as bytes; null for anything else. */
function toCommand(value: unknown): Command | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const isArgument = (item: unknown): boolean => ["string", "number", "boolean"].includes(typeof item);
  return value.every(isArgument) ? value.map((item) => Buffer.from(String(item), "utf8").toString("latin1")) : null;
}

function refuse(command: Command): string | null {
  const name = (command[0] ?? "").toUpperCase();
  const isRefused = REFUSED.has(name) || REFUSED_SUBCOMMANDS.has(`${name} ${(command[1] ?? "").toUpperCase()}`);
  return isRefused ? `ERR Command is not available: '${name}'` : null;
}

function failure(status: number, message: string): Answer {
  return { status, body: JSON.stringify({ error: message }) };
}

function resultJson(reply: Reply, base64: boolean): string {
  if (reply instanceof ErrorReply) return JSON.stringify({ error: toText(reply.message) });
  return `{"result":${toJson(reply, base64)}}`;
}

/** By hand, since JSON.stringify cannot write a 64-bit integer. */
function toJson(reply: Reply, base64: boolean): string {
  if (reply === null) return "null";
  if (typeof reply === "number" || typeof reply === "bigint") return String(reply);
  if (Array.isArray(reply)) return `[${reply.map((item) => toJson(item, base64)).join(",")}]`;
  if (reply instanceof ErrorReply) return JSON.stringify(toText(reply.message));
  const bytes = reply instanceof Status ? reply.text : reply;
  return JSON.stringify(base64 ? Buffer.from(bytes, "latin1").toString("base64") : toText(bytes));
}

function toText(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

function digest(value: string): Buffer {
  return createHash("sha256").update(value).digest();
}
