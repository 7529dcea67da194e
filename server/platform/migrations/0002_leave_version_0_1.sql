ALTER TABLE "latchkey"."api_keys" DROP COLUMN "version";--> statement-breakpoint
ALTER TABLE "latchkey"."api_keys" RENAME COLUMN "hash" TO "secret_hash";--> statement-breakpoint
ALTER TABLE "latchkey"."cache_purges" RENAME COLUMN "hash" TO "secret_hash";