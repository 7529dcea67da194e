import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { Redis } from "@upstash/redis";

import {
  cancelRotation,
  createApiKey,
  endGrace,
  invalidateCache,
  renameApiKey,
  revokeApiKey,
  revokeSelf,
  rotateApiKey,
  verifyApiKey,
  type Effect,
} from "@/server/keys";
import { guaranteeSeconds, type Slots } from "@/server/slot/slot";
import { hashSecret } from "@/server/keys/secret";
import { rotateInput } from "@/server/shared/inputs";
import { drainPurges } from "@/server/outbox/drain";
import type { Fate } from "@/tests/support/redis-proxy";
import {
  newCaller,
  newKeyInput,
  startServerInstance,
  type TestRedis,
  type TestServer,
} from "@/tests/support/server-instance";
import { slotKeyOf } from "@/tests/support/slots";

import { clock, countHistory, findViolations, type RaceCounts, type SecretHistory, type Violation } from "./history";
import { createRandom, type Random } from "../support/random";

export interface RaceOptions {
  seed: number;
  milliseconds: number;
  databaseUrl: string;
  redis: TestRedis;
  /** Replaces the slots of every instance: for the positive controls. */
  slots?: (slots: Slots, server: TestServer) => Slots;
  /** Runs beside the load, to kill and restart what the servers depend on. */
  disturb?: (servers: readonly TestServer[], isOver: () => boolean) => Promise<void>;
}

export interface RaceReport {
  violations: Violation[];
  counts: RaceCounts & { fillsRefused: number; lostRevocations: number; rotations: number };
}

const instances = 2;
const verifiers = 40;
const lives = 12;
const pastGuarantee = (guaranteeSeconds + 20) * 1_000;

/** A key under test. `deafToPurges`: every purge and bypass of it is lost for the whole run, so that only its guarantee is left. */
interface Subject {
  secrets: { secret: string; history: SecretHistory }[];
  deafToPurges: boolean;
  /** Its newest secret may then be one that ends alone. */
  isRotated: boolean;
}

/**
 * Many verifiers, revokers, self-revokers, renamers and retried creates on shared keys, through proxies that delay, drop, duplicate,
 * reorder, reset and hang, on several server instances. Every call's start and end is recorded and judged when all have ended.
 */
export async function race(options: RaceOptions): Promise<RaceReport> {
  const random = createRandom(options.seed);
  const raw = new Redis({
    url: options.redis.url,
    token: options.redis.token,
    automaticDeserialization: false,
    enableTelemetry: false,
  });
  const deafHashes = new Set<string>();
  let isCalm = false;
  let fillsRefused = 0;

  const servers = await Promise.all(
    Array.from({ length: instances }, async () => {
      const server = await startServerInstance(options.databaseUrl, options.redis, { keyLimit: 1000 });
      const own = options.slots?.(server.slots, server) ?? server.slots;
      server.slots = {
        ...own,
        async fill(...arguments_) {
          const isStored = await own.fill(...arguments_);
          if (!isStored) fillsRefused++;
          return isStored;
        },
      };
      // What is deferred runs late, sometimes later than a lease lives, and is never awaited by the call.
      server.defer = (task) => void sleep(isCalm ? 0 : delayOf(random, 4)).then(task);
      server.redisProxy.decide = (body) => (isCalm ? "pass" : redisFate(random, body, deafHashes));
      server.postgresProxy.decide = (statement) => (isCalm ? "pass" : postgresFate(random, statement));
      return server;
    }),
  );
  const anyServer = () => random.pick(servers) ?? never();

  let rotations = 0;
  const subjects: Subject[] = [];
  const alive = new Set<Subject>();
  const deadline = clock() + options.milliseconds;
  const isOver = () => clock() >= deadline;

  async function verifyForever(): Promise<void> {
    while (!isOver()) {
      const subject = random.pick([...alive]);
      const target = subject && random.pick(subject.secrets);
      if (!target) await sleep(1);
      // As a client that heeds Retry-After: a refusal without I/O, repeated at once, would starve everything else in this process.
      else if ((await verifyOnce(anyServer(), target)) === "unavailable") await sleep(20);
    }
  }

  async function live(): Promise<void> {
    while (!isOver()) {
      const subject = await bear();
      if (!subject) continue;
      alive.add(subject.subject);
      await sleep(random.between(20, 250));
      if (!subject.subject.deafToPurges && random.chance(0.25)) await rotate(subject);
      await Promise.all(Array.from({ length: random.between(1, 4) }, () => meddle(subject)));
      await Promise.all(Array.from({ length: random.between(1, 3) }, () => kill(subject)));
      // Verified on for a while; where only the guarantee protects, until well after it.
      await sleep(random.between(50, 300));
      const forget = () => alive.delete(subject.subject);
      if (subject.subject.deafToPurges) void sleep(pastGuarantee, undefined, { ref: false }).then(forget);
      else forget();
    }
  }

  async function bear() {
    const caller = newCaller();
    const input = newKeyInput();
    const deafToPurges = subjects.length % 50 === 0;
    try {
      const created = await createApiKey(anyServer(), caller, input);
      const subject: Subject = { secrets: [newSecret(created.secret)], deafToPurges, isRotated: false };
      if (deafToPurges) deafHashes.add(hashSecret(created.secret).toString("hex"));
      subjects.push(subject);
      if (!deafToPurges && random.chance(0.15)) await replaceSecret(subject, caller, input);
      return { subject, caller, id: created.key.id };
    } catch {
      return null;
    }
  }

  /** A retried create: a revocation of the first secret, whose end is the answer's `replaced`. */
  async function replaceSecret(
    subject: Subject,
    caller: ReturnType<typeof newCaller>,
    input: ReturnType<typeof newKeyInput>,
  ) {
    const [first] = subject.secrets;
    const startedAt = clock();
    const record = { of: "secret" as const, startedAt, endedAt: Infinity, promise: null };
    first?.history.revocations.push(record);
    const retried = await createApiKey(anyServer(), caller, input).catch(() => null);
    Object.assign(record, { endedAt: clock(), promise: retried?.replaced ? promiseOf(retried.replaced) : null });
    if (retried) subject.secrets.push(newSecret(retried.secret));
  }

  /**
   * A rotation, planned or now, and perhaps its end. What it may revoke is judged from its start on; what it must have revoked, by its answer.
   * The new secret's use, which activates it, revokes nothing: the old one's grace is longer than the run.
   */
  async function rotate({ subject, caller, id }: NonNullable<Awaited<ReturnType<typeof bear>>>): Promise<void> {
    // After a retried create whose answer was lost nobody knows which secret is the current one.
    if (subject.secrets.some(({ history }) => history.revocations.length > 0)) return;
    subject.isRotated = true;
    const isNow = random.chance(0.4);
    const before = [...subject.secrets];
    const ended = (targets: Subject["secrets"], startedAt: number, effect: Effect | null | undefined) => {
      const record = { of: "secret" as const, startedAt, endedAt: clock(), promise: effect ? promiseOf(effect) : null };
      for (const { history } of targets) history.revocations.push(record);
    };
    const input = rotateInput.parse({ id, requestId: randomUUID(), graceSeconds: isNow ? 0 : 604_800 });
    // Before the call, so that no refusal during it counts as one of a living secret.
    if (isNow) for (const { history } of before) history.revocations.push(startedRevocation());
    const startedAt = clock();
    const rotated = await rotateApiKey(anyServer(), caller, input).catch(() => null);
    if (!rotated) return;
    rotations++;
    if (isNow) ended(before, startedAt, rotated.replaced);
    const fresh = newSecret(rotated.secret);
    subject.secrets.push(fresh);
    if (isNow) return;
    await sleep(random.between(0, 100));
    const [targets, end] = random.chance(0.5) ? [[fresh], cancelRotation] : [before, endGrace];
    for (const { history } of targets) history.revocations.push(startedRevocation());
    const endedFrom = clock();
    const answer = await end(anyServer(), caller, { id }).catch(() => null);
    if (answer?.effect) ended(targets, endedFrom, answer.effect);
  }

  async function meddle({ subject, caller, id }: NonNullable<Awaited<ReturnType<typeof bear>>>): Promise<void> {
    const secret = random.pick(subject.secrets)?.secret ?? never();
    await sleep(random.between(0, 60));
    const act = random.between(0, 3);
    if (act === 0)
      await renameApiKey(anyServer(), caller, { id, name: `Name ${random.between(0, 1e6)}` }).catch(() => null);
    else if (act === 1) await raw.del(slotKeyOf(secret)).catch(() => null);
    else await invalidateCache(anyServer(), caller, { keyHash: hashSecret(secret).toString("hex") }).catch(() => null);
  }

  async function kill({ subject, caller, id }: NonNullable<Awaited<ReturnType<typeof bear>>>): Promise<void> {
    await sleep(random.between(0, 30));
    const newest = subject.secrets.at(-1) ?? never();
    const record = {
      of: "key" as const,
      startedAt: clock(),
      endedAt: Infinity,
      promise: null as ReturnType<typeof promiseOf> | null,
    };
    for (const { history } of subject.secrets) history.revocations.push(record);
    const effect =
      !subject.isRotated && random.chance(0.3)
        ? await revokeSelf(anyServer(), newest.secret).catch(() => null)
        : await revokeApiKey(anyServer(), caller, { id }).then(
            (answer) => answer.effect,
            () => null,
          );
    Object.assign(record, { endedAt: clock(), promise: effect ? promiseOf(effect) : null });
  }

  async function drainForever(server: TestServer): Promise<void> {
    while (!isOver()) {
      // Some as the cron endpoint does: they also take what another process is just trying.
      await drainPurges(server, { dueOrNot: random.chance(0.3) }).catch(() => null);
      await sleep(200);
    }
  }

  await Promise.all([
    ...Array.from({ length: verifiers }, verifyForever),
    ...Array.from({ length: lives }, live),
    ...servers.map(drainForever),
    options.disturb?.(servers, isOver),
  ]);

  // Everything works again, except that the deaf stay deaf: no promised revocation may have been lost.
  isCalm = true;
  const promised = subjects.filter((subject) =>
    subject.secrets.some(({ history }) => history.revocations.some((r) => r.promise)),
  );
  let lostRevocations = 0;
  for (const subject of promised.filter((candidate) => !candidate.deafToPurges))
    for (const { secret, history } of subject.secrets)
      if (history.revocations.some((revocation) => revocation.promise)) {
        await raw.del(slotKeyOf(secret));
        if ((await verifyApiKey(servers[0] ?? never(), secret)).valid) lostRevocations++;
      }

  for (const server of servers) await server.close();
  const history = subjects.flatMap((subject) => subject.secrets.map((entry) => entry.history));
  return {
    violations: findViolations(history),
    counts: { ...countHistory(history), fillsRefused, lostRevocations, rotations },
  };
}

/** A call that may revoke a secret from now on, and promises nothing yet. */
function startedRevocation() {
  return { of: "secret" as const, startedAt: clock(), endedAt: Infinity, promise: null };
}

function newSecret(secret: string) {
  return { secret, history: { verifications: [], revocations: [] } as SecretHistory };
}

async function verifyOnce(server: TestServer, target: { secret: string; history: SecretHistory }) {
  const startedAt = clock();
  const outcome = await verifyApiKey(server, target.secret).then(
    (verification) => (verification.valid ? ("accepted" as const) : ("refused" as const)),
    () => "unavailable" as const,
  );
  target.history.verifications.push({ startedAt, endedAt: clock(), outcome });
  return outcome;
}

function promiseOf(effect: Effect) {
  return effect.status === "effective"
    ? { effectiveAt: effect.at.getTime() }
    : { guaranteedBy: effect.guaranteedBy.getTime() };
}

/** Mostly short, with a long tail: the tail is what reorders. */
function delayOf(random: Random, scale = 1): number {
  return random.chance(0.9) ? random.between(0, 15 * scale) : random.between(20, 120 * scale);
}

function redisFate(random: Random, body: string, deafHashes: ReadonlySet<string>): Fate {
  const isPurgeOrBypass = body.includes("'DEL'") || body.includes('"M:"');
  if (isPurgeOrBypass && [...deafHashes].some((hash) => body.includes(hash))) return "refuse";
  const forged = { status: 200, body: body.startsWith("[[") ? '[{"result":null}]' : '{"result":null}' };
  if (isPurgeOrBypass && random.chance(0.2)) return forged;
  const dice = random.next();
  if (dice < 0.5) return "pass";
  if (dice < 0.85) return sleep(delayOf(random)).then(() => "pass" as const);
  if (dice < 0.9) return { duplicate: { after: sleep(delayOf(random, 3)) } };
  if (dice < 0.93) return sleep(delayOf(random)).then(() => "lose" as const);
  if (dice < 0.96) return "refuse";
  if (dice < 0.98) return forged;
  if (dice < 0.985) return "hang";
  return { status: 500, body: '{"error":"ERR injected"}' };
}

function postgresFate(random: Random, statement: string) {
  const dice = random.next();
  if (dice < 0.75) return "pass";
  if (dice < 0.985) return sleep(delayOf(random)).then(() => "pass" as const);
  if (statement.startsWith("COMMIT")) return dice < 0.993 ? "break" : "break after";
  return dice < 0.997 ? "pass" : "break";
}

function never(): never {
  throw new Error("there is always one");
}
