import { createHash } from "node:crypto";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

import type { RedisProxy } from "./redis-proxy";

export interface RedisTcpProxy extends RedisProxy {
  /** Where the proxy listens. */
  port: number;
  /** How many connections were taken so far. */
  connections: number;
  /** Closes every connection and refuses new ones until `heal`. */
  sever(): void;
  heal(): void;
  /** The connections that are open now stay open, and nothing passes on them any more, in either direction. */
  stall(): void;
}

interface Command {
  words: string[];
  raw: Buffer;
}

/**
 * A proxy in front of a Redis socket that reads RESP2 far enough to see each command. What arrives together counts as one request, and is told
 * to `decide` as the REST API's body would be, with the text of a script in place of its hash. As on any connection, what follows a
 * request that is delayed or hangs waits behind it.
 */
export async function startRedisTcpProxy(socketPath: string): Promise<RedisTcpProxy> {
  const sockets = new Set<Socket>();
  const scripts = new Map<string, string>();
  let isSevered = false;
  const stalled = new WeakSet<Socket>();
  const closeAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  const proxy: RedisTcpProxy = {
    url: "",
    port: 0,
    connections: 0,
    requests: [],
    decide: () => "pass",
    sever() {
      isSevered = true;
      closeAll();
    },
    stall() {
      for (const socket of sockets) stalled.add(socket);
    },
    heal: () => void (isSevered = false),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        closeAll();
      }),
  };
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    return socket;
  };

  const server = createServer((client) => {
    if (isSevered) return client.destroy();
    proxy.connections++;
    track(client);
    const upstream = createUpstream(track(connect(socketPath)));
    upstream.ended.then(
      () => client.destroy(),
      () => client.destroy(),
    );
    let buffered: Buffer = Buffer.alloc(0);
    let arrived: Command[] = [];
    let queue = Promise.resolve();
    client.on("data", (data) => {
      buffered = Buffer.concat([buffered, data]);
      if (stalled.has(client)) return;
      const wasEmpty = arrived.length === 0;
      for (let taken = takeCommand(buffered); taken; taken = takeCommand(buffered)) {
        buffered = buffered.subarray(taken.raw.length);
        arrived.push(taken);
      }
      if (wasEmpty && arrived.length > 0) setImmediate(passOn);
    });
    function passOn() {
      // The rest of a request may be on its way.
      if (buffered.length > 0 && !client.destroyed) return void setImmediate(passOn);
      const group = arrived;
      arrived = [];
      queue = queue.then(() => handle(group)).catch(() => void client.destroy());
    }

    async function handle(group: Command[]): Promise<void> {
      const known = group.filter(({ words: [name = "", sha = ""] }) => !isHash(name) || scripts.has(sha));
      for (const { words } of known) if (/^eval$/i.test(words[0] ?? "")) learn(words[1] ?? "");
      const answers = known.length > 0 ? await answer(known) : [];
      if (!answers) return;
      const noScript = Buffer.from("-NOSCRIPT No matching script.\r\n");
      client.write(
        Buffer.concat(
          group.map((command) => (known.includes(command) ? (answers.shift() ?? Buffer.alloc(0)) : noScript)),
        ),
      );
    }

    /** @returns null when there is to be no answer. */
    async function answer(commands: Command[]): Promise<Buffer[] | null> {
      const body = describe(commands);
      proxy.requests.push(body);
      const decided = proxy.decide(body);
      const fate = decided instanceof Promise ? await decided : decided;
      if (fate === "hang") return new Promise(() => undefined);
      if (fate === "refuse") {
        client.destroy();
        return null;
      }
      if (typeof fate === "object" && "status" in fate) return forge(fate, commands.length);
      const answers = await upstream.send(commands);
      if (typeof fate === "object") void sendAgain(fate.duplicate.after, commands);
      if (fate !== "lose") return answers;
      client.destroy();
      return null;
    }

    async function sendAgain(after: Promise<void>, commands: Command[]) {
      await after;
      const other = track(connect(socketPath));
      await createUpstream(other)
        .send(commands)
        .catch(() => undefined);
      other.destroy();
    }
  });

  const isHash = (name: string) => /^evalsha$/i.test(name);
  const learn = (script: string) => scripts.set(createHash("sha1").update(script).digest("hex"), script);
  function describe(commands: Command[]): string {
    const told = commands.map(({ words: [name = "", ...rest] }) =>
      isHash(name) ? ["eval", scripts.get(rest[0] ?? "") ?? "", ...rest.slice(1)] : [name.toLowerCase(), ...rest],
    );
    return JSON.stringify(told.length === 1 ? told[0] : told);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy.port = (server.address() as AddressInfo).port;
  proxy.url = `redis://127.0.0.1:${proxy.port}`;
  return proxy;
}

