import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  pgSchema,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";

const bytea = customType<{ data: Buffer }>({ dataType: () => "bytea" });
const moment = (name: string) => timestamp(name, { withTimezone: true });

/** A schema of its own: the host's database may have tables of the same names. Statements name it, whatever the search path says. */
export const latchkey = pgSchema("latchkey");

/** One row per Clerk user: what verification must know of the owner beside the key itself. */
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

export const apiKeys = latchkey.table(
  "api_keys",
  {
    id: uuid("id").primaryKey(),
    ownerId: text("owner_id")
      .notNull()
      .references(() => owners.id),
    name: text("name").notNull(),
    /**
     * SHA-256 of the secret. Replaced, never reused, when a create is retried. Its column has another name than in version 0.1, here and
     * in the outbox: see `moveEarlierTables`.
     */
    hash: bytea("secret_hash").notNull(),
    display: text("display").notNull(),
    environment: text("environment", { enum: ["live", "test"] }).notNull(),
    scopes: text("scopes").array().notNull(),
    /** The client's idempotency key, and a digest of the input that came with it. */
    requestId: uuid("request_id").notNull(),
    requestDigest: bytea("request_digest").notNull(),
    createdAt: moment("created_at").notNull(),
    expiresAt: moment("expires_at"),
    revokedAt: moment("revoked_at"),
    revokedBy: text("revoked_by", { enum: ["owner", "key", "account"] }),
    /** When Redis confirmed the revocation; until then `guaranteedBy` is what may be promised. Both are written once. */
    effectiveAt: moment("effective_at"),
    guaranteedBy: moment("guaranteed_by"),
  },
  (table) => [
    uniqueIndex("api_keys_hash").on(table.hash),
    uniqueIndex("api_keys_owner_request").on(table.ownerId, table.requestId),
    index("api_keys_owner_created").on(table.ownerId, table.createdAt),
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

/** Uses per key and hour. Apart from `api_keys` and without a foreign key, whose check would lock the key's row. */
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
