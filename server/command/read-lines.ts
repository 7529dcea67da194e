import type { Readable } from "node:stream";

/** Longer than any line that an import takes. A file that is no list of lines must not fill the memory. */
const longestBytes = 16_384;
const lineFeed = 0x0a;

export interface Line {
  /** From 1. */
  number: number;
  /** Null when it is too long, or is not UTF-8. */
  text: string | null;
}

/** Reads lines, one at a time, whatever the length of the input. A byte order mark at its beginning is left out. */
export async function* readLines(input: Readable): AsyncGenerator<Line> {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  let number = 0;
  let rest: Buffer[] = [];
  let restBytes = 0;
  const take = (end: Buffer): Line => {
    const bytes = restBytes + end.length;
    const text = bytes > longestBytes ? null : decode(utf8, Buffer.concat([...rest, end]));
    rest = [];
    restBytes = 0;
    return { number: ++number, text };
  };
  for await (const chunk of input as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, from)) {
      yield take(chunk.subarray(from, at));
      from = at + 1;
    }
    const end = chunk.subarray(from);
    restBytes += end.length;
    // Of a line that is too long already nothing is kept.
    if (restBytes <= longestBytes) rest.push(end);
  }
  if (restBytes > 0) yield take(Buffer.alloc(0));
}

function decode(utf8: TextDecoder, bytes: Buffer): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}
