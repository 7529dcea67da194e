import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";

import { mintSecret } from "@/server/keys/secret";
import { endsWithChecksum } from "@/server/shared/secret-format";

import { foundThoughWrong, keysIn, type Line, lookalikes, missed } from "./corpus";

const folder = mkdtempSync(join(tmpdir(), "latchkey-detectors-"));
afterAll(() => rmSync(folder, { recursive: true }));

// A scan starts a process that compiles 29 MB of WebAssembly. It bounds a hang, and no test may depend on it.
vi.setConfig({ testTimeout: 30_000 });

const prefixes = ["lk", "acme", "a1b2c3d4e5"];
const own = resolve("docs/detectors");

/** The rules for a prefix, made by the commands that the page names. */
function rulesFor(prefix: string): { gitleaks: string; trufflehog: string } {
  if (prefix === "lk") return { gitleaks: join(own, "gitleaks.toml"), trufflehog: join(own, "trufflehog.yaml") };
  const copy = join(folder, `rules-${prefix}`);
  cpSync(own, copy, { recursive: true });
  const commands = readFileSync(join(own, "README.md"), "utf8").match(/^sed .*$/gm) ?? [];
  expect(commands).toHaveLength(2);
  execFileSync("sh", ["-ec", commands.join("\n").replaceAll("acme", prefix)], { cwd: copy });
  return { gitleaks: join(copy, ".gitleaks.toml"), trufflehog: join(copy, "trufflehog-config.yaml") };
}

const expressionOfGitleaks = (file: string) => /^regex = '''(.*)'''$/m.exec(readFileSync(file, "utf8"))?.[1] ?? "";

function detectorOfTrufflehog(file: string) {
  const { detectors } = parse(readFileSync(file, "utf8")) as {
    detectors: { name: string; keywords: string[]; regex: Record<string, string> }[];
  };
  const [detector] = detectors;
  if (!detector || detectors.length !== 1) throw new Error("trufflehog.yaml has not one detector");
  return detector;
}

/** Node 20 has only the longer name. */
const permissions = process.allowedNodeEnvironmentFlags.has("--permission")
  ? "--permission"
  : "--experimental-permission";

/**
 * Runs the real gitleaks over the texts. It comes as WebAssembly in an npm package. Node's permissions keep it to what it needs: it reads files.
 * @returns the secrets that our rule has found, by the number of the text.
 */
function runGitleaks(rules: string, texts: readonly string[]): string[][] {
  const files = mkdtempSync(join(folder, "texts-"));
  texts.forEach((text, at) => writeFileSync(join(files, `${at}.txt`), text));
  const node = ["--no-warnings", permissions, "--allow-fs-read=*", "tests/support/gitleaks-process.mjs"];
  const command = ["dir", files, "--config", rules];
  const report = ["--report-format", "json", "--report-path", "-", "--no-banner", "--exit-code", "0"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...node, ...command, ...report], {
    encoding: "utf8",
    env: { NODE_ENV: "test" },
  });
  if (status !== 0) throw new Error(`gitleaks: ${stderr}`);
  const findings = JSON.parse(stdout) as { RuleID: string; Secret: string; File: string }[];
  return texts.map((_, at) =>
    findings
      .filter(({ RuleID, File }) => RuleID === "latchkey-api-key" && basename(File) === `${at}.txt`)
      .map(({ Secret }) => Secret),
  );
}

/** As TruffleHog applies a detector: only a text with one of the keywords is searched. */
function runExpression(rules: string, texts: readonly string[]): string[][] {
  const { keywords, regex } = detectorOfTrufflehog(rules);
  return texts.map((text) =>
    keywords.some((keyword) => text.toLowerCase().includes(keyword))
      ? Array.from(text.matchAll(new RegExp(regex.token ?? "", "g")), ([, secret = ""]) => secret)
      : [],
  );
}

const scanners = [
  ["gitleaks", (prefix: string, texts: readonly string[]) => runGitleaks(rulesFor(prefix).gitleaks, texts)],
  ["the expression", (prefix: string, texts: readonly string[]) => runExpression(rulesFor(prefix).trufflehog, texts)],
] as const;

describe.each(scanners)("%s", (_name, scan) => {
  /** What is found in each line, made of a key of each environment. */
  function findIn(prefix: string, lines: readonly Line[]) {
    const keys = (["live", "test"] as const).map((environment) => mintSecret({ prefix, environment }));
    const cases = keys.flatMap((key) => lines.map(([title, text]) => ({ key, title, text: text(key) })));
    const found = scan(
      prefix,
      cases.map(({ text }) => text),
    );
    return cases.map(({ key, title }, at) => ({ key, title, found: [...new Set(found[at])] }));
  }

  it.each(prefixes)("finds every key with the prefix %s, and the whole of it", (prefix) => {
    for (const { key, title, found } of findIn(prefix, keysIn)) expect(found, title).toEqual([key]);
  });

  it.each(prefixes)("finds no lookalike of a key with the prefix %s", (prefix) => {
    for (const { title, found } of findIn(prefix, lookalikes)) expect(found, title).toEqual([]);
  });

  it("has the limits that the page names", () => {
    for (const { title, found } of findIn("lk", missed)) expect(found, title).toEqual([]);
    for (const { title, found } of findIn("lk", foundThoughWrong))
      expect(found.map(endsWithChecksum), title).toEqual([false]);
  });
});

describe("the rules", () => {
  it.each(prefixes)("of both scanners are one expression for the prefix %s", (prefix) => {
    const { gitleaks, trufflehog } = rulesFor(prefix);
    const { keywords, regex } = detectorOfTrufflehog(trufflehog);
    expect(Object.values(regex)).toEqual([expressionOfGitleaks(gitleaks)]);
    // gitleaks and TruffleHog use the engine RE2, which has neither.
    expect(Object.values(regex).join()).not.toMatch(/\(\?[=!<]|\\[1-9]/);
    expect(keywords).toEqual([`${prefix}_live_`, `${prefix}_test_`]);
  });

  it("lose no key to what they say of the checksum's first digit", () => {
    const first = new Set(
      Array.from({ length: 2_000 }, () => mintSecret({ prefix: "lk", environment: "live" }).at(-6)),
    );
    expect([...first].sort()).toEqual(["0", "1", "2", "3", "4"]);
  });

  it("are the expression that GitHub is given", () => {
    const given = /^lk_\(live.*$/m.exec(readFileSync(join(own, "README.md"), "utf8"))?.[0] ?? "";
    expect(expressionOfGitleaks(join(own, "gitleaks.toml"))).toContain(`(${given.replace("(live", "(?:live")})`);
  });
});
