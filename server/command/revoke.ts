import {
  findKeysForOperator,
  findSecretsForOperator,
  isKnownOwner,
  type KeyForOperator,
  keysOfOwnerForOperator,
} from "../keys/find-for-operator";
import { revokeByOperator, type RevokedByOperator } from "../keys/revoke-by-operator";
import type { OutboxContext } from "../outbox/context";
import { createDatabase } from "../platform/database";
import { createLogger } from "../platform/logger";
import { createMetrics } from "../platform/metrics";
import { createRedisClients } from "../platform/redis";
import { parseRevokingEnvironment } from "../settings/env";
import type { AcceptedShape } from "../shared/secret-format";
import { createSlots } from "../slot/slot";
import { type AddCommand, CommandError, type CommandIo, type ExitCode } from "./command-io";
import { describeEffect, printable, shownId } from "./describe-key";
import { batchesOf, hintAtTerminal, progressOf } from "./read-input";
import { readSettings } from "./read-settings";
import { type Mention, scanText } from "./scan-text";

/** A batch of keys may wait for another transaction's locks. */
const attemptMilliseconds = 5_000;

interface RevokeOptions {
  dryRun?: boolean;
  json?: boolean;
}

/** `revoke` and `revoke-owner`: end keys, whoever's they are, and say for each from when on it is refused. */
export const addRevoke: AddCommand = (program, io, end) => {
  program
    .command("revoke")
    .description(
      "revoke keys by their ids, or those that standard input holds: ids line by line, or any text with keys",
    )
    .argument("[key-id...]", "ids of keys; without any, standard input is read")
    .option("--dry-run", "say what would be revoked, and change nothing")
    .option("--json", "write a JSON object on its line for each key")
    .action(async (ids: string[], options: RevokeOptions) => {
      if (!ids.every((id) => id.startsWith("key_"))) {
        io.errors.write(
          "An argument is no key's id, key_ and a UUID. Nothing was revoked. See latchkey revoke --help.\n",
        );
        end(2);
      } else end(await revoke(io, options, ids.length > 0 ? byArguments(ids) : byInput));
    });
  program
    .command("revoke-owner")
    .description("revoke every key of an owner. The owner's account stays open, and can create new ones")
    .argument("<owner>", "the id of a user or an organisation")
    .option("--dry-run", "say what would be revoked, and change nothing")
    .option("--json", "write a JSON object on its line for each key")
    .action(async (ownerId: string, options: RevokeOptions) => {
      end(await revoke(io, options, byOwner(ownerId)));
    });
};

/** What a command works on: keys that are known, and what is not known, in words that show no secret. */
interface Chosen {
  keys: KeyForOperator[];
  unknown: string[];
}
/** Chooses keys, batch by batch. @throws CommandError where there is nothing to choose from. */
type Choose = (source: Source) => AsyncGenerator<Chosen>;
interface Source {
  db: OutboxContext["db"];
  io: CommandIo;
  shapes: readonly AcceptedShape[];
}

async function revoke(
  io: CommandIo,
  { dryRun = false, json = false }: RevokeOptions,
  choose: Choose,
): Promise<ExitCode> {
  const settings = readSettings(io, parseRevokingEnvironment);
  const ctx = createContext(settings);
  const tally = { effective: 0, pending: 0, unknown: 0 };
  const seen = new Set<string>();
  try {
    for await (const chosen of choose({ db: ctx.db, io, shapes: settings.API_KEY_ACCEPT_FORMATS })) {
      for (const name of chosen.unknown) {
        tally.unknown++;
        if (json) io.output.write(`${JSON.stringify({ known: false, name })}\n`);
        io.errors.write(`${name}: unknown here\n`);
      }
      const keys = chosen.keys.filter(({ id }) => !seen.has(id) && seen.add(id));
      const ids = keys.map(({ id }) => id);
      const revoked = dryRun ? null : await revokeByOperator(ctx, ids);
      for (const key of keys) {
        const receipt = revoked?.get(key.id);
        if (receipt) tally[receipt.effect.status]++;
        // A key is never deleted.
        else if (revoked) tally.unknown++;
        io.output.write(json ? toJson(key, receipt) : toText(key, receipt));
      }
    }
  } catch (fault) {
    const done = tally.effective + tally.pending;
    if (done > 0)
      io.errors.write(`${done} keys were revoked before this. Run it again: a second time changes nothing.\n`);
    throw fault;
  } finally {
    await ctx.db.close();
  }
  io.errors.write(summary(tally, seen.size, dryRun));
  return tally.unknown > 0 ? 1 : 0;
}

function createContext(settings: ReturnType<typeof parseRevokingEnvironment>): OutboxContext {
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token, API_KEY_REDIS_PREFIX: prefix } = settings;
  return {
    db: createDatabase(settings.DATABASE_URL, { maxConnections: 1, attemptMilliseconds }),
    slots: createSlots({ redis: createRedisClients({ url, token }), prefix }),
    logger: createLogger("silent"),
    metrics: createMetrics(),
  };
}

