-- Waits for the transactions of processes that still run, and lets no other one begin: first, since a lock that is raised on the way could
-- wait for one of them in a circle.
LOCK TABLE "latchkey"."api_keys" IN ACCESS EXCLUSIVE MODE;--> statement-breakpoint
CREATE TABLE "latchkey"."api_key_secrets" (
	"secret_hash" "bytea" PRIMARY KEY NOT NULL,
	"key_id" uuid NOT NULL,
	"owner_id" text NOT NULL,
	"display" text NOT NULL,
	"state" text NOT NULL,
	"request_id" uuid,
	"request_digest" "bytea",
	"created_at" timestamp with time zone NOT NULL,
	"revoked_at" timestamp with time zone,
	"effective_at" timestamp with time zone,
	"guaranteed_by" timestamp with time zone,
	CONSTRAINT "api_key_secrets_revoked" CHECK (("latchkey"."api_key_secrets"."state" = 'revoked') = ("latchkey"."api_key_secrets"."revoked_at" is not null))
);
--> statement-breakpoint
INSERT INTO "latchkey"."api_key_secrets" ("secret_hash", "key_id", "owner_id", "display", "state", "request_id", "request_digest", "created_at")
	SELECT "secret_hash", "id", "owner_id", "display", 'current', "request_id", "request_digest", "created_at" FROM "latchkey"."api_keys";--> statement-breakpoint
-- Secrets that a retried create has replaced are known only while their purge is in the outbox. Nobody knows any more how they look.
INSERT INTO "latchkey"."api_key_secrets" ("secret_hash", "key_id", "owner_id", "display", "state", "created_at", "revoked_at")
	SELECT "purge"."secret_hash", "key"."id", "key"."owner_id", '…', 'revoked', "key"."created_at", min("purge"."created_at")
	FROM "latchkey"."cache_purges" "purge" JOIN "latchkey"."api_keys" "key" ON "key"."id" = "purge"."key_id"
	GROUP BY "purge"."secret_hash", "key"."id"
	ON CONFLICT DO NOTHING;--> statement-breakpoint
ALTER TABLE "latchkey"."api_key_secrets" ADD CONSTRAINT "api_key_secrets_key_id_api_keys_id_fk" FOREIGN KEY ("key_id") REFERENCES "latchkey"."api_keys"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "api_key_secrets_owner_request" ON "latchkey"."api_key_secrets" USING btree ("owner_id","request_id");--> statement-breakpoint
CREATE UNIQUE INDEX "api_key_secrets_one_of_a_state" ON "latchkey"."api_key_secrets" USING btree ("key_id","state") WHERE "latchkey"."api_key_secrets"."state" <> 'revoked';--> statement-breakpoint
CREATE INDEX "api_key_secrets_key" ON "latchkey"."api_key_secrets" USING btree ("key_id");--> statement-breakpoint
-- A process of the version before names one of these columns wherever it reads or changes a key. So it fails, and misjudges none.
ALTER TABLE "latchkey"."api_keys" DROP COLUMN "secret_hash", DROP COLUMN "display", DROP COLUMN "request_id", DROP COLUMN "request_digest";
