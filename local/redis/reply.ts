/**
 * The one vocabulary of both backends. Every string in a command or a reply is a byte string: one character per byte
 * ("latin1"), so that keys and values that are not UTF-8 pass through unchanged.
 */
export type Command = readonly string[];

export type Reply = string | number | bigint | null | Status | ErrorReply | Reply[];

/** RESP's simple string, such as OK: Lua tells it from a bulk string. */
export class Status {
  constructor(readonly text: string) {}
}

/** RESP's error: code, space, message. A value, not a throw: inside a pipeline the other replies still count. */
export class ErrorReply {
  constructor(readonly message: string) {}
}

/** A number where a double holds it exactly, else a bigint. */
export function toInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Text as it fits into a status or error line: to its first zero byte, without line breaks. */
export function toLine(text: string): string {
  return text
    .replace(/\0[^]*$/, "")
    .replace(/[\r\n]+$/, "")
    .replace(/[\r\n]/g, " ");
}

export const OK = new Status("OK");

/** What the bridge needs of a Redis. A rejection means that the outcome is unknown: nothing is ever sent twice. */
export interface Backend {
  /** One reply per command, in order; other callers' commands may run in between. */
  pipeline(commands: readonly Command[]): Promise<Reply[]>;
  /** MULTI … EXEC: nothing runs in between. A single error when the transaction was refused as a whole. */
  transact(commands: readonly Command[]): Promise<Reply[] | ErrorReply>;
  close(): Promise<void>;
}
