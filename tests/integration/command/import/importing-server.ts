import { randomUUID } from "node:crypto";
import { join } from "node:path";

import type { AcceptedShape, SecretFormat } from "@/server/shared/secret-format";
import { useTestServer } from "@/tests/support/domain";
import { runLatchkey, writeLines } from "@/tests/support/latchkey-command";
import { makeFolder } from "@/tests/support/make-folder";

const accepted: AcceptedShape[] = [
  { prefix: "wm_", characters: "hex", length: 40 },
  ...[22, 21, 20, 19].map((length) => ({ prefix: "sk_", characters: "base58" as const, length })),
  { prefix: "", characters: "letters", length: 64 },
];

export const format: SecretFormat = { prefix: "lk", environment: "test", accepted };

export const shapes = { API_KEY_ACCEPT_FORMATS: "wm_:hex:40,sk_:base58:22,:letters:64" };

export const newOwner = () => `user_${randomUUID()}`;

/** Starts a test server for a file that tests imports. @returns it, its database, a folder, and what imports lines into it. */
export function useImports() {
  const server = useTestServer("embedded", { secretFormat: format });
  const folder = makeFolder();
  const database = () => server().postgresProxy.target;

  async function importLines(lines: (object | string)[], ...args: string[]) {
    const file = await writeLines(join(folder(), `${randomUUID()}.ndjson`), lines);
    const ended = await runLatchkey(["import", file, "--json", ...args], { DATABASE_URL: database(), ...shapes });
    return { ...ended, file, told: ended.output ? (JSON.parse(ended.output) as Record<string, number>) : {} };
  }

  return { server, folder, database, importLines };
}