/** The answer that the REST API would give, in RESP. A single one is given to each command, since every command has to have one. */
function forge(fate: { status: number; body: string }, count: number): Buffer[] {
  type Told = { result?: unknown; error?: string } | null;
  const parsed = JSON.parse(fate.body) as Told | Told[];
  if (fate.status !== 200) return Array.from({ length: count }, () => Buffer.from("-ERR broken\r\n"));
  const given = Array.isArray(parsed) ? parsed.slice(0, count) : [parsed];
  const told = given.length === 1 ? Array.from({ length: count }, () => given[0]) : given;
  return told.map((one) => encode(one?.error === undefined ? one?.result : new Error(one.error)));
}

function encode(value: unknown): Buffer {
  if (value instanceof Error) return Buffer.from(`-${value.message}\r\n`);
  if (typeof value === "number") return Buffer.from(`:${value}\r\n`);
  if (typeof value !== "string") return Buffer.from("$-1\r\n");
  if (value === "OK") return Buffer.from("+OK\r\n");
  // The REST API sends texts in base64.
  const text = Buffer.from(value, "base64");
  return Buffer.concat([Buffer.from(`$${text.length}\r\n`), text, Buffer.from("\r\n")]);
}

function createUpstream(socket: Socket) {
  let received: Buffer = Buffer.alloc(0);
  let waiting: {
    count: number;
    answers: Buffer[];
    resolve: (answers: Buffer[]) => void;
    reject: (fault: Error) => void;
  }[] = [];
  socket.on("data", (data) => {
    received = Buffer.concat([received, data]);
    for (let end = endOfReply(received, 0); end !== null && waiting[0]; end = endOfReply(received, 0)) {
      const [first] = waiting;
      first.answers.push(received.subarray(0, end));
      received = received.subarray(end);
      if (first.answers.length < first.count) continue;
      waiting.shift();
      first.resolve(first.answers);
    }
  });
  const ended = new Promise<void>((resolve) => {
    socket.on("close", () => {
      for (const { reject } of waiting) reject(new Error("closed"));
      waiting = [];
      resolve();
    });
  });
  return {
    ended,
    send: (commands: Command[]) =>
      new Promise<Buffer[]>((resolve, reject) => {
        waiting.push({ count: commands.length, answers: [], resolve, reject });
        socket.write(Buffer.concat(commands.map(({ raw }) => raw)));
      }),
  };
}

function takeCommand(bytes: Buffer): Command | null {
  const end = endOfReply(bytes, 0);
  if (end === null) return null;
  const raw = bytes.subarray(0, end);
  const words: string[] = [];
  for (let at = raw.indexOf("\r\n") + 2; at < end;) {
    const lineEnd = raw.indexOf("\r\n", at);
    const length = Number(raw.toString("latin1", at + 1, lineEnd));
    words.push(raw.toString("utf8", lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
  return { words, raw };
}

/** Where the value that begins at `at` ends; null when it is not all there. */
function endOfReply(bytes: Buffer, at: number): number | null {
  const lineEnd = bytes.indexOf("\r\n", at);
  if (lineEnd === -1) return null;
  const kind = String.fromCharCode(bytes[at] ?? 0);
  const length = Number(bytes.toString("latin1", at + 1, lineEnd));
  if (kind === "$") {
    const end = length === -1 ? lineEnd + 2 : lineEnd + 2 + length + 2;
    return bytes.length < end ? null : end;
  }
  let end: number | null = lineEnd + 2;
  if (kind === "*") for (let item = 0; item < length && end !== null; item++) end = endOfReply(bytes, end);
  return end;
}
