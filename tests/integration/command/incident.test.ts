import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { verifyApiKey } from "@/server/keys";
import { hashSecret } from "@/server/keys/secret";
import { useTestServer } from "@/tests/support/domain";
import { followIncidentPage, readIncidentCommands } from "@/tests/support/incident";
import { latchkeyCommand } from "@/tests/support/latchkey-command";
import { runWith, settingsOf } from "@/tests/support/operator";

const page = readFileSync("docs/incident.md", "utf8");
const sources = ["server/command", "server/command/doctor"].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(folder, name), "utf8")),
);

describe("docs/incident.md", () => {
  const server = useTestServer("embedded");

  it("can be followed line by line in a shell, and ends what has leaked", async () => {
    const { followed, receipts, leaked, named, owned } = await followIncidentPage(server(), latchkeyCommand());
    const outputOf = (line: string) => followed.find((one) => one.line === line)?.output ?? "";
    for (const { line, code, errors } of followed) expect({ line, code, errors }).toMatchObject({ line, code: 0 });
    expect(outputOf("npx latchkey find < leak.txt")).toContain(leaked.key.id);
    expect(outputOf("npx latchkey revoke --dry-run < leak.txt")).toContain("would be revoked");
    expect(outputOf("npx latchkey revoke < leak.txt")).toContain("effective: no request that starts after");
    expect(outputOf("npx latchkey revoke KEY_ID")).toContain(named.key.id);
    expect(outputOf("npx latchkey revoke-owner OWNER")).toContain(owned.key.id);
    expect(JSON.parse(receipts)).toMatchObject({ id: leaked.key.id, effect: { status: "effective" } });
    for (const { secret } of [leaked, named, owned]) {
      expect(await verifyApiKey(server(), secret)).toEqual({ valid: false, reason: "revoked" });
      const written = receipts + followed.map(({ output, errors }) => output + errors).join("");
      for (const form of [secret.slice(-38), hashSecret(secret).toString("hex"), hashSecret(secret).toString("base64")])
        expect(written).not.toContain(form);
    }
  }, 60_000);

  it("names each command that it speaks of in a line that is run", async () => {
    const run = (await readIncidentCommands()).join("\n");
    const spokenOf = Array.from(page.matchAll(/npx latchkey ([a-z-]+)/g), ([, name = ""]) => name);
    for (const name of new Set(spokenOf)) expect(run).toContain(`npx latchkey ${name}`);
    for (const name of ["doctor", "find", "revoke", "revoke-owner"]) expect(spokenOf).toContain(name);
  });

  it("explains every check of doctor, by words that doctor writes", async () => {
    const { output } = await runWith(["doctor", "--json"], { environment: settingsOf(server()) });
    const { checks } = JSON.parse(output) as { checks: { name: string }[] };
    const rows = Array.from(page.matchAll(/^\| `(\w+)` +\| (.*?) +\|/gm), ([, name = "", words = ""]) => ({
      name,
      words,
    }));
    expect(rows.map(({ name }) => name)).toEqual(checks.map(({ name }) => name));
    const quotes = rows.flatMap(({ words }) => Array.from(words.matchAll(/“(.*?)”/g), ([, quote = ""]) => quote));
    expect(quotes.length).toBeGreaterThan(checks.length);
    const all = [...sources, readFileSync("server/settings/env.ts", "utf8")].join("\n");
    for (const quote of quotes) expect(all).toContain(quote);
  });

  it("explains receipts and findings by words that the commands write", () => {
    const rows = Array.from(page.matchAll(/^\| (.*?) +\| .*\|$/gm), ([, words = ""]) => words);
    const quotes = rows.flatMap((words) => Array.from(words.matchAll(/`([^`]+ [^`]+)`/g), ([, quote = ""]) => quote));
    expect(quotes.length).toBeGreaterThan(6);
    for (const part of quotes.flatMap((quote) => quote.replace(/^status /, "").split(" … ")))
      expect(sources.join("\n") + "active expired revoked").toContain(part);
  });
});
