import { CommandError, type Keyspace } from "./keyspace";
import { isInteger64, parseInteger } from "./numbers";

export type ExpiryUnit = "EX" | "PX" | "EXAT" | "PXAT";

export function isExpiryUnit(text: string): text is ExpiryUnit {
  return text === "EX" || text === "PX" || text === "EXAT" || text === "PXAT";
}

/** The absolute time in milliseconds that an option such as `EX 10` means; refuses zero, negative and overflowing ones. */
export function parseExpiry(keyspace: Keyspace, unit: ExpiryUnit, text: string, command: string): bigint {
  const value = parseInteger(text);
  const milliseconds = unit.startsWith("EX") ? value * 1000n : value;
  const expiresAt = unit.endsWith("AT") ? milliseconds : milliseconds + BigInt(keyspace.now());
  if (value <= 0n || !isInteger64(milliseconds) || !isInteger64(expiresAt)) throw invalidExpiry(command);
  return expiresAt;
}

export function invalidExpiry(command: string): CommandError {
  return new CommandError(`ERR invalid expire time in '${command}' command`);
}
