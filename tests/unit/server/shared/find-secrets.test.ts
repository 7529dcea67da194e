import { describe, expect, it } from "vitest";

import { mintSecret } from "@/server/keys/secret";
import { findSecrets } from "@/server/shared/find-secrets";

const secret = mintSecret({ prefix: "lk", environment: "live" });
/** The longest prefix, with digits, and another environment. */
const longest = mintSecret({ prefix: "a1b2c3d4e5", environment: "test" });
const head = secret.slice(0, 20);
const tail = secret.slice(20);

describe("a key in a text", () => {
  it.each([
    ["JSON's line break before it", `{"log":"failed\\n${secret}"}`],
    ["JSON's tab before it", `{"log":"key:\\t${secret}"}`],
    ["JSON's escaped equals sign before it", `{"url":"?key\\u003d${secret}\\u0026a=1"}`],
    ["a URL's equals sign before it", `https://example.test/?next=%3fkey%3d${secret}%26a%3d1`],
    ["a URL's line break before and after it", `a%0a${secret}%0Ab`],
    ["a terminal's colour before and after it", `\u001b[0m${secret}\u001b[0m`],
    ["a colour whose escape character was lost", `[0m${secret}[0m`],
    ["a letter before it", `x${secret}`],
    ["a word before it", `thekeyis${secret}`],
    ["digits before it", `2024${secret}`],
    ["a capital before it", `Key3D${secret}`],
    ["an underscore before it", `MY_${secret}`],
    ["a letter after it", `${secret}x`],
    ["a word after it", `${secret}andmore`],
    ["an underscore after it", `${secret}_2`],
    ["a letter of another alphabet beside it", `ключ${secret}ключ`],
    ["an unfinished key before it", `lk_live_${secret}`],
    ["another environment's name before it", `x_test_${secret}`],
  ])("is found with %s", (_title, text) => {
    expect(findSecrets(text)).toEqual([secret]);
  });

  it.each([
    ["a line break", `${head}\n${tail}`],
    ["a Windows line break", `${head}\r\n${tail}`],
    ["a line break with indentation", `key:\n    ${head}\n    ${tail}\n`],
    ["a blank line", `${head}\n\n${tail}`],
    ["spaces", `${head}   ${tail}`],
    ["a no-break space", `${head}\u00a0${tail}`],
    ["a soft hyphen", `${head}\u00ad${tail}`],
    ["a zero width space", `${head}\u200b${tail}`],
    ["quoted-printable's soft line break", `Key:=20${head}=\r\n${tail}=\r\nThe end`],
    ["quoted-printable's soft hyphen", `${head}=C2=AD${tail}`],
    ["a quoted reply", `> ${head}\n> ${tail}\n`],
    ["a reply to a quoted reply in quoted-printable", `>> ${head}=\n> > ${tail}\n>> bye`],
    ["a shell's continued line", `curl -H 'X-API-Key: ${head}\\\n${tail}'`],
    ["JSON's line break", `${head}\\n${tail}`],
    ["JSON's escaped soft hyphen", `${head}\\u00ad${tail}`],
    ["a URL's line break", `${head}%0D%0A${tail}`],
    ["a search's colour", `\u001b[01;31m\u001b[K${head}\u001b[m\u001b[K${tail}`],
    ["an HTML line break", `<td>${head}<br/>${tail}</td>`],
    ["an HTML mark", `<mark class="hit">${head}</mark>${tail}`],
    ["an HTML soft hyphen", `${head}&shy;${tail}`],
    ["a string that source code joins", `const key = "${head}" +\n  "${tail}";`],
    ["Markdown's escaped underscores", secret.replaceAll("_", "\\_")],
  ])("is found with %s inside it", (_title, text) => {
    expect(findSecrets(text)).toEqual([secret]);
  });

  it("is found wherever it is wrapped, a line break in the prefix and in the environment included", () => {
    for (let at = 1; at < longest.length; at++)
      expect(findSecrets(`KEY=${longest.slice(0, at)}=\n> ${longest.slice(at)}\nnext`)).toEqual([longest]);
  });

  it("is found with every prefix, however many letters are glued to it", () => {
    for (const prefix of ["k", "lk", "acme", "a1b2c3d4e5"]) {
      const key = mintSecret({ prefix, environment: "test" });
      for (const glued of ["", "z", "zz", "z".repeat(20)]) expect(findSecrets(glued + key + glued)).toEqual([key]);
    }
  });

  it("is found among several, each once", () => {
    const secrets = Array.from({ length: 20 }, () => mintSecret({ prefix: "lk", environment: "test" }));
    expect(findSecrets(secrets.join("")).sort()).toEqual([...secrets].sort());
    const log = [...secrets, ...secrets].map((key) => `{"line":"\\n${key}\\n"}`).join("\n");
    expect(findSecrets(`${log}\n${head}\n${tail}`).sort()).toEqual([secret, ...secrets].sort());
  });

  it("is not found when a character of it is changed or missing, or stands elsewhere", () => {
    for (let at = 0; at < secret.length; at++) {
      const changed = secret[at] === "a" ? "b" : "a";
      expect(findSecrets(`x\n${secret.slice(0, at)}${changed}${secret.slice(at + 1)}`)).toEqual([]);
      expect(findSecrets(secret.slice(0, at) + secret.slice(at + 1))).toEqual([]);
    }
    expect(findSecrets(`${tail} ${head}`)).toEqual([]);
  });

  it.each([
    ["letters", "a"],
    ["underscores", "_"],
    ["backslashes", "\\"],
    ["spaces", " "],
    ["opened tags", "<a "],
    ["colours without an end", "\u001b[0"],
    ["environments", "_live_"],
    ["keys with a wrong checksum", `a1b2c3d4e5_test_${"0".repeat(38)}`],
    ["wrapped keys with a wrong checksum", `a1b2c3d4e5_test_${"0".repeat(19)}\n${"0".repeat(19)}\n`],
  ])("takes time in proportion to the text's length: %s", (_title, piece) => {
    const bytes = 1_000_000;
    const textOf = (length: number) => piece.repeat(length / piece.length) + secret;
    const secondsFor = (text: string) => {
      const startedAt = performance.now();
      expect(findSecrets(text)).toEqual([secret]);
      return performance.now() - startedAt;
    };
    const [small, large] = [textOf(bytes / 8), textOf(bytes)];
    secondsFor(small);
    const fastest = (text: string) => Math.min(...Array.from({ length: 5 }, () => secondsFor(text)));
    // Eight times the text: 8 where time is linear, 64 where it grows with the square.
    expect(fastest(large) / fastest(small)).toBeLessThan(24);
  });
});
