import { connect, type Socket } from "node:net";

import { ErrorReply, Status, toInteger, type Backend, type Command, type Reply } from "./reply";

type Pending = { expected: number; replies: Reply[]; resolve(replies: Reply[]): void; reject(error: Error): void };

const INCOMPLETE = Symbol("incomplete");

/**
 * A RESP2 client on one shared socket. Commands go out in the order of the calls, each call as one write. When the
 * socket dies, every call in flight rejects and none is sent again; the next call connects anew.
 * Protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
export function createRespClient(socketPath: string): Backend {
  let socket: Socket | undefined;
  let pending: Pending[] = [];
  let closed = false;

  function open(): Socket {
    const opened = connect(socketPath);
    let received: Buffer = Buffer.alloc(0);
    const fail = (error: Error): void => {
      opened.destroy();
      if (socket !== opened) return;
      socket = undefined;
      const lost = pending;
      pending = [];
      for (const call of lost) call.reject(error);
    };
    opened.on("data", (chunk) => {
      const bytes = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const parser = new ReplyParser(bytes);
      try {
        for (let reply = parser.next(); reply !== INCOMPLETE; reply = parser.next()) take(reply);
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
      }
      received = bytes.subarray(parser.consumed);
    });
    opened.on("error", (cause) => fail(new Error(`the connection to Redis failed: ${cause.message}`, { cause })));
    opened.on("close", () => fail(new Error("the connection to Redis was closed before it answered")));
    return opened;
  }

  function take(reply: Reply): void {
    const call = pending[0];
    if (call === undefined) throw new Error("Redis sent a reply to no command");
    call.replies.push(reply);
    if (call.replies.length < call.expected) return;
    pending.shift();
    call.resolve(call.replies);
  }

  function send(commands: readonly Command[]): Promise<Reply[]> {
    if (closed) return Promise.reject(new Error("the Redis client is closed"));
    if (commands.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      socket ??= open();
      pending.push({ expected: commands.length, replies: [], resolve, reject });
      socket.write(commands.map(encodeCommand).join(""), "latin1");
    });
  }

  return {
    pipeline: send,
    async transact(commands) {
      const replies = await send([["MULTI"], ...commands, ["EXEC"]]);
      const outcome = replies.at(-1);
      if (outcome instanceof ErrorReply || Array.isArray(outcome)) return outcome;
      throw new Error("Redis answered EXEC with neither replies nor an error");
    },
    async close() {
      closed = true;
      const open = socket;
      if (open === undefined) return;
      await new Promise<void>((resolve) => {
        open.once("close", () => resolve());
        open.destroy();
      });
    },
  };
}

function encodeCommand(command: Command): string {
  return `*${command.length}\r\n${command.map((argument) => `$${argument.length}\r\n${argument}\r\n`).join("")}`;
}

class ReplyParser {
  /** Bytes that belong to whole replies already handed out. */
  consumed = 0;
  private position = 0;

  constructor(private readonly bytes: Buffer) {}

  next(): Reply | typeof INCOMPLETE {
    this.position = this.consumed;
    const reply = this.read();
    if (reply !== INCOMPLETE) this.consumed = this.position;
    return reply;
  }

  private read(): Reply | typeof INCOMPLETE {
    const end = this.bytes.indexOf("\r\n", this.position);
    if (end === -1) return INCOMPLETE;
    const kind = this.bytes.toString("latin1", this.position, this.position + 1);
    const line = this.bytes.toString("latin1", this.position + 1, end);
    this.position = end + 2;
    switch (kind) {
      case "+":
        return new Status(line);
      case "-":
        return new ErrorReply(line);
      case ":":
        return toInteger(BigInt(line));
      case "$":
        return this.readBulk(Number(line));
      case "*":
        return this.readArray(Number(line));
      default:
        throw new Error(`Redis sent an unknown reply type ${JSON.stringify(kind)}`);
    }
  }

  private readBulk(length: number): Reply | typeof INCOMPLETE {
    if (length === -1) return null;
    const end = this.position + length;
    if (this.bytes.length < end + 2) return INCOMPLETE;
    const value = this.bytes.toString("latin1", this.position, end);
    this.position = end + 2;
    return value;
  }

  private readArray(length: number): Reply | typeof INCOMPLETE {
    if (length === -1) return null;
    const items: Reply[] = [];
    for (let index = 0; index < length; index++) {
      const item = this.read();
      if (item === INCOMPLETE) return INCOMPLETE;
      items.push(item);
    }
    return items;
  }
}
