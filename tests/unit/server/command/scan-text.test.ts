import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";

import { type Mention, scanText } from "@/server/command/scan-text";
import { mintSecret } from "@/server/keys/secret";
import type { AcceptedShape } from "@/server/shared/secret-format";

const newSecret = (prefix = "lk") => mintSecret({ prefix, environment: "live" });
const newId = () => `key_${crypto.randomUUID()}`;
const shapes: AcceptedShape[] = [{ prefix: "wm_", characters: "hex", length: 40 }];

async function scan(...pieces: (string | Buffer)[]): Promise<Mention[]> {
  const found: Mention[] = [];
  for await (const batch of scanText(Readable.from(pieces.map((piece) => Buffer.from(piece))), shapes))
    found.push(...batch);
  return found;
}
const secretsOf = (mentions: Mention[]) => mentions.flatMap((m) => (m.kind === "secret" ? [m.secret] : []));
const aloneOf = (mentions: Mention[]) => mentions.flatMap((m) => (m.kind === "id" && m.isAlone ? [m.id] : []));
const besideOf = (mentions: Mention[]) => mentions.flatMap((m) => (m.kind === "id" && !m.isAlone ? [m.id] : []));
const ownersOf = (mentions: Mention[]) => mentions.flatMap((m) => (m.kind === "owner" ? [m.ownerId] : []));

describe("secrets in a text", () => {
  it.each([
    ["a log line", (s: string) => `2026-01-01 GET /v1/reports authorization="Bearer ${s}" 200\n`],
    ["JSON in JSON", (s: string) => JSON.stringify({ log: JSON.stringify({ key: `\n${s}\n` }) })],
    ["a URL", (s: string) => `https://x.example.com/?key%3D${s}%0A`],
    ["colours", (s: string) => `\u001b[32m${s}\u001b[0m`],
    ["colours within", (s: string) => `${s.slice(0, 20)}\u001b[0m\u001b[32m${s.slice(20)}`],
    ["two quoted lines", (s: string) => `> ${s.slice(0, 17)}=\r\n> ${s.slice(17)}\r\n`],
  ])("are found in %s, wherever the pieces of the input are cut", async (_title, write) => {
    const secret = newSecret();
    const text = `${"x".repeat(30)}\n${write(secret)}${"y".repeat(30)}`;
    for (let at = 0; at <= text.length; at++)
      expect(secretsOf(await scan(text.slice(0, at), text.slice(at))), `cut at ${at}`).toEqual([secret]);
  });

  it("are found in UTF-16 of either order, as a shell of Windows writes a file", async () => {
    const [secret, id] = [newSecret(), newId()];
    const little = Buffer.from(`\ufeff${id}\r\n${secret}\r\n`, "utf16le");
    for (const bytes of [little, Buffer.from(little).swap16()]) {
      const found = await scan(bytes);
      expect([secretsOf(found), aloneOf(found)]).toEqual([[secret], [id]]);
    }
  });

  it("come once each, after megabytes of one line, and in pieces of one byte", async () => {
    const [first, second] = [newSecret(), newSecret("acme")];
    const long = "lk_live_".repeat(200_000);
    expect(secretsOf(await scan(`${first}${long}`, long, `${first} ${second}`))).toEqual([first, second]);
    expect(secretsOf(await scan(...Array.from(`${first}\n${second}`)))).toEqual([first, second]);
  });

  it("may have another accepted shape, also behind an escape", async () => {
    const secret = `wm_${"0123456789".repeat(4)}`;
    expect(secretsOf(await scan(`{"k":"\\n${secret}"}`, ` ${secret}0`))).toEqual([secret]);
  });
});

describe("ids and owners", () => {
  it.each([
    ["one a line", (a: string, b: string) => `${a}\n${b}\n`],
    ["Windows' line ends", (a: string, b: string) => `${a}\r\n${b}`],
    ["JSON", (a: string, b: string) => JSON.stringify([a, b], null, 2)],
    ["a list", (a: string, b: string) => `  - ${a}\n* ${b}`],
    ["one line", (a: string, b: string) => `${a}, ${b};`],
    ["colours", (a: string, b: string) => `\u001b[1m${a}\u001b[0m ${b}`],
    [
      "what find writes",
      (a: string, b: string) =>
        [a, b]
          .map((id) => JSON.stringify({ known: true, id, ownerId: "user_1", display: "lk_live_Ab3d…9xYz" }))
          .join("\n"),
    ],
  ])("ids count as %s", async (_title, write) => {
    const ids = [newId(), newId()] as const;
    for (const text of [write(...ids)])
      for (const at of [0, 3, 20, text.length - 1]) {
        const found = aloneOf(await scan(text.slice(0, at), text.slice(at)));
        expect(found.toSorted(), `cut at ${at}`).toEqual([...ids].sort());
      }
  });

  it("an id beside other text is only a mention, however the input is cut", async () => {
    const id = newId();
    for (const text of [
      `see ${id}`,
      `${id} is well`,
      `{"keyId":"${id}"}`,
      `a\t${id}`,
      `id=${id}`,
      `${"x".repeat(70_000)} ${id}\n`,
    ])
      for (const at of [0, text.indexOf("key_"), text.length - 3]) {
        const found = await scan(text.slice(0, at), text.slice(at));
        expect([aloneOf(found), besideOf(found)], `${text.slice(0, 20)} cut at ${at}`).toEqual([[], [id]]);
      }
  });

  it("a malformed id on its line is reported, and a secret that begins as an id is none", async () => {
    expect(aloneOf(await scan("key_nothing\n"))).toEqual(["key_nothing"]);
    const secret = newSecret("key");
    for (const line of [secret, secret.replace(/.$/, "!"), secret.slice(0, -1)])
      expect(aloneOf(await scan(`${line}\n`)), "a secret").toEqual([]);
  });

  it("an owner counts on its own line alone; of any form, where it is all", async () => {
    expect(ownersOf(await scan('user_2abc\n "org_1"\nby user_3\n'))).toEqual(["user_2abc", "org_1"]);
    expect(ownersOf(await scan("acme-42\n"))).toEqual(["acme-42"]);
    expect(ownersOf(await scan("acme 42\n"))).toEqual([]);
    expect(ownersOf(await scan(`${newSecret().slice(0, -2)}\n`)), "a key that was cut").toEqual([]);
  });

  it("an empty input holds nothing", async () => {
    expect(await scan()).toEqual([]);
    expect(await scan("\n\n")).toEqual([]);
  });
});
