import type { LatchkeyServer, ServerContext } from "./context";
import { activateSecret } from "./activate";
import { adoptKey } from "./adopt";
import {
  refusalOf,
  type RefusalReason,
  toVerifiedKey,
  VerificationUnavailableError,
  type VerifiedKey,
} from "../gateway/verdict";
import { describeFault, withoutValues } from "../platform/logger";
import { inSpan, type Note } from "../platform/tracing";
import { fromPublicId, toPublicId } from "../shared/public-id";
import { type VerificationRow } from "./find-by-hash";
import type { SlotReading } from "../slot/slot";
import type { SlotPayload } from "../gateway/slot-payload";
import { hashSecret } from "./secret";
import { isWellFormedSecret } from "../shared/secret-format";

export type Verification =
  | { valid: true; key: VerifiedKey }
  | { valid: false; reason: RefusalReason }
  /** Too many unknown keys came from this address. Nobody has looked up whether this key is good. */
  | { valid: false; reason: "rate_limited"; retryAfterSeconds: number };

/** Runs a task after the answer was sent. The host must let the task end, also where a function freezes after its answer. */
type Defer = (task: () => Promise<void>) => void;

/** `ServerContext`, and how the host runs work that need not delay an answer. */
export interface VerifyContext extends ServerContext {
  defer: Defer;
}

/** Gives what a host has passed on. Only `createLatchkey` makes one, so it is the whole context. */
export const openServer = (server: LatchkeyServer) => server as VerifyContext;

/**
 * Decides whether a secret is accepted now.
 *
 * A secret that a rotation has made waits in the database and never in a slot. Its first acceptance ends the wait, before the answer.
 *
 * A hit costs one Redis round trip. On a miss the database decides. It is read after the slot has answered. `ctx.defer` then fills the slot,
 * if the lease is still there. When Redis cannot be reached, or its answer is not understood, the database decides too. A cached value counts
 * only if it was parsed strictly and belongs to this hash.
 *
 * @param secret what the caller sent, unchecked.
 * @param address where the secret came from, see `clientAddress`; null when that is not known. After many unknown keys from one address, a
 *   key that is not cached is not looked up for it for a while.
 * @returns the key, or the reason why it is refused.
 * @throws VerificationUnavailableError when the database is needed and cannot answer or cannot activate a secret that waits, or when too many
 *   reads of it wait already.
 * @example
 * const verification = await verifyApiKey(ctx, "lk_live_…");
 * if (verification.valid) console.log(verification.key.ownerId);
 * else console.log(verification.reason);
 */
export function verifyApiKey(ctx: VerifyContext, secret: string, address: string | null = null): Promise<Verification> {
  const end = ctx.metrics.startVerification();
  return inSpan("latchkey.verify", async (note) => {
    try {
      const verification = await decide(ctx, secret, address, note);
      end(verification.valid ? "accepted" : verification.reason);
      note("latchkey.outcome", verification.valid ? "valid" : verification.reason);
      if (verification.valid) note("latchkey.key_id", verification.key.keyId);
      return verification;
    } catch (fault) {
      end("unavailable");
      note("latchkey.outcome", "unavailable");
      throw fault;
    }
  });
}

async function decide(ctx: VerifyContext, secret: string, address: string | null, note: Note): Promise<Verification> {
  const format = ctx.settings.secretFormat;
  if (!isWellFormedSecret(secret, format)) return { valid: false, reason: "malformed" };
  const hash = hashSecret(secret);
  if (ctx.unknownHashes.has(hash)) return { valid: false, reason: "unknown" };

  const reading = await readSlotOrAsk(ctx, hash);
  note("latchkey.cache", reading.kind === "value" || reading.kind === "revoked" ? "hit" : "miss");
  if (reading.kind === "revoked") return { valid: false, reason: "revoked" };
  if (reading.kind === "value") return accept(ctx, reading.payload);

  const retryAfterSeconds = address ? ctx.failedAttempts.secondsToWait(address) : 0;
  if (retryAfterSeconds > 0) return { valid: false, reason: "rate_limited", retryAfterSeconds };
  const row = (await readActivated(ctx, hash)) ?? (await adoptAndRead(ctx, secret, hash));
  if (!row) {
    ctx.unknownHashes.add(hash);
    if (address) ctx.failedAttempts.note(address);
    return { valid: false, reason: "unknown" };
  }
  if (row.state === "waiting") return refuseWaiting(ctx, hash, row);
  const content = row.revokedAt ? "revoked" : toPayload(hash, row);
  // Closing an owner revokes the keys in the same transaction. If a key is left over all the same, it is refused and not cached.
  if (content !== "revoked" && row.ownerClosedAt) return { valid: false, reason: "revoked" };
  if (reading.kind === "leased") deferFill(ctx, hash, reading.lease, content);
  return content === "revoked" ? { valid: false, reason: "revoked" } : accept(ctx, content);
}

/** Policy: when the cache fails, the error is logged, the database is asked, and nothing is filled. */
async function readSlotOrAsk(ctx: ServerContext, hash: Buffer): Promise<SlotReading> {
  if (ctx.slotBreaker.isOpen()) return { kind: "ask" };
  try {
    const reading = await ctx.slots.read(hash);
    ctx.slotBreaker.note(null);
    return reading;
  } catch (fault) {
    ctx.slotBreaker.note(fault);
    ctx.logger.warn({ fault: describeFault(fault) }, "slot not read");
    return { kind: "ask" };
  }
}

async function readRow(ctx: ServerContext, hash: Buffer): Promise<VerificationRow | undefined> {
  try {
    const [row] = await ctx.databaseReads(() => ctx.findByHash.execute({ hash }));
    return row;
  } catch (cause) {
    throw new VerificationUnavailableError("the database could not be asked", { cause: withoutValues(cause) });
  }
}

/** For a secret that no row has: perhaps another system knows whose it is. Its row is then read as any other, after the slot's answer. */
async function adoptAndRead(ctx: ServerContext, secret: string, hash: Buffer): Promise<VerificationRow | undefined> {
  try {
    if (!(await adoptKey(ctx, secret, hash))) return undefined;
  } catch (cause) {
    throw new VerificationUnavailableError("the other system could not be asked", { cause: withoutValues(cause) });
  }
  return readRow(ctx, hash);
}

/** Reads the row. Where it is of a secret that waits and may be accepted, activates that first and reads again. */
async function readActivated(ctx: ServerContext, hash: Buffer): Promise<VerificationRow | undefined> {
  const row = await readRow(ctx, hash);
  if (row?.state !== "waiting" || refusalOfWaiting(ctx, hash, row)) return row;
  try {
    await ctx.databaseReads(() => activateSecret(ctx, row.id, hash));
  } catch (cause) {
    throw new VerificationUnavailableError("the secret could not be activated", { cause: withoutValues(cause) });
  }
  return readRow(ctx, hash);
}

/** Nothing is filled for it, so that its first use always reads the database. */
function refuseWaiting(ctx: ServerContext, hash: Buffer, row: VerificationRow): Verification {
  const reason = refusalOfWaiting(ctx, hash, row);
  if (!reason) throw new VerificationUnavailableError("the secret was not activated");
  return { valid: false, reason };
}

function refusalOfWaiting(ctx: ServerContext, hash: Buffer, row: VerificationRow): RefusalReason | null {
  return row.revokedAt || row.ownerClosedAt ? "revoked" : judge(ctx, toPayload(hash, row));
}

function deferFill(ctx: VerifyContext, hash: Buffer, lease: string, content: SlotPayload | "revoked") {
  ctx.defer(async () => {
    try {
      ctx.metrics.countFill(await ctx.slots.fill(hash, lease, content));
    } catch (fault) {
      ctx.logger.warn({ fault: describeFault(fault) }, "slot not filled");
    }
  });
}

function judge({ settings, now }: ServerContext, payload: SlotPayload): RefusalReason | null {
  const { environment } = settings.secretFormat;
  return refusalOf(payload, {
    environment,
    requiresAccess: settings.accessFeature !== undefined,
    now: now().getTime(),
  });
}

function accept(ctx: VerifyContext, payload: SlotPayload): Verification {
  const reason = judge(ctx, payload);
  if (reason) return { valid: false, reason };
  const flush = ctx.usage.record(fromPublicId(payload.keyId), payload.hash, ctx.now().getTime());
  if (flush) ctx.defer(flush);
  return { valid: true, key: toVerifiedKey(payload) };
}

function toPayload(hash: Buffer, row: VerificationRow): SlotPayload {
  return {
    v: 2,
    hash: hash.toString("hex"),
    keyId: toPublicId(row.id),
    ownerId: row.ownerId,
    createdBy: row.createdBy,
    name: row.name,
    environment: row.environment,
    scopes: row.scopes,
    createdAt: row.createdAt.getTime(),
    expiresAt: row.expiresAt?.getTime() ?? null,
    secret: row.state === "previous" ? "previous" : "current",
    endsAt: row.state === "previous" ? (row.endsAt?.getTime() ?? null) : null,
    access: { allowed: row.accessAllowed, until: row.accessUntil?.getTime() ?? null },
    requestsPerMinute: row.requestsPerMinute,
  };
}
