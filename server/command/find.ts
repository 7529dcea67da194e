import {
  findKeysForOperator,
  findSecretsForOperator,
  isKnownOwner,
  type KeyForOperator,
  keysOfOwnerForOperator,
  type SecretForOperator,
} from "../keys/find-for-operator";
import { createDatabase, type Database } from "../platform/database";
import { parseKeyEnvironment } from "../settings/env";
import { isWellFormedSecret, type SecretFormat } from "../shared/secret-format";
import type { AddCommand, CommandIo, ExitCode } from "./command-io";
import { describeKey, shownOf } from "./describe-key";
import { batchesOf, hintAtTerminal, progressOf } from "./read-input";
import { readSettings } from "./read-settings";
import { type Mention, scanText } from "./scan-text";

/** Longer than a request's, since one look-up may be of many keys. */
const attemptMilliseconds = 5_000;

/** What has come of one mention. `secret`: which of the key's secrets was found, where it was found by one. */
type Finding =
  | { mention: Mention; key: KeyForOperator; secret: SecretForOperator | null }
  | { mention: Mention; key: null; isKnown: boolean };

/** `find`: says whose keys are in a text. It changes nothing. */
export const addFind: AddCommand = (program, io, end) => {
  program
    .command("find")
    .description(
      "say what is known of each key in standard input: any text that holds keys, key ids, or owners on lines of their own",
    )
    .option("--json", "write a JSON object on its line for each")
    .action(async ({ json = false }: { json?: boolean }) => {
      end(await find(io, json));
    });
};

/** @returns 0: something in the text is known here. 1: nothing is. */
async function find(io: CommandIo, json: boolean): Promise<ExitCode> {
  const settings = readSettings(io, parseKeyEnvironment);
  const { API_KEY_PREFIX: prefix, API_KEY_ENVIRONMENT: environment, API_KEY_ACCEPT_FORMATS: accepted } = settings;
  const format = { prefix, environment, accepted };
  const describe = json ? toJson : toText;
  const db = createDatabase(settings.DATABASE_URL, { maxConnections: 1, attemptMilliseconds });
  const progress = progressOf(io);
  let mentions = 0;
  let known = 0;
  hintAtTerminal(io);
  try {
    const ids = new Set<string>();
    for await (const batch of batchesOf(scanText(io.input, accepted, progress.read))) {
      const news = batch.filter((mention) => mention.kind !== "id" || (!ids.has(mention.id) && ids.add(mention.id)));
      for await (const finding of findAll(db, news)) {
        mentions++;
        if (finding.key !== null || finding.isKnown) known++;
        progress.clear();
        io.output.write(describe(finding, format));
      }
    }
  } finally {
    progress.clear();
    await db.close();
  }
  if (mentions === 0)
    io.errors.write(
      "There is no key, no key id and no owner in it. A key in which a character is missing is not found.\n",
    );
  return known > 0 ? 0 : 1;
}

async function* findAll(db: Database, mentions: readonly Mention[]): AsyncGenerator<Finding> {
  const bySecret = await findSecretsForOperator(
    db,
    mentions.flatMap((mention) => (mention.kind === "secret" ? [mention.secret] : [])),
  );
  const byId = await findKeysForOperator(
    db,
    mentions.flatMap((mention) => (mention.kind === "id" ? [mention.id] : [])),
  );
  for (const mention of mentions) {
    const unknown = { mention, key: null, isKnown: false } as const;
    if (mention.kind === "owner") yield* findOwner(db, mention);
    else if (mention.kind === "id") {
      const key = byId.get(mention.id);
      yield key ? { mention, key, secret: null } : unknown;
    } else {
      const found = bySecret.get(mention.secret);
      yield found ? { mention, ...found } : unknown;
    }
  }
}

async function* findOwner(db: Database, mention: Mention & { kind: "owner" }): AsyncGenerator<Finding> {
  let count = 0;
  for await (const page of keysOfOwnerForOperator(db, mention.ownerId))
    for (const key of page) {
      count++;
      yield { mention, key, secret: null };
    }
  if (count === 0) yield { mention, key: null, isKnown: await isKnownOwner(db, mention.ownerId) };
}

function toJson(finding: Finding, format: SecretFormat): string {
  const { mention, key } = finding;
  const object =
    key === null
      ? { known: finding.isKnown, by: mention.kind, ...shownOf(mention, format) }
      : { known: true, by: mention.kind, ...key, secret: finding.secret };
  return `${JSON.stringify(object)}\n`;
}

function toText(finding: Finding, format: SecretFormat): string {
  if (finding.key !== null) return describeKey(finding.key, finding.secret);
  const { mention } = finding;
  const { id, ownerId, display } = shownOf(mention, format);
  if (mention.kind === "id") return `${id ?? "A key id"}: unknown here\n`;
  if (mention.kind === "owner")
    return `${ownerId ?? "The owner"}: ${finding.isKnown ? "is known and has no key" : "unknown here, so without a key"}\n`;
  const reason = isWellFormedSecret(mention.secret, format)
    ? "no key ever had this secret here"
    : "and of another prefix or environment than this deployment's";
  return `${display ?? "A secret"}: unknown here, ${reason}\n`;
}
