import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  customType,
  index,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";

import type { ActorKind, KeyEventAction, KeyEventDetail } from "../shared/key-event";

const bytea = customType<{ data: Buffer }>({ dataType: () => "bytea" });
const moment = (name: string) => timestamp(name, { withTimezone: true });

/** A schema of its own: the host's database may have tables of the same names. Statements name it, whatever the search path says. */
export const latchkey = pgSchema("latchkey");

/** One row per Clerk user and organisation: what verification must know of the owner beside the key itself. */
export const owners = latchkey.table("owners", {
  id: text("id").primaryKey(),
  /** Whether the plan includes API access. Null until it was determined; read only where API_ACCESS_FEATURE is set. */
  accessAllowed: boolean("access_allowed"),
  accessUntil: moment("access_until"),
  /** When, by the sender's clock, the event behind the two above happened: an older one never overwrites a newer one. */
  accessEventAt: moment("access_event_at"),
  keyLimit: integer("key_limit"),
  requestsPerMinute: integer("requests_per_minute"),
  /** Set when the account is deleted or banned, in the transaction that revokes its keys: no create may follow. */
  closedAt: moment("closed_at"),
  /** Banned owners can be reopened, deleted ones never. */
  closedReason: text("closed_reason", { enum: ["banned", "deleted"] }),
  /** As above, for closing and reopening. */
  accountEventAt: moment("account_event_at"),
  createdAt: moment("created_at").notNull().defaultNow(),
});

/** What Clerk last told of a person in an organisation. Without a row nothing was told. */
export const memberships = latchkey.table(
  "memberships",
  {
    ownerId: text("owner_id").notNull(),
    userId: text("user_id").notNull(),
    hasLeft: boolean("has_left").notNull(),
    /** When that happened, by the sender's clock: an older event never overwrites a newer one. */
    eventAt: moment("event_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.ownerId, table.userId] })],
);

export const apiKeys = latchkey.table(
  "api_keys",
  {
    id: uuid("id").primaryKey(),
    ownerId: text("owner_id")
      .notNull()
      .references(() => owners.id),
    /** A user's id. With an organisation's key it is another than `ownerId`. */
    createdBy: text("created_by").notNull(),
    name: text("name").notNull(),
    environment: text("environment", { enum: ["live", "test"] }).notNull(),
    scopes: text("scopes").array().notNull(),
    createdAt: moment("created_at").notNull(),
    /** When the current secret took the place of another by a rotation. Null: the first one still is the current one. */
    rotatedAt: moment("rotated_at"),
    expiresAt: moment("expires_at"),
    revokedAt: moment("revoked_at"),
    revokedBy: text("revoked_by", { enum: ["owner", "key", "account", "operator", "leak"] }),
    /** When Redis confirmed the revocation; until then `guaranteedBy` is what may be promised. Both are written once. */
    effectiveAt: moment("effective_at"),
    guaranteedBy: moment("guaranteed_by"),
    /** When the history noted that the key expires soon, which it does once. */
    expiringNotedAt: moment("expiring_noted_at"),
  },
  (table) => [
    index("api_keys_owner_created").on(table.ownerId, table.createdAt),
    index("api_keys_creator").on(table.createdBy),
    /**
     * Only keys whose expiry is still to be noted: without an expiry a key never is. Also revoked ones, since an index that names what a
     * revocation writes makes each revocation write into every index of the table.
     */
    index("api_keys_expiring")
      .on(table.expiresAt)
      .where(sql`${table.expiresAt} is not null and ${table.expiringNotedAt} is null`),
  ],
);

/**
 * Every secret that a key ever had. A row is never deleted, and no hash is made valid again: whoever meets a hash of long ago still finds
 * that it is revoked. The key's own revocation ends all of them, stands in the key's row, and changes nothing here.
 */
export const apiKeySecrets = latchkey.table(
  "api_key_secrets",
  {
    /** SHA-256 of the secret. Its column has another name than in version 0.1, here and in the outbox: see `moveEarlierTables`. */
    hash: bytea("secret_hash").primaryKey(),
    keyId: uuid("key_id")
      .notNull()
      .references(() => apiKeys.id),
    /** The key's owner, here as well: an index can then keep `requestId` unique for each owner. */
    ownerId: text("owner_id").notNull(),
    display: text("display").notNull(),
    /**
     * `current`: what the key shows. `waiting`: made by a rotation and not accepted yet. `previous`: the one before the current one, accepted
     * until `endsAt`. `revoked`: this secret alone, for good.
     */
    state: text("state", { enum: ["current", "waiting", "previous", "revoked"] }).notNull(),
    /** The client's idempotency key of the call that made this secret. Null once a repeated call has put another secret in its place. */
    requestId: uuid("request_id"),
    /** A digest of the input that came with it. */
    requestDigest: bytea("request_digest"),
    /** When a rotation was first asked for with that key. A repeated call, which mints another secret, keeps it. */
    requestedAt: moment("requested_at"),
    /** Of a rotation's secret: how long the one before it is accepted after the first use of this one. 0: it was revoked at once. */
    graceSeconds: integer("grace_seconds"),
    /** From this moment on a previous secret is refused. It never moves further away. */
    endsAt: moment("ends_at"),
    createdAt: moment("created_at").notNull(),
    /** The receipt of the revocation of this secret alone, as a key has it. */
    revokedAt: moment("revoked_at"),
    effectiveAt: moment("effective_at"),
    guaranteedBy: moment("guaranteed_by"),
  },
  (table) => [
    uniqueIndex("api_key_secrets_owner_request").on(table.ownerId, table.requestId),
    /** A key has at most one secret in each state, but for the revoked ones. */
    uniqueIndex("api_key_secrets_one_of_a_state")
      .on(table.keyId, table.state)
      .where(sql`${table.state} <> 'revoked'`),
    index("api_key_secrets_key").on(table.keyId),
    check("api_key_secrets_waiting", sql`${table.state} <> 'waiting' or ${table.graceSeconds} is not null`),
    check("api_key_secrets_previous", sql`${table.state} <> 'previous' or ${table.endsAt} is not null`),
    check("api_key_secrets_revoked", sql`(${table.state} = 'revoked') = (${table.revokedAt} is not null)`),
  ],
);

/** The outbox: purges that were committed with a change and that Redis has not confirmed yet. */
export const cachePurges = latchkey.table(
  "cache_purges",
  {
    id: uuid("id")
      .primaryKey()
      .default(sql`gen_random_uuid()`),
    /** Without a foreign key: its check would lock the key's row after the purge's, against the order of every other statement. */
    keyId: uuid("key_id").notNull(),
    hash: bytea("secret_hash").notNull(),
    /** `revoked` leaves a tombstone, `absent` an empty slot. */
    target: text("target", { enum: ["revoked", "absent"] }).notNull(),
    /** Raised whenever the same purge is asked for again, so that the echo of an older one cannot delete it. */
    generation: integer("generation").notNull().default(1),
    createdAt: moment("created_at")
      .notNull()
      .default(sql`clock_timestamp()`),
    attempts: integer("attempts").notNull().default(0),
    nextAttemptAt: moment("next_attempt_at").notNull(),
  },
  (table) => [
    uniqueIndex("cache_purges_hash_target").on(table.hash, table.target),
    index("cache_purges_key").on(table.keyId),
    index("cache_purges_due").on(table.nextAttemptAt),
  ],
);

/**
 * Uses per key and hour. Apart from `api_keys` and without a foreign key, whose check would lock the key's row. Migration 0010 leaves room in the
 * pages of this table and the next one, since their rows are written again every minute.
 */
export const apiKeyUsage = latchkey.table(
  "api_key_usage",
  {
    keyId: uuid("key_id").notNull(),
    hour: moment("hour").notNull(),
    count: bigint("count", { mode: "number" }).notNull(),
    lastUsedAt: moment("last_used_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.keyId, table.hour] })],
);

/** When each secret was last accepted. Apart from the secrets, since whoever changes one of those has to lock its key. */
export const apiKeySecretUses = latchkey.table("api_key_secret_uses", {
  hash: bytea("secret_hash").primaryKey(),
  lastUsedAt: moment("last_used_at").notNull(),
});

/**
 * The history: one row for each act. A trigger refuses every change of a row, and to delete one that is younger than the history is kept
 * (migration 0006, decision 013). Without foreign keys: their checks would lock the rows of keys and owners out of order.
 */
export const keyEvents = latchkey.table(
  "key_events",
  {
    /** A UUID of version 7, made of `at` by the statement that inserts the row. The order of ids is the order of time. */
    id: uuid("id").primaryKey(),
    /** By the database's clock. */
    at: moment("at").notNull(),
    ownerId: text("owner_id").notNull(),
    /** Null for what happens to the owner. */
    keyId: uuid("key_id"),
    /** The name at that time. */
    keyName: text("key_name"),
    action: text("action").$type<KeyEventAction>().notNull(),
    actorKind: text("actor_kind").$type<ActorKind>().notNull(),
    actorId: text("actor_id"),
    /** Who acted as the user. */
    impersonatedBy: text("impersonated_by"),
    detail: jsonb("detail").$type<KeyEventDetail>().notNull(),
  },
  // A page is read backwards, newest first, by one index alone.
  (table) => [index("key_events_owner").on(table.ownerId, table.id), index("key_events_key").on(table.keyId, table.id)],
);

/**
 * Events that are still to be sent, or that were given up. A trigger on `key_events` makes the rows, in the transaction of the event, where an
 * address is set (migration 0008, decision 016). What was delivered has no row here. Without a foreign key: with one Postgres would answer a
 * TRUNCATE of the history by itself, before the trigger that keeps it.
 */
export const eventDeliveries = latchkey.table(
  "event_deliveries",
  {
    eventId: uuid("event_id").primaryKey(),
    createdAt: moment("created_at").notNull(),
    /** Attempts that were begun. An answer of an older attempt changes nothing of a later one. */
    attempts: integer("attempts").notNull().default(0),
    /** The days of retries are counted from here: an event that waited while nothing was sent has all of them. */
    firstAttemptAt: moment("first_attempt_at"),
    lastAttemptAt: moment("last_attempt_at"),
    /** Until then the attempt of one process is under way. A process that has died leaves it behind. */
    claimedUntil: moment("claimed_until"),
    nextAttemptAt: moment("next_attempt_at").notNull(),
    givenUpAt: moment("given_up_at"),
  },
  (table) => [
    index("event_deliveries_first")
      .on(table.nextAttemptAt)
      .where(sql`${table.givenUpAt} is null and ${table.attempts} = 0`),
    index("event_deliveries_again")
      .on(table.nextAttemptAt)
      .where(sql`${table.givenUpAt} is null and ${table.attempts} > 0`),
    index("event_deliveries_waiting")
      .on(table.createdAt)
      .where(sql`${table.givenUpAt} is null`),
    index("event_deliveries_given_up")
      .on(table.givenUpAt)
      .where(sql`${table.givenUpAt} is not null`),
  ],
);
