import {
  findKeysForOperator,
  findSecretsForOperator,
  isKnownOwner,
  type KeyForOperator,
  keysOfOwnerForOperator,
  type SecretForOperator,
} from "../keys/find-for-operator";
import { revokeByOperator, type RevokedByOperator } from "../keys/revoke-by-operator";
import type { OutboxContext } from "../outbox/context";
import { createDatabase, type Database } from "../platform/database";
import { createLogger } from "../platform/logger";
import { createMetrics } from "../platform/metrics";
import type { RedisClients } from "../platform/redis";
import { parseKeyEnvironment, parseRevokingEnvironment } from "../settings/env";
import type { SecretFormat } from "../shared/secret-format";
import { createSlots } from "../slot/slot";
import { type AddCommand, CommandError, type CommandIo, type ExitCode } from "./command-io";
import { connectRedis } from "./connect-redis";
import { describeEffect, printable, shownOf } from "./describe-key";
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

/** What a command works on. */
interface Chosen {
  keys: KeyForOperator[];
  /** Secrets that are refused already, while their keys work with others. */
  ended: FoundSecret[];
  unknown: Mention[];
}
interface FoundSecret {
  key: KeyForOperator;
  secret: SecretForOperator;
}
/** Chooses keys, batch by batch. @throws CommandError where there is nothing to choose from. */
type Choose = (source: Source) => AsyncGenerator<Chosen>;
interface Source {
  db: Database;
  io: CommandIo;
  format: SecretFormat;
  progress: ReturnType<typeof progressOf>;
  /** The ids of the keys that were chosen before. */
  chosen: ReadonlySet<string>;
}

async function revoke(io: CommandIo, options: RevokeOptions, choose: Choose): Promise<ExitCode> {
  // A dry run asks Redis nothing.
  const forRevoking = options.dryRun ? null : readSettings(io, parseRevokingEnvironment);
  const settings = forRevoking ?? readSettings(io, parseKeyEnvironment);
  const { API_KEY_PREFIX: prefix, API_KEY_ENVIRONMENT: environment, API_KEY_ACCEPT_FORMATS: accepted } = settings;
  const format = { prefix, environment, accepted };
  const { sendsEvents } = settings;
  const db = createDatabase(settings.DATABASE_URL, { maxConnections: 1, attemptMilliseconds, sendsEvents });
  const redis = forRevoking && connectRedis(forRevoking);
  const ctx = redis && createContext(db, redis, forRevoking.API_KEY_REDIS_PREFIX);
  const chosen = new Set<string>();
  const progress = progressOf(io);
  const report = createReport(io, options, format);
  try {
    for await (const { keys, ended, unknown } of choose({ db, io, format, progress, chosen })) {
      const fresh = keys.filter(({ id }) => !chosen.has(id) && chosen.add(id));
      const receipts = ctx && (await revokeByOperator(ctx, ids(fresh)));
      progress.clear();
      unknown.forEach(report.unknown);
      for (const key of fresh) report.key(key, receipts && receiptOf(receipts, key));
      for (const found of ended) if (!chosen.has(found.key.id)) report.ended(found);
      progress.done(chosen.size);
    }
    progress.clear();
    return report.end();
  } catch (fault) {
    progress.clear();
    report.broken();
    throw fault;
  } finally {
    redis?.close();
    await db.close();
  }
}

/** Writes what becomes of each key, and counts. Receipts go to the output, and all that is not one to the errors. */
function createReport(io: CommandIo, { dryRun = false, json = false }: RevokeOptions, format: SecretFormat) {
  const tally = { effective: 0, pending: 0, unchanged: 0, left: 0, unknown: 0 };
  return {
    key: (key: KeyForOperator, receipt: RevokedByOperator | null) => {
      tally[receipt?.effect.status ?? "unchanged"]++;
      io.output.write(json ? toJson(key, receipt) : toText(key, receipt));
    },
    ended: ({ key, secret }: FoundSecret) => {
      tally.left++;
      io.output.write(json ? toJson({ ...key, effect: secret.effect }, null, secret) : endedToText(key, secret));
    },
    unknown: (mention: Mention) => {
      tally.unknown++;
      const shown = shownOf(mention, format);
      if (json) io.output.write(`${JSON.stringify({ known: false, ...shown })}\n`);
      io.errors.write(`${shown.id ?? shown.display ?? "A key"}: unknown here\n`);
    },
    broken: () => {
      const done = tally.effective + tally.pending;
      if (done > 0)
        io.errors.write(`${done} keys were revoked before this. Run it again: a second time changes nothing.\n`);
    },
    end: (): ExitCode => {
      const left = tally.left > 0 ? ` Secrets that had ended already, whose keys were left: ${tally.left}.` : "";
      const unknown = left + (tally.unknown > 0 ? ` Unknown: ${tally.unknown}.` : "");
      const later = tally.pending > 0 ? " A pending one is refused at its time at the latest, whatever happens." : "";
      io.errors.write(
        dryRun
          ? `Keys: ${tally.unchanged}.${unknown} This was a dry run: nothing was changed.\n`
          : `Effective: ${tally.effective}. Pending: ${tally.pending}.${unknown}${later}\n`,
      );
      return tally.unknown > 0 ? 1 : 0;
    },
  };
}

