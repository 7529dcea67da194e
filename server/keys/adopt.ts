import { z } from "zod";

import { createConcurrencyLimit } from "../platform/concurrency-limit";
import { acceptedShapeOf, displayAcceptedSecret } from "../shared/secret-format";
import type { ServerContext } from "./context";
import { importKeys } from "./import";
import { findTimeProblem, takenOverFields } from "./taken-over";

/** What another system says of a key that it knows. Dates as `Date` or in ISO 8601 with an offset. Without scopes the key gets all of them. */
export interface AdoptedKey {
  ownerId: string;
  name: string;
  scopes?: readonly string[] | null;
  createdAt?: Date | string | null;
  expiresAt?: Date | string | null;
}

/**
 * Asks another system whose a secret is. The host writes it.
 * @param options.signal is aborted when the answer would come too late. Hand it to `fetch`.
 * @returns null when the other system does not know the secret, or accepts it no more. Whatever else is no `AdoptedKey` counts as no answer.
 */
export type Adopt = (secret: string, options: { signal: AbortSignal }) => Promise<AdoptedKey | null>;

/** Asks for each secret once at a time, in this process. */
export interface Adoptions {
  /**
   * Asks the other system, and hands its answer to `takeOver`. Who comes with the same secret meanwhile joins: one question and one transaction.
   * @returns what `takeOver` returns; false where there is nobody to ask. @throws what it throws, and when there is no answer in time.
   */
  ask(secret: string, hash: Buffer, takeOver: (answer: unknown) => Promise<boolean>): Promise<boolean>;
}

/** A verification waits for the answer. It is longer than for our own database, since the other system may be far away. */
const answerMilliseconds = 3_000;
/** A system that is slow must not gather calls without end, nor hold up those that need only our database. */
const questions = { atOnce: 10, waiting: 100, patienceMilliseconds: 1_000 };

export function createAdoptions(adopt: Adopt | undefined): Adoptions {
  const limit = createConcurrencyLimit(questions);
  // Joining is safe, though a lookup of ours is never joined: a take-over accepts nothing. Each verification then reads the row.
  const asked = new Map<string, Promise<boolean>>();
  return {
    ask(secret, hash, takeOver) {
      if (!adopt) return Promise.resolve(false);
      const id = hash.toString("base64");
      const running = asked.get(id);
      if (running) return running;
      const question = limit(async () => takeOver(await askInTime(adopt, secret))).finally(() => asked.delete(id));
      asked.set(id, question);
      return question;
    },
  };
}

async function askInTime(adopt: Adopt, secret: string): Promise<AdoptedKey | null> {
  const signal = AbortSignal.timeout(answerMilliseconds);
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new AdoptionError("no answer in time")));
  });
  // `late` may be rejected when nobody waits for it any more.
  late.catch(() => undefined);
  return Promise.race([Promise.resolve(adopt(secret, { signal })), late]);
}

/** The other system gave no answer that could be used. This is no verdict: the key may be good. */
class AdoptionError extends Error {
  override name = "AdoptionError";
}

/**
 * Takes a key of another system over on its first use. Its hash is stored, and it is a key like any other from then on.
 *
 * Call it only for a secret whose hash no row has. A hash that was ever revoked still has its row, so nobody is asked about it again.
 * @returns whether the key may be there now: read its row, which alone decides.
 * @throws when the other system gave no answer in time, or one that is not understood, and what the database throws. Then nothing is known of
 *   the key.
 */
export async function adoptKey(
  ctx: Pick<ServerContext, "settings" | "adoptions" | "db" | "logger" | "now">,
  secret: string,
  hash: Buffer,
): Promise<boolean> {
  const format = ctx.settings.secretFormat;
  const shape = acceptedShapeOf(secret, format);
  if (!shape) return false;
  return ctx.adoptions.ask(secret, hash, async (answer) => {
    const key = readAnswer(answer, ctx);
    if (!key) return false;
    const adopted = { ...key, hash, display: displayAcceptedSecret(secret, shape) };
    // It may be refused, since another process has just stored the key for another owner. The row alone decides.
    await importKeys({ ...ctx, environment: format.environment, from: "adopt" }, [adopted]);
    return true;
  });
}

function readAnswer(value: unknown, { settings, now }: Pick<ServerContext, "settings" | "now">) {
  const { scopes } = settings;
  const parsed = z
    .strictObject(takenOverFields({ known: scopes, default: scopes }))
    .nullable()
    .safeParse(value);
  // Its message would say which field of another's answer was wrong, and nobody reads it here.
  if (!parsed.success) throw new AdoptionError("an answer that is not understood");
  if (parsed.data && findTimeProblem(parsed.data, now())) throw new AdoptionError("times that cannot be");
  return parsed.data;
}
