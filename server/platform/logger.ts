import pino from "pino";

export type Logger = pino.Logger;

/**
 * Secrets have no business in a log call at all; this is the net under it. Whatever still arrives under these names is removed.
 * Error messages of the Redis client may contain the whole command, so errors are logged by `describeFault`.
 */
const redacted = ["secret", "hash", "keyHash", "token", "password", "authorization", "cookie", "x-api-key"];

export function createLogger(level: string, destination?: pino.DestinationStream): Logger {
  const paths = redacted.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);
  const options = { level, base: null, redact: { paths, remove: true } };
  return destination ? pino(options, destination) : pino(options);
}

/** Name, code and the message up to the first value: enough to act on, nothing that a command or a statement carried. */
export function describeFault(fault: unknown): { name: string; code?: string; cause?: string } {
  if (!(fault instanceof Error)) return { name: typeof fault };
  const code = "code" in fault && typeof fault.code === "string" ? { code: fault.code } : {};
  const cause = fault.cause instanceof Error ? { cause: describeCause(fault.cause) } : {};
  return { name: fault.name, ...code, ...cause };
}

function describeCause(cause: Error): string {
  return "code" in cause && typeof cause.code === "string" ? `${cause.name} ${cause.code}` : cause.name;
}
