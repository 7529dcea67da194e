CREATE TABLE "latchkey"."api_key_secret_uses" (
	"secret_hash" "bytea" PRIMARY KEY NOT NULL,
	"last_used_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "latchkey"."api_key_secrets" ADD COLUMN "requested_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "latchkey"."api_key_secrets" ADD COLUMN "grace_seconds" integer;--> statement-breakpoint
ALTER TABLE "latchkey"."api_key_secrets" ADD COLUMN "ends_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "latchkey"."api_keys" ADD COLUMN "rotated_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "latchkey"."api_key_secrets" ADD CONSTRAINT "api_key_secrets_waiting" CHECK ("latchkey"."api_key_secrets"."state" <> 'waiting' or "latchkey"."api_key_secrets"."grace_seconds" is not null);--> statement-breakpoint
ALTER TABLE "latchkey"."api_key_secrets" ADD CONSTRAINT "api_key_secrets_previous" CHECK ("latchkey"."api_key_secrets"."state" <> 'previous' or "latchkey"."api_key_secrets"."ends_at" is not null);