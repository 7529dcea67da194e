import { Readable } from "node:stream";

import { describe, expect, it } from "vitest";

import { readLines } from "@/server/command/read-lines";

async function linesOf(...chunks: (string | Buffer)[]) {
  const lines = [];
  for await (const line of readLines(Readable.from(chunks.map((chunk) => Buffer.from(chunk))))) lines.push(line.text);
  return lines;
}

describe("readLines", () => {
  it("gives the same lines however the input is cut into pieces", async () => {
    const text = "first\n\nthird ü😀\r\nlast";
    const bytes = Buffer.from(text);
    for (let size = 1; size <= bytes.length; size++) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      );
      expect(await linesOf(...chunks)).toEqual(["first", "", "third ü😀\r", "last"]);
    }
  });

  it("counts from 1, needs no line break at the end, and leaves a byte order mark out", async () => {
    const numbers = [];
    for await (const { number } of readLines(Readable.from([Buffer.from("a\nb\n")]))) numbers.push(number);
    expect(numbers).toEqual([1, 2]);
    expect(await linesOf("\ufeff{}\n")).toEqual(["{}"]);
    expect(await linesOf("")).toEqual([]);
  });

  it("gives nothing of a line that is too long or no UTF-8, and goes on after it", async () => {
    expect(await linesOf("x".repeat(16_384), "\na\n")).toEqual(["x".repeat(16_384), "a"]);
    expect(await linesOf("x".repeat(16_385), "\na\n")).toEqual([null, "a"]);
    expect(await linesOf("x".repeat(10_000), "x".repeat(10_000), "x".repeat(10_000), "\na")).toEqual([null, "a"]);
    expect(await linesOf(Buffer.from([0x61, 0xff, 0x0a, 0x62]))).toEqual([null, "b"]);
    expect(await linesOf("x".repeat(20_000))).toEqual([null]);
  });
});