const byArguments = (ids: readonly string[]): Choose =>
  async function* ({ db }) {
    for await (const batch of batchesOf(listed([...new Set(ids)])))
      yield chosenOf(
        batch.map((id) => ({ kind: "id", id, isAlone: true })),
        await findKeysForOperator(db, batch),
      );
  };

async function* listed<T>(items: T[]) {
  yield await Promise.resolve(items);
}

/** A pasted secret means its key: who has it in hand wants the key dead, whichever of its secrets that is. */
const byInput: Choose = async function* ({ db, io, shapes }) {
  hintAtTerminal(io);
  const progress = progressOf(io);
  const beside = new Set<string>();
  let count = 0;
  try {
    for await (const batch of batchesOf(scanText(io.input, shapes, progress.note))) {
      for (const mention of batch)
        if (mention.kind === "id") {
          if (mention.isAlone) beside.delete(mention.id);
          else beside.add(mention.id);
        }
      const meant = batch.filter((mention) => mention.kind === "secret" || (mention.kind === "id" && mention.isAlone));
      count += meant.length;
      const secrets = meant.flatMap((mention) => (mention.kind === "secret" ? [mention.secret] : []));
      const ids = meant.flatMap((mention) => (mention.kind === "id" ? [mention.id] : []));
      const bySecret = await findSecretsForOperator(db, secrets);
      yield chosenOf(meant, await findKeysForOperator(db, ids), bySecret);
    }
  } finally {
    progress.end();
  }
  if (beside.size > 0)
    io.errors.write(
      `Key ids beside other text: ${beside.size}. They may be of keys that are only mentioned, so they were not revoked. Put each on a line of its own.\n`,
    );
  if (count === 0)
    throw new CommandError("There is no key in it, and no key id on a line of its own. Nothing was revoked.");
};

function chosenOf(
  mentions: readonly Mention[],
  byId: ReadonlyMap<string, KeyForOperator>,
  bySecret: ReadonlyMap<string, { key: KeyForOperator }> = new Map(),
): Chosen {
  const chosen: Chosen = { keys: [], unknown: [] };
  for (const mention of mentions) {
    if (mention.kind === "owner") continue;
    const key = mention.kind === "id" ? byId.get(mention.id) : bySecret.get(mention.secret)?.key;
    if (key) chosen.keys.push(key);
    else chosen.unknown.push(mention.kind === "id" ? shownId(mention.id) : shownSecret(mention.secret));
  }
  return chosen;
}

/** As little of it as a display shows: its beginning may be long, where it has a prefix. */
function shownSecret(secret: string): string {
  return `${/^[a-z][a-z0-9]{0,9}_(?:live|test)_/.exec(secret)?.[0] ?? ""}…${secret.slice(-4)}`;
}

const byOwner = (ownerId: string): Choose =>
  async function* ({ db, io }) {
    let count = 0;
    for await (const keys of keysOfOwnerForOperator(db, ownerId)) {
      count += keys.length;
      yield { keys, unknown: [] };
    }
    if (count > 0) return;
    if (!(await isKnownOwner(db, ownerId))) throw new CommandError("No such owner is known here. Nothing was revoked.");
    io.errors.write("The owner has no key.\n");
  };

function toJson(key: KeyForOperator, receipt: RevokedByOperator | undefined): string {
  const { id, ownerId, name, display, status, revokedAt, revokedBy, effect } = key;
  const now = receipt ? { status: "revoked", ...receipt } : { status, revokedAt, revokedBy, effect };
  return `${JSON.stringify({ known: true, id, ownerId, name, display, ...now })}\n`;
}

function toText(key: KeyForOperator, receipt: RevokedByOperator | undefined): string {
  const is = `${key.id} (${key.display}, “${key.name}”, of ${key.ownerId})`;
  const effect = receipt?.effect ?? key.effect;
  const was = key.revokedAt
    ? `revoked already, at ${key.revokedAt.toISOString()}; `
    : receipt
      ? ""
      : "would be revoked";
  return `${printable(`${is}: ${was}${effect ? describeEffect(effect) : ""}`)}\n`;
}

function summary(tally: Record<"effective" | "pending" | "unknown", number>, count: number, dryRun: boolean): string {
  const unknown = tally.unknown > 0 ? ` Unknown: ${tally.unknown}.` : "";
  if (dryRun) return `Keys: ${count}.${unknown} This was a dry run: nothing was changed.\n`;
  const later = tally.pending > 0 ? " A pending one is refused at its time at the latest, whatever happens." : "";
  return `Effective: ${tally.effective}. Pending: ${tally.pending}.${unknown}${later}\n`;
}