const ids = (keys: readonly KeyForOperator[]) => keys.map(({ id }) => id);

function receiptOf(receipts: ReadonlyMap<string, RevokedByOperator>, { id }: KeyForOperator): RevokedByOperator {
  const receipt = receipts.get(id);
  if (!receipt) throw new Error("a key is gone");
  return receipt;
}

function createContext(db: Database, redis: RedisClients, prefix: string): OutboxContext {
  return { db, slots: createSlots({ redis, prefix }), logger: createLogger("silent"), metrics: createMetrics() };
}

const byArguments = (ids: readonly string[]): Choose =>
  async function* ({ db }) {
    for await (const batch of batchesOf(listed([...new Set(ids)])))
      yield chosenOf(
        batch.map((id) => ({ kind: "id", id, isAlone: true })),
        await findKeysForOperator(db, batch),
      );
  };

/** One batch, as `batchesOf` takes it. */
async function* listed<T>(items: T[]) {
  yield await Promise.resolve(items);
}

/**
 * A pasted secret means its key: who has it in hand wants the key dead, whichever of its secrets that is. But one that is refused already ends
 * nothing: a key must not die at night for what stands in an old log.
 */
const byInput: Choose = async function* ({ db, io, format, progress, chosen }) {
  hintAtTerminal(io);
  const beside = new Set<string>();
  let count = 0;
  for await (const batch of batchesOf(scanText(io.input, format.accepted ?? [], progress.read))) {
    for (const mention of batch) if (mention.kind === "id" && !mention.isAlone) beside.add(mention.id);
    const meant = batch.filter((mention) => mention.kind === "secret" || (mention.kind === "id" && mention.isAlone));
    count += meant.length;
    const secrets = meant.flatMap((mention) => (mention.kind === "secret" ? [mention.secret] : []));
    const alone = meant.flatMap((mention) => (mention.kind === "id" ? [mention.id] : []));
    const bySecret = await findSecretsForOperator(db, secrets);
    yield chosenOf(meant, await findKeysForOperator(db, alone), bySecret);
  }
  progress.clear();
  const left = [...beside].filter((id) => !chosen.has(id));
  if (left.length > 0)
    io.errors.write(
      `Key ids beside other text: ${left.length}. They may be of keys that are only mentioned, so they were not revoked. Put each on a line of its own.\n`,
    );
  if (count === 0)
    throw new CommandError("There is no key in it, and no key id on a line of its own. Nothing was revoked.");
};

function chosenOf(
  mentions: readonly Mention[],
  byId: ReadonlyMap<string, KeyForOperator>,
  bySecret: ReadonlyMap<string, FoundSecret> = new Map(),
): Chosen {
  const chosen: Chosen = { keys: [], ended: [], unknown: [] };
  for (const mention of mentions) {
    const found = mention.kind === "secret" ? bySecret.get(mention.secret) : undefined;
    const key = mention.kind === "id" ? byId.get(mention.id) : found?.key;
    if (found?.secret.state === "revoked" && !found.key.revokedAt) chosen.ended.push(found);
    else if (key) chosen.keys.push(key);
    else chosen.unknown.push(mention);
  }
  return chosen;
}

const byOwner = (ownerId: string): Choose =>
  async function* ({ db, io }) {
    let count = 0;
    for await (const keys of keysOfOwnerForOperator(db, ownerId)) {
      count += keys.length;
      yield { keys, ended: [], unknown: [] };
    }
    if (count > 0) return;
    if (!(await isKnownOwner(db, ownerId))) throw new CommandError("No such owner is known here. Nothing was revoked.");
    io.errors.write("The owner has no key.\n");
  };

function toJson(key: KeyForOperator, receipt: RevokedByOperator | null, secret?: SecretForOperator): string {
  const { id, ownerId, name, display, status, revokedAt, revokedBy, effect } = key;
  const now = receipt ? { status: "revoked", ...receipt } : { status, revokedAt, revokedBy, effect };
  return `${JSON.stringify({ known: true, id, ownerId, name, display, ...now, secret })}\n`;
}

function toText(key: KeyForOperator, receipt: RevokedByOperator | null): string {
  const is = `${key.id} (${key.display}, “${key.name}”, of ${key.ownerId})`;
  const effect = receipt?.effect ?? key.effect;
  const was = key.revokedAt
    ? `revoked already, at ${key.revokedAt.toISOString()}; `
    : receipt
      ? ""
      : "would be revoked";
  return `${printable(`${is}: ${was}${effect ? describeEffect(effect) : ""}`)}\n`;
}

function endedToText({ id, ownerId }: KeyForOperator, { display, effect }: SecretForOperator): string {
  const since = effect ? `, ${describeEffect(effect)}` : "";
  return printable(
    `${id} (of ${ownerId}): its secret ${display} had ended already${since}. The key works with another secret and was left; revoke it by its id if you mean it`,
  ).concat("\n");
}
