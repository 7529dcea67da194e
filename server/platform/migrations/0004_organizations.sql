CREATE TABLE "latchkey"."memberships" (
	"owner_id" text NOT NULL,
	"user_id" text NOT NULL,
	"has_left" boolean NOT NULL,
	"event_at" timestamp with time zone NOT NULL,
	CONSTRAINT "memberships_owner_id_user_id_pk" PRIMARY KEY("owner_id","user_id")
);
--> statement-breakpoint
ALTER TABLE "latchkey"."api_keys" ADD COLUMN "created_by" text;--> statement-breakpoint
-- Until now every owner was a person, who has created the keys.
UPDATE "latchkey"."api_keys" SET "created_by" = "owner_id";--> statement-breakpoint
ALTER TABLE "latchkey"."api_keys" ALTER COLUMN "created_by" SET NOT NULL;--> statement-breakpoint
CREATE INDEX "api_keys_creator" ON "latchkey"."api_keys" USING btree ("created_by");