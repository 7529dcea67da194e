CREATE TABLE "latchkey"."event_deliveries" (
	"event_id" uuid PRIMARY KEY NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"first_attempt_at" timestamp with time zone,
	"last_attempt_at" timestamp with time zone,
	"claimed_until" timestamp with time zone,
	"next_attempt_at" timestamp with time zone NOT NULL,
	"given_up_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "latchkey"."api_keys" ADD COLUMN "expiring_noted_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "event_deliveries_first" ON "latchkey"."event_deliveries" USING btree ("next_attempt_at") WHERE "latchkey"."event_deliveries"."given_up_at" is null and "latchkey"."event_deliveries"."attempts" = 0;--> statement-breakpoint
CREATE INDEX "event_deliveries_again" ON "latchkey"."event_deliveries" USING btree ("next_attempt_at") WHERE "latchkey"."event_deliveries"."given_up_at" is null and "latchkey"."event_deliveries"."attempts" > 0;--> statement-breakpoint
CREATE INDEX "event_deliveries_waiting" ON "latchkey"."event_deliveries" USING btree ("created_at") WHERE "latchkey"."event_deliveries"."given_up_at" is null;--> statement-breakpoint
CREATE INDEX "event_deliveries_given_up" ON "latchkey"."event_deliveries" USING btree ("given_up_at") WHERE "latchkey"."event_deliveries"."given_up_at" is not null;--> statement-breakpoint
CREATE INDEX "api_keys_expiring" ON "latchkey"."api_keys" USING btree ("expires_at") WHERE "latchkey"."api_keys"."expires_at" is not null and "latchkey"."api_keys"."expiring_noted_at" is null;--> statement-breakpoint
-- What follows is written by hand. What is recorded gets its delivery in the same transaction, by whatever statement it is recorded. Only a
-- process that has an address sets `latchkey.sends_events`, for its transaction: see server/platform/database.ts.
CREATE FUNCTION "latchkey"."queue_event_delivery"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO "latchkey"."event_deliveries" ("event_id", "created_at", "next_attempt_at")
		VALUES (NEW."id", NEW."at", NEW."at");
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE TRIGGER "key_events_sent" AFTER INSERT ON "latchkey"."key_events"
	FOR EACH ROW WHEN (current_setting('latchkey.sends_events', true) = 'on')
	EXECUTE FUNCTION "latchkey"."queue_event_delivery"();
