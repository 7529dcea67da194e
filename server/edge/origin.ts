import type { CountedLimit } from "../gateway/answers";
import { originHeaders } from "../gateway/origin-headers";
import { type RefusalReason, VerificationUnavailableError, type VerifiedKey } from "../gateway/verdict";
import type { Settings } from "./options";
import { send } from "./send";

/** The origin itself gives its Redis 0.25 s, the wait for its database 1 s and an attempt there 2 s. */
const originMilliseconds = 5_000;
/** For a call that needs the origin only to count a limit. */
const limitMilliseconds = 1_000;
/** How long the origin's word counts that everybody may have keys. As long as a value may be old. */
const accessMilliseconds = 60_000;

/** What the origin says of a key. */
export type OriginVerdict =
  { valid: true; key: VerifiedKey; limit: CountedLimit | null } | { valid: false; reason: RefusalReason };

export interface Origin {
  /**
   * Lets the origin decide, by the whole of its own verification.
   * @param scopes those that the route needs. With them the call counts against the owner's limit. Null: it does not.
   * @throws VerificationUnavailableError for every answer that is not understood, or not in time: none of them is a verdict.
   */
  ask(secret: string, scopes: readonly string[] | null): Promise<OriginVerdict>;
  /** The same, for a key that the slot has accepted. Null: the origin could not be asked, and the limit is not counted. */
  askForLimit(secret: string, scopes: readonly string[]): Promise<OriginVerdict | null>;
  /** Whether an owner's plan has to include API access. True unless the origin has lately said that it need not. */
  requiresAccess(now: number): boolean;
}

export function createOrigin({ introspectionUrl, introspectionSecret }: Settings): Origin {
  let isForEverybodyUntil = 0;
  async function ask(secret: string, scopes: readonly string[] | null, milliseconds: number): Promise<OriginVerdict> {
    const nonce = crypto.randomUUID();
    const form = new URLSearchParams({ token: secret, nonce });
    if (scopes) form.set("scope", scopes.join(" "));
    const { status, headers, text } = await send(introspectionUrl, {
      bearer: introspectionSecret,
      type: "application/x-www-form-urlencoded",
      body: form.toString(),
      milliseconds,
    });
    if (status !== 200) throw new Error(`the origin answered ${status}`);
    // An answer to another question, such as one that was stored on the way, is none.
    if (headers.get(originHeaders.nonce) !== nonce) throw new Error("the origin answered another question");
    const verdict = readVerdict(JSON.parse(text), headers);
    if (!verdict) throw new Error("the origin's answer is not understood");
    const isForEverybody = headers.get(originHeaders.access) === "everybody";
    isForEverybodyUntil = isForEverybody ? Date.now() + accessMilliseconds : 0;
    return verdict;
  }
  return {
    ask: (secret, scopes) =>
      ask(secret, scopes, originMilliseconds).catch((cause: unknown) => {
        throw new VerificationUnavailableError("the origin could not be asked", { cause });
      }),
    askForLimit: (secret, scopes) => ask(secret, scopes, limitMilliseconds).catch(() => null),
    // Also when the clock was set back, it is believed for a minute only.
    requiresAccess: (now) => now >= isForEverybodyUntil || isForEverybodyUntil - now > accessMilliseconds,
  };
}

function readVerdict(body: unknown, headers: Headers): OriginVerdict | null {
  if (typeof body !== "object" || body === null || !Object.hasOwn(body, "active")) return null;
  const fields = body as Record<string, unknown>;
  if (fields.active === false) return { valid: false, reason: readReason(headers.get(originHeaders.refusal)) };
  const key = fields.active === true ? readKey(fields) : null;
  return key && { valid: true, key, limit: readLimit(headers) };
}

const reasons: readonly RefusalReason[] = ["malformed", "unknown", "revoked", "expired", "access_required"];
const readReason = (text: string | null) => reasons.find((reason) => reason === text) ?? "unknown";

/** Every field has to be the body's own, and understood. */
function readKey(fields: Record<string, unknown>): VerifiedKey | null {
  const own = (name: string) => (Object.hasOwn(fields, name) ? fields[name] : undefined);
  const text = (name: string) => (typeof own(name) === "string" ? String(own(name)) : null);
  const [ownerId, keyId, createdBy, name] = [text("sub"), text("client_id"), text("createdBy"), text("name")];
  const [scope, environment, secret] = [text("scope"), text("environment"), text("secret")];
  const createdAt = readMoment(own("createdAt"));
  const expiresAt = own("expiresAt") === null ? null : readMoment(own("expiresAt"));
  const limit = own("requestsPerMinute");
  if (!ownerId || !keyId || !createdBy || name === null || scope === null || !createdAt) return null;
  if (environment !== "live" && environment !== "test") return null;
  if (secret !== "current" && secret !== "previous") return null;
  if (expiresAt === undefined || !(limit === null || (Number.isSafeInteger(limit) && Number(limit) > 0))) return null;
  const scopes = scope.split(" ").filter((word) => word !== "");
  const requestsPerMinute = limit === null ? null : Number(limit);
  return { keyId, ownerId, createdBy, name, environment, scopes, createdAt, expiresAt, secret, requestsPerMinute };
}

function readMoment(value: unknown): Date | undefined {
  const moment = typeof value === "string" ? new Date(value) : undefined;
  return moment && !Number.isNaN(moment.getTime()) ? moment : undefined;
}

/** Null: the origin has counted no limit, or what it says is not understood. The call then passes, as it does there. */
function readLimit(headers: Headers): CountedLimit | null {
  const policy = /^"owner";q=(\d{1,15});w=60$/.exec(headers.get("RateLimit-Policy") ?? "");
  const state = /^"owner";r=(\d{1,15});t=(\d{1,15})$/.exec(headers.get("RateLimit") ?? "");
  if (!policy || !state) return null;
  const isWithin = headers.get(originHeaders.refusal) !== "rate_limited";
  return { isWithin, limit: Number(policy[1]), remaining: Number(state[1]), resetSeconds: Number(state[2]) };
}
