import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";

import { importKeys } from "../keys";
import { createImportLineParser } from "../keys/import-line";
import type { ScopeRules, TakenOverKey } from "../keys/taken-over";
import { createDatabase } from "../platform/database";
import { createLogger, describeFault } from "../platform/logger";
import { parseKeyEnvironment } from "../settings/env";
import type { SecretFormat } from "../shared/secret-format";
import { type AddCommand, CommandError, type CommandIo, type ExitCode } from "./command-io";
import { readLines } from "./read-lines";
import { readSettings } from "./read-settings";

/** One transaction each. Larger ones are hardly faster, and hold the locks of their owners for longer. */
const batchSize = 1_000;
/** A batch may wait for another import's locks. */
const attemptMilliseconds = 60_000;
const progressEvery = 10_000;

/** What has become of the lines. */
interface Tally {
  lines: number;
  imported: number;
  /** Were there already, from an earlier run perhaps, and are as they were. */
  alreadyThere: number;
  /** Of those, the ones that are revoked and stay so. */
  revoked: number;
  refused: number;
  /** Of the imported ones, those that may do nothing. */
  withoutScopes: number;
  /** Of the imported ones, those that begin with none of the shapes that this deployment accepts. */
  notAccepted: number;
}

/** `import`: takes keys of another system over from a file of their hashes. It needs no Redis: a hash that nobody knows is in no slot. */
export const addImport: AddCommand = (program, io, end) => {
  program
    .command("import")
    .description("take keys over from a file with a JSON object { ownerId, name, hash, display, … } on each line")
    .argument("<file>", "the file, or - for standard input")
    .option("--scopes <list>", "what a key may do whose line names no scopes, separated by commas")
    .option(
      "--with-access",
      "owners of whose plan nothing is known count as having API access, until Clerk tells of it",
    )
    .option("--json", "write the summary as JSON")
    .action(async (file: string, options: ImportOptions) => {
      end(await importFile(io, file, options));
    });
};

interface ImportOptions {
  scopes?: string;
  withAccess?: true;
  json?: true;
}

async function importFile(io: CommandIo, file: string, options: ImportOptions): Promise<ExitCode> {
  const settings = readSettings(io, parseKeyEnvironment);
  const { API_KEY_ENVIRONMENT: environment, API_KEY_PREFIX: prefix, API_KEY_ACCEPT_FORMATS: accepted } = settings;
  const format = { prefix, environment, accepted };
  const parseImportLine = createImportLineParser({ format, scopes: readScopes(io, options.scopes) });
  const input = file === "-" ? io.input : createReadStream(file);
  const { sendsEvents } = settings;
  const db = createDatabase(settings.DATABASE_URL, { maxConnections: 1, attemptMilliseconds, sendsEvents });
  const tally: Tally = {
    lines: 0,
    imported: 0,
    alreadyThere: 0,
    revoked: 0,
    refused: 0,
    withoutScopes: 0,
    notAccepted: 0,
  };
  const refuse = (number: number, reason: string) => {
    tally.refused++;
    io.errors.write(`line ${number}: ${reason}\n`);
  };
  const ctx = {
    db,
    logger: createLogger("silent"),
    environment,
    from: "import" as const,
    now: () => new Date(),
    withAccess: options.withAccess ?? false,
  };
  const store = async (batch: readonly NumberedKey[]) => {
    const outcomes = await importKeys(
      ctx,
      batch.map(({ key }) => key),
    );
    batch.forEach(({ number, key }, at) => {
      const outcome = outcomes[at];
      if (typeof outcome === "object") refuse(number, outcome.refused);
      else if (outcome === "imported") tally.imported++;
      else tally.alreadyThere++;
      if (outcome === "imported" && key.scopes.length === 0) tally.withoutScopes++;
      if (outcome === "imported" && !canBeAccepted(key.display, format)) tally.notAccepted++;
      if (outcome === "revoked") tally.revoked++;
    });
  };
  try {
    let batch: NumberedKey[] = [];
    for await (const { number, text } of linesOf(input)) {
      tally.lines = number;
      if (text !== null && text.trim() === "") continue;
      const line = text === null ? { refused: "it is too long, or is not UTF-8" } : parseImportLine(text, ctx.now());
      if ("refused" in line) refuse(number, line.refused);
      else batch.push({ number, key: line.key });
      if (number % progressEvery === 0) io.errors.write(`${number} lines …\n`);
      if (batch.length < batchSize) continue;
      await store(batch);
      batch = [];
    }
    await store(batch);
  } finally {
    await db.close();
  }
  io.output.write(options.json ? `${JSON.stringify({ ...tally, environment })}\n` : summary(tally, environment));
  if (tally.notAccepted > 0)
    io.errors.write(
      `${tally.notAccepted} of the imported keys begin with nothing that API_KEY_ACCEPT_FORMATS names: they are refused until it does\n`,
    );
  if (tally.withoutScopes > 0)
    io.errors.write(`${tally.withoutScopes} of the imported keys have no scopes: what needs one refuses them\n`);
  return tally.refused > 0 ? 1 : 0;
}

/** Without `--scopes` a key that names none may do all that the app has, as one that is created so. */
function readScopes({ scopes: known }: CommandIo, list: string | undefined): ScopeRules {
  const named = list?.split(",").map((scope) => scope.trim());
  if (named?.some((scope) => scope === "" || (known && !known.includes(scope))))
    throw new CommandError("--scopes names something that is no scope of this app.");
  return { known: known ?? null, default: named ?? known ?? [] };
}

interface NumberedKey {
  number: number;
  key: TakenOverKey;
}

async function* linesOf(input: Readable) {
  try {
    yield* readLines(input);
  } catch (fault) {
    throw new CommandError(`The file cannot be read: ${describeFault(fault).code ?? "no reason is known"}.`);
  }
}

/** Whether a key that is shown so can be of a shape that this deployment verifies. */
function canBeAccepted(display: string, { prefix, accepted = [] }: SecretFormat): boolean {
  const [start = ""] = display.split("…");
  return [`${prefix}_`, ...accepted.map((shape) => shape.prefix)].some(
    (beginning) => start.startsWith(beginning) || beginning.startsWith(start),
  );
}

function summary({ lines, imported, alreadyThere, revoked, refused }: Tally, environment: string): string {
  const stayed = revoked > 0 ? `, of which ${revoked} are revoked and stay so` : "";
  return `${lines} lines: ${imported} keys imported (${environment}), ${alreadyThere} already there${stayed}, ${refused} refused\n`;
}
