CREATE TABLE "latchkey"."key_events" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"owner_id" text NOT NULL,
	"key_id" uuid,
	"key_name" text,
	"action" text NOT NULL,
	"actor_kind" text NOT NULL,
	"actor_id" text,
	"impersonated_by" text,
	"detail" jsonb NOT NULL
);
--> statement-breakpoint
CREATE INDEX "key_events_owner" ON "latchkey"."key_events" USING btree ("owner_id","id");--> statement-breakpoint
CREATE INDEX "key_events_key" ON "latchkey"."key_events" USING btree ("key_id","id");--> statement-breakpoint
-- What follows is written by hand. The history is append-only, and the database holds it. Nobody changes a row. Only rows that are older than
-- the history is kept can be deleted, by a transaction that says how long that is: see server/history/prune.ts.
CREATE FUNCTION "latchkey"."refuse_to_change_events"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the history is append-only' USING ERRCODE = 'restrict_violation';
END
$$;--> statement-breakpoint
CREATE FUNCTION "latchkey"."refuse_to_delete_young_events"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	-- Without the setting, which is then null or empty, everything is young.
	kept_days integer := nullif(current_setting('latchkey.history_days', true), '')::integer;
BEGIN
	IF kept_days IS NOT NULL AND OLD."at" < clock_timestamp() - greatest(kept_days, 1) * interval '24 hours' THEN
		RETURN OLD;
	END IF;
	RAISE EXCEPTION 'the history is append-only' USING ERRCODE = 'restrict_violation';
END
$$;--> statement-breakpoint
CREATE TRIGGER "key_events_unchanged" BEFORE UPDATE OR TRUNCATE ON "latchkey"."key_events"
	FOR EACH STATEMENT EXECUTE FUNCTION "latchkey"."refuse_to_change_events"();--> statement-breakpoint
CREATE TRIGGER "key_events_kept" BEFORE DELETE ON "latchkey"."key_events"
	FOR EACH ROW EXECUTE FUNCTION "latchkey"."refuse_to_delete_young_events"();
