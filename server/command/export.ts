import { lstat, open, rename, rm } from "node:fs/promises";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { exportHashes, exportKeys } from "../keys/export";
import { createDatabase } from "../platform/database";
import { parseKeyEnvironment } from "../settings/env";
import { type AddCommand, CommandError, type CommandIo } from "./command-io";
import { readSettings } from "./read-settings";

/** A page may be read while the database is busy: nobody waits for it as for a request. */
const attemptMilliseconds = 60_000;

/** `export`: all keys without their hashes, to standard output; or what `import` reads, to a file that nobody else can read. */
export const addExport: AddCommand = (program, io) => {
  program
    .command("export")
    .description("write every key as a JSON object on its line, without hashes")
    .option(
      "--with-hashes <file>",
      "instead write the live keys with their hashes, for `import`, to a file of mode 600",
    )
    .action(async ({ withHashes }: { withHashes?: string }) => {
      const { DATABASE_URL, API_KEY_ENVIRONMENT } = readSettings(io, parseKeyEnvironment);
      const db = createDatabase(DATABASE_URL, { maxConnections: 1, attemptMilliseconds });
      try {
        if (withHashes === undefined) await writeObjects(io.output, exportKeys(db), { end: false });
        else await exportToFile(io, withHashes, () => exportHashes(db, API_KEY_ENVIRONMENT, new Date()));
      } finally {
        await db.close();
      }
    });
};

/** Writes to another file first, so that the file is there whole or not at all. */
async function exportToFile(io: CommandIo, path: string, objects: () => AsyncIterable<object>): Promise<void> {
  await assertPrivate(path);
  const draft = `${path}.partial`;
  await rm(draft, { force: true });
  const file = await open(draft, "wx", 0o600).catch((fault: unknown) => {
    throw new CommandError(`The file cannot be written: ${codeOf(fault)}.`);
  });
  try {
    const count = await writeObjects(file.createWriteStream(), objects());
    await rename(draft, path);
    io.errors.write(`${count} live keys with their hashes. Delete the file after the import.\n`);
  } catch (fault) {
    await rm(draft, { force: true });
    throw fault;
  }
}

/** A hash is credential material. It goes to a new file, or over one that only its user may read; never to a terminal or a pipe. */
async function assertPrivate(path: string): Promise<void> {
  const found = await lstat(path).catch((fault: unknown) => {
    if (codeOf(fault) === "ENOENT") return null;
    throw new CommandError(`The file cannot be written: ${codeOf(fault)}.`);
  });
  if (path === "-" || (found && !found.isFile()))
    throw new CommandError("Hashes are written to a file only: name one that is not there yet.");
  if (found && (found.mode & 0o777) !== 0o600)
    throw new CommandError(
      "Others may read that file, or it has a mode of its own: hashes are written over a file of mode 600 only.",
    );
}

async function writeObjects(
  output: Writable,
  objects: AsyncIterable<object>,
  options = { end: true },
): Promise<number> {
  let count = 0;
  async function* lines() {
    for await (const object of objects) {
      count++;
      yield `${JSON.stringify(object)}\n`;
    }
  }
  await pipeline(lines, output, options);
  return count;
}

const codeOf = (fault: unknown) => (fault instanceof Error && "code" in fault ? String(fault.code) : "unknown");
