import type { Redis } from "ioredis";

import { describeFault, type Logger } from "./logger";

/** Where a Redis is, and what it asks for. */
export interface RedisAddress {
  host: string;
  port: number;
  isEncrypted: boolean;
  username?: string | undefined;
  password?: string | undefined;
  /** The number of its database. */
  database: number;
}

type RedisCommand = readonly [name: string, ...args: string[]];

/** One connection to Redis that is kept open, and opened again in the background when it is lost. */
export interface RedisConnection {
  /**
   * Sends one command, once. Calls of one turn of the event loop leave together and in their order.
   * @param scriptText of a script that is called by its hash. It is sent in place of the hash where Redis answers NOSCRIPT, within the same
   *   budget. Redis has run nothing then, so this is no repetition.
   * @throws TimeoutError when there is no answer within the budget. RedisReplyError when Redis answers with an error. RedisUnreachableError
   *   when there is no connection, or when it was lost before the answer. Unless Redis has answered, nobody knows whether the command has run.
   */
  send(command: RedisCommand, scriptText?: string): Promise<unknown>;
  close(): void;
}

interface Call {
  command: RedisCommand;
  scriptText: string | undefined;
  resolve: (answer: unknown) => void;
  reject: (fault: Error) => void;
  timer: NodeJS.Timeout | undefined;
  /** It has its answer or its error. Whatever comes later is for nobody. */
  isOver: boolean;
  sentBy: Redis | undefined;
  bytesReadBefore: number;
}

/** Redis answered with an error. The message has its code alone: the rest may repeat the command, and with it a hash. */
export class RedisReplyError extends Error {
  override name = "RedisReplyError";
  readonly code: string;
  constructor(message: string) {
    const code = /^[A-Z]+(?= |$)/.exec(message)?.[0] ?? "unknown";
    super(`Redis answered with the error ${code}`);
    this.code = code;
  }
}

/** There is no connection, or it ended before the answer. The message has the code alone: an address may have a password in it. */
class RedisUnreachableError extends Error {
  override name = "RedisUnreachableError";
  constructor(readonly code: string) {
    super(`Redis cannot be reached (${code})`);
  }
}

/** For the name, TCP, TLS, the password and the database together. */
const attemptMilliseconds = 2_000;
const firstPauseMilliseconds = 50;
/** With the 1 s between two probes of the outbox it stays well below the 5 s after which all that waits is effective. */
const longestPauseMilliseconds = 1_000;
/** The server is no leader, or not yet one. Its name may lead to another one by now. */
const codesOfNoLeader = new Set(["READONLY", "MASTERDOWN", "LOADING"]);

/**
 * Makes a connection. It is opened by the first call.
 *
 * A client of the library serves one connection and is then thrown away. So whatever the library does when it reconnects, a command that was
 * sent is never sent again. A duplicate of a read would lease the slot to nobody.
 *
 * A call without a connection starts an attempt, or waits for the one under way. After two failures in a row it is refused at once instead,
 * until an attempt in the background succeeds: else a Redis that is down would cost every call a wait. A call whose budget is over is not sent
 * any more.
 * @param options.alwaysTries a call is never refused without an attempt. For calls that are few and worth it.
 */
