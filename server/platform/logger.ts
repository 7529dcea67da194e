import pino from "pino";

export type Logger = pino.Logger;

/**
 * No log call may be given a secret. This is a second safeguard: fields with exactly these names are removed, at the first three depths of
 * what is logged. It does not see a secret under another name, deeper down, or inside a text.
 */
const redacted = ["secret", "hash", "keyHash", "token", "password", "authorization", "cookie", "x-api-key"];

/** Makes a logger that writes JSON lines to standard output, or to `destination`. @param level the lowest level that is written. */
export function createLogger(level: string, destination?: pino.DestinationStream): Logger {
  const paths = redacted.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);
  const options = { level, base: null, redact: { paths, remove: true } };
  return destination ? pino(options, destination) : pino(options);
}

/**
 * What a log may hold of an error: its name and its code, and the name and code of its cause. The messages are left out. A message of the
 * Redis client may hold the whole command, and one of the database the statement's values, so a hash or a secret.
 * @returns for a thrown value that is no Error only its type, as the name.
 * @example
 * logger.warn({ fault: describeFault(fault) }, "slot not read");
 */
export function describeFault(fault: unknown): { name: string; code?: string; cause?: string } {
  if (!(fault instanceof Error)) return { name: typeof fault };
  const code = "code" in fault && typeof fault.code === "string" ? { code: fault.code } : {};
  const cause = fault.cause instanceof Error ? { cause: describeCause(fault.cause) } : {};
  return { name: fault.name, ...code, ...cause };
}

/**
 * A fault that may be passed on to a host, whose log may print all that it holds: without the messages, for the reason above.
 * @returns an Error with the same name, code and places in the code, whose message names its cause.
 */
export function withoutValues(fault: unknown): Error {
  const { name, code, cause } = describeFault(fault);
  const safe = new Error(cause === undefined ? "its message may hold a hash" : `because of ${cause}`);
  const places = fault instanceof Error ? (fault.stack?.split("\n").filter((line) => /^\s+at /.test(line)) ?? []) : [];
  safe.name = name;
  safe.stack = [`${name}: ${safe.message}`, ...places].join("\n");
  return code === undefined ? safe : Object.assign(safe, { code });
}

function describeCause(cause: Error): string {
  return "code" in cause && typeof cause.code === "string" ? `${cause.name} ${cause.code}` : cause.name;
}
