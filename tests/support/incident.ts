import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { createKeyOf, newCaller, type TestServer } from "./server-instance";
import { settingsOf } from "./operator";

/** The command lines of docs/incident.md, in order. */
export async function readIncidentCommands(): Promise<string[]> {
  const page = await readFile("docs/incident.md", "utf8");
  const blocks = Array.from(page.matchAll(/^```sh\n(.*?)^```$/gms), ([, block = ""]) => block);
  return blocks.flatMap((block) => block.split("\n").filter(Boolean));
}

interface Followed {
  line: string;
  code: number;
  output: string;
  errors: string;
}

/**
 * Follows the page in a shell, line by line, in a folder with a `leak.txt`, after a leak of one key. Another key is meant by its id, and a third
 * one by its owner.
 * @param command the words that start the command, as `npx latchkey` does for a reader.
 */
export async function followIncidentPage(server: TestServer, command: string[]) {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-incident-"));
  const callers = [newCaller(), newCaller(), newCaller()] as const;
  const [leaked, named, owned] = [
    await createKeyOf(server, callers[0]),
    await createKeyOf(server, callers[1]),
    await createKeyOf(server, callers[2]),
  ];
  const quoted = command.map((word) => `'${word}'`).join(" ");
  await writeFile(join(folder, "npx"), `#!/bin/sh\nshift\nexec ${quoted} "$@"\n`, { mode: 0o755 });
  await writeFile(
    join(folder, "leak.txt"),
    `2026-01-01 "GET /v1" \u001b[33mx-api-key: ${leaked.secret}\u001b[0m 200\n`,
    {
      mode: 0o600,
    },
  );
  const { HOME = folder, PATH = "" } = process.env;
  const env: NodeJS.ProcessEnv = {
    ...{ HOME, PATH: `${folder}${delimiter}${PATH}`, TSX_TSCONFIG_PATH: join(process.cwd(), "tsconfig.json") },
    ...{ NODE_ENV: "development", ...settingsOf(server) },
  };
  const run = (line: string) =>
    new Promise<Followed>((resolve) => {
      const asTyped = line.replace("KEY_ID", named.key.id).replace("OWNER", callers[2].ownerId);
      const child = execFile("/bin/sh", ["-c", asTyped], { cwd: folder, env }, (_fault, output, errors) =>
        resolve({ line, code: child.exitCode ?? -1, output, errors }),
      );
    });
  try {
    const followed: Followed[] = [];
    for (const line of await readIncidentCommands()) followed.push(await run(line));
    const receipts = await readFile(join(folder, "receipts.ndjson"), "utf8");
    return { followed, receipts, leaked, named, owned };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
