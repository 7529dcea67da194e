import type { CommandIo } from "./command-io";

/** So many at once are looked up, or revoked: some kilobytes for a statement, and some milliseconds of locks. */
const batchSize = 500;
const mebibyte = 1_048_576;
/** Empties the rest of a terminal's line. */
const toLineEnd = "\u001b[K";

const isTerminal = (stream: object) => "isTTY" in stream && stream.isTTY === true;

/** Who is asked for input, and sees none coming, thinks that the command hangs. */
export function hintAtTerminal({ input, errors }: CommandIo): void {
  if (isTerminal(input)) errors.write("Paste the text, then press Enter and Ctrl-D.\n");
}

/** Tells a person how far a long run has come. A log file that takes the messages gets none of it. */
export function progressOf({ errors }: CommandIo) {
  let shown = "";
  const show = (text: string) => {
    if (!isTerminal(errors) || text === shown) return;
    shown = text;
    errors.write(`\r${text}${toLineEnd}`);
  };
  return {
    /** @param bytes of the input, so far. */
    read: (bytes: number) => {
      if (bytes >= mebibyte) show(`${Math.floor(bytes / mebibyte)} MiB read …`);
    },
    done: (keys: number) => show(`${keys} keys …`),
    /** Before anything else is written. */
    clear: () => {
      if (shown !== "") errors.write(`\r${toLineEnd}`);
      shown = "";
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