export function createRedisConnection(options: {
  address: RedisAddress;
  budgetMilliseconds: number;
  alwaysTries?: boolean;
  logger: Pick<Logger, "warn">;
}): RedisConnection {
  const { address, budgetMilliseconds, alwaysTries = false, logger } = options;
  let live: Redis | undefined;
  let attempt: Promise<Redis> | undefined;
  /** Attempts that failed, and connections that ended without a good answer, since the last good answer. */
  let failures = 0;
  let hasAnswered = false;
  let lastProblem = "not connected";
  let isPausing = false;
  let isClosed = false;
  /** With what all calls end that are under way on a connection that has stalled. It is one error, so it counts as one timeout. */
  const stalls = new WeakMap<Redis, DOMException>();

  function connect(): Promise<Redis> {
    attempt ??= attemptOnce().finally(() => (attempt = undefined));
    return attempt;
  }

  async function attemptOnce(): Promise<Redis> {
    try {
      const client = await open(address, forget);
      if (isClosed) destroy(client);
      else live = client;
      hasAnswered = false;
      return client;
    } catch (fault) {
      lastProblem = codeOf(fault);
      if (failures++ === 0) logger.warn({ fault: describeFault(fault) }, "not connected to Redis");
      reconnectLater();
      throw fault;
    }
  }

  function connectInBackground() {
    if (!isClosed && !live) connect().catch(() => undefined);
  }

  /** Takes a connection out of use, once. */
  function forget(client: Redis) {
    if (live !== client) return;
    live = undefined;
    destroy(client);
    if (!hasAnswered) failures++;
    if (failures === 0) connectInBackground();
    else reconnectLater();
  }

  /** The jitter keeps many processes from coming back in the same moment. */
  function reconnectLater() {
    if (isPausing || isClosed) return;
    isPausing = true;
    const pause = Math.min(longestPauseMilliseconds, firstPauseMilliseconds * 2 ** Math.min(failures, 10));
    const connectAgain = () => {
      isPausing = false;
      connectInBackground();
    };
    setTimeout(connectAgain, pause * (0.5 + Math.random() / 2)).unref();
  }

  // No function is made for a call but two: at 60,000 calls a second that is a tenth of the time.
  function send(command: RedisCommand, scriptText?: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call: Call = {
        command,
        scriptText,
        resolve,
        reject,
        timer: undefined,
        isOver: false,
        sentBy: undefined,
        bytesReadBefore: 0,
      };
      call.timer = setTimeout(expireOneTurnLater, budgetMilliseconds, call);
      if (live) sendBy(live, call);
      else if (isClosed || (failures > 1 && !alwaysTries)) fail(call, new RedisUnreachableError(lastProblem));
      else sendWhenConnected(call);
    });
  }

  function sendWhenConnected(call: Call) {
    connect().then(
      (client) => sendBy(client, call),
      (fault: unknown) => fail(call, toOwnError(fault)),
    );
  }

  function sendBy(client: Redis, call: Call) {
    if (call.isOver) return;
    call.sentBy = client;
    call.bytesReadBefore = client.stream.bytesRead;
    joinTurn(client);
    client.call(...(call.command as [string, ...string[]])).then(
      (answer) => {
        noteGoodAnswer(client);
        if (!call.isOver) end(call).resolve(answer);
      },
      (fault: unknown) => takeFault(client, call, stalls.get(client) ?? toOwnError(fault)),
    );
  }

  function takeFault(client: Redis, call: Call, fault: Error) {
    const code = fault instanceof RedisReplyError ? fault.code : "";
    if (codesOfNoLeader.has(code)) forget(client);
    if (code !== "NOSCRIPT" || call.scriptText === undefined) {
      fail(call, fault);
      return;
    }
    call.command = ["EVAL", call.scriptText, ...call.command.slice(2)];
    call.scriptText = undefined;
    sendBy(client, call);
  }

  function fail(call: Call, fault: Error) {
    if (!call.isOver) end(call).reject(fault);
  }

  function expire(call: Call) {
    if (call.isOver) return;
    const { sentBy } = call;
    const error = (sentBy && stalls.get(sentBy)) ?? new DOMException("Redis did not answer in time", "TimeoutError");
    // Nothing at all has come since: the connection is dead, though nobody has closed it. Whoever uses it next would wait in vain.
    if (sentBy?.stream.bytesRead === call.bytesReadBefore) {
      stalls.set(sentBy, error);
      forget(sentBy);
    }
    fail(call, error);
  }

  // When the process was blocked, timers run before sockets are read, and the answer may have arrived.
  function expireOneTurnLater(call: Call) {
    setImmediate(expire, call);
  }

  function noteGoodAnswer(client: Redis) {
    if (client !== live) return;
    hasAnswered = true;
    failures = 0;
  }

  return {
    send,
    close() {
      isClosed = true;
      if (live) forget(live);
    },
  };
}

function end(call: Call): Call {
  call.isOver = true;
  clearTimeout(call.timer);
  return call;
}

/** Everything that is written in one turn of the event loop leaves in one piece: 64 calls cost one system call. */
function joinTurn({ stream }: Redis) {
  if (stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

async function open(address: RedisAddress, onEnd: (client: Redis) => void): Promise<Redis> {
  // Here and not above: who uses Upstash does not load it.
  const { Redis } = await import("ioredis");
  const { host, port, username, password, database } = address;
  const client = new Redis({
    host,
    port,
    db: database,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(address.isEncrypted && { tls: {} }),
    lazyConnect: true,
    // One connection for each client, and nothing is kept to be sent later.
    retryStrategy: () => null,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    // It would ask for INFO, which a user with few rights may not.
    enableReadyCheck: false,
    disableClientInfo: true,
    protocol: 2,
    connectTimeout: attemptMilliseconds,
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      // A refused password or database is told by this event, before the connection is ready or ends.
      client.on("error", reject);
      timer = setTimeout(
        () => reject(new DOMException("Redis did not answer in time", "TimeoutError")),
        attemptMilliseconds,
      );
      client.connect().then(resolve, reject);
    });
    if (client.status !== "ready") throw new RedisUnreachableError("connection lost");
  } catch (fault) {
    destroy(client);
    const own = toOwnError(fault);
    // Redis has refused the password or the database: it has answered no call yet, and none may take this for its answer.
    throw own instanceof RedisReplyError ? new RedisUnreachableError(own.code) : own;
  } finally {
    clearTimeout(timer);
  }
  client.once("end", () => onEnd(client));
  return client;
}

/** At once: a connection that is dead never answers a farewell. */
function destroy(client: Redis) {
  client.disconnect(false);
  // Undefined where the client never had a connection.
  (client.stream as Redis["stream"] | undefined)?.destroy();
}

function toOwnError(fault: unknown): Error {
  if (fault instanceof RedisReplyError || fault instanceof RedisUnreachableError || fault instanceof DOMException)
    return fault;
  if (fault instanceof Error && fault.name === "ReplyError") return new RedisReplyError(fault.message);
  return new RedisUnreachableError(codeOf(fault));
}

function codeOf(fault: unknown): string {
  if (!(fault instanceof Error)) return "no reason is known";
  if ("code" in fault && typeof fault.code === "string") return fault.code;
  return fault.name === "TimeoutError" ? "no answer in time" : "connection lost";
}
