ALTER TABLE "owners" ADD COLUMN "access_event_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "owners" ADD COLUMN "closed_reason" text;--> statement-breakpoint
ALTER TABLE "owners" ADD COLUMN "account_event_at" timestamp with time zone;