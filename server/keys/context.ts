import type { EventSender } from "../events";
import type { OutboxContext } from "../outbox/context";
import type { ConcurrencyLimit } from "../platform/concurrency-limit";
import type { CallLimit } from "../platform/call-limit";
import type { CallWindow } from "../platform/call-window";
import type { RedisClients } from "../platform/redis";
import type { SecretFormat } from "../shared/secret-format";
import type { SlotBreaker } from "../gateway/slot-breaker";
import type { Adopt, Adoptions } from "./adopt";
import type { FindByHash } from "./find-by-hash";
import type { FindOwnKey } from "./find-own-key";
import type { UnknownHashes } from "./unknown-hashes";
import type { UsageRecorder } from "./usage";

/** The rules of one deployment. */
export interface KeySettings {
  /** Secrets of another prefix or environment are refused without any I/O. */
  secretFormat: SecretFormat;
  /** What a key may be allowed to do. A key that is created without scopes gets all of them. */
  scopes: readonly string[];
  /** How many active keys an owner may have, where the owner's row names no other number. */
  keyLimit: number;
  /** The feature that an owner's plan has to include. Undefined: everybody may have keys. */
  accessFeature: string | undefined;
  /** What happens to an organisation's keys when the person who has created them leaves: they are marked, or revoked. */
  onMemberLeave: "keep" | "revoke";
  /** How many days the history is kept. */
  historyDays: number;
  /** How many proxies of ours append to X-Forwarded-For. 0: addresses are not used. */
  trustedProxyHops: number;
  /** Says whose a key of another system is, which is then taken over on its first use. Absent: unknown keys are refused. */
  adopt?: Adopt | undefined;
}

declare const inside: unique symbol;

/**
 * The domain's context as a host has it: it passes it on, and looks at nothing in it. So the types that a host sees name no package of ours, and
 * what is inside may change with any version.
 */
export interface LatchkeyServer {
  readonly [inside]?: never;
}

/** All that the domain needs, as one plain argument. So tests can pass their own clock, database and Redis. */
export interface ServerContext extends OutboxContext, LatchkeyServer {
  settings: KeySettings;
  findByHash: FindByHash;
  findOwnKey: FindOwnKey;
  redis: RedisClients;
  slotBreaker: SlotBreaker;
  now: () => Date;
  /** Limits how many verifications read from the database at once, in this process. */
  databaseReads: ConcurrencyLimit;
  unknownHashes: UnknownHashes;
  adoptions: Adoptions;
  usage: UsageRecorder;
  /** Counts unknown keys by the address that they came from. */
  failedAttempts: CallWindow;
  /** Absent: there is no address that events are sent to. */
  events?: EventSender | undefined;
  limits: { owner: CallLimit; create: CallLimit; invalidate: CallLimit };
}
