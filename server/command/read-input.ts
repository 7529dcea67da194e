import type { CommandIo } from "./command-io";

/** So many at once are looked up, or revoked: some kilobytes for a statement, and some milliseconds of locks. */
const batchSize = 500;
const mebibyte = 1_048_576;

const isTerminal = (stream: object) => "isTTY" in stream && stream.isTTY === true;

/** Who is asked for input, and sees none coming, thinks that the command hangs. */
export function hintAtTerminal({ input, errors }: CommandIo): void {
  if (isTerminal(input)) errors.write("Paste the text, then press Enter and Ctrl-D.\n");
}

/** Tells a person how far a long input was read. A log file that takes the messages gets none of it. */
export function progressOf({ errors }: CommandIo) {
  let shown = 0;
  return {
    note: (bytes: number) => {
      const read = Math.floor(bytes / mebibyte);
      if (!isTerminal(errors) || read === shown) return;
      shown = read;
      errors.write(`\r${read} MiB read …`);
    },
    /** Ends the line. */
    end: () => {
      if (shown > 0) errors.write("\n");
    },
  };
}

/** Puts batches of any size together, and apart, so that each statement gets about the same. */
export async function* batchesOf<T>(source: AsyncIterable<readonly T[]>): AsyncGenerator<T[]> {
  let waiting: T[] = [];
  for await (const items of source) {
    waiting.push(...items);
    for (; waiting.length >= batchSize; waiting = waiting.slice(batchSize)) yield waiting.slice(0, batchSize);
  }
  if (waiting.length > 0) yield waiting;
}
