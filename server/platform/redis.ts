import type { Logger } from "./logger";
import { createRestClients } from "./redis-by-rest";
import { createTcpClients } from "./redis-by-tcp";
import type { RedisAddress } from "./redis-connection";

/** How long one request to Redis may take. A verification must not wait long for a cache. A purge is worth waiting for. */
const budgets = { slotMilliseconds: 250, purgeMilliseconds: 1_000 };
export type RedisBudgets = typeof budgets;

export interface ScriptCall {
  keys: string[];
  args: string[];
}

/** What Redis answered to one call: the script's result, or an error. */
export type ScriptOutcome = { result: unknown } | { error: string };

/**
 * A way to the Redis leader, with one time budget for each request. Every call is sent once and never repeated: who calls decides whether to
 * try again. All methods reject with a `TimeoutError` when the budget is over. Nobody knows then whether a script has run.
 */
export interface RedisClient {
  /** Runs a script once. @throws also when Redis answers with an error. */
  evaluate(script: string, call: ScriptCall): Promise<unknown>;
  /** Runs a script once for each call, in this order and in one request. @throws when the request as a whole has failed. */
  evaluateEach(script: string, calls: readonly ScriptCall[]): Promise<ScriptOutcome[]>;
  /** @returns a function that does as `evaluate`, for a script that many callers run at once. */
  forManyCallers(script: string): (call: ScriptCall) => Promise<unknown>;
  /** What Redis tells of itself: one section of INFO. @throws also when Redis answers with an error. */
  info(section: string): Promise<string>;
}

/** What the library of the limits calls. A script that the server does not know yet is an error whose message has NOSCRIPT in it. */
export interface LimiterClient {
  evalsha(sha: string, keys: string[], args: unknown[]): Promise<unknown>;
  eval(script: string, keys: string[], args: unknown[]): Promise<unknown>;
}

/** Clients of the Redis leader. They differ in their time budget. */
export interface RedisClients {
  slot: RedisClient;
  purge: RedisClient;
  limiter: LimiterClient;
  /** Ends what is kept open. Nothing can be asked afterwards. */
  close(): void;
}

/** The leader behind Upstash's REST API, or its own address. */
export type RedisPlace = { url: string; token: string } | { address: RedisAddress };

/** Makes the clients. They connect to nothing yet. */
export function createRedisClients(place: RedisPlace, logger: Logger): RedisClients {
  return "address" in place ? createTcpClients(place.address, budgets, logger) : createRestClients(place, budgets);
}
