-- Written by hand. The database keeps the plans of its own functions for each session. A statement of the app is planned anew each time, and
-- what records an event stands in the way of a revocation.

-- The id of an event: a UUID of version 7 (RFC 9562). It begins with the time: 48 bits of milliseconds, then, in the place that section 6.2
-- (method 3) gives to it, the part of the millisecond in steps that are smaller than a microsecond. The rest is random. So ids of different
-- microseconds have the order of time, and in the same microsecond two ids differ, in no order.
CREATE FUNCTION "latchkey"."event_id"("at" timestamptz) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
	microseconds bigint := extract(epoch FROM "at") * 1000000;
BEGIN
	RETURN (
		lpad(to_hex(microseconds / 1000), 12, '0')
		|| '7' || lpad(to_hex(microseconds % 1000 * 4096 / 1000), 3, '0')
		|| substr(replace(gen_random_uuid()::text, '-', ''), 17)
	)::uuid;
END
$$;--> statement-breakpoint
-- Records one event. An insert takes longer than a microsecond, so the next call's event comes after it.
CREATE FUNCTION "latchkey"."record_event"(
	"action" text, "owner_id" text, "key_id" uuid, "key_name" text,
	"actor_kind" text, "actor_id" text, "impersonated_by" text, "detail" jsonb
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	now_at timestamptz := clock_timestamp();
BEGIN
	INSERT INTO "latchkey"."key_events"
		("id", "at", "action", "owner_id", "key_id", "key_name", "actor_kind", "actor_id", "impersonated_by", "detail")
	VALUES ("latchkey"."event_id"(now_at), now_at, $1, $2, $3, $4, $5, $6, $7, $8);
END
$$;--> statement-breakpoint
CREATE FUNCTION "latchkey"."record_effective"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM "latchkey"."record_event"(
		'key.revocation_effective', NEW."owner_id", NEW."id", NEW."name", 'system', NULL, NULL,
		jsonb_build_object('at', to_char(NEW."effective_at" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
	);
	RETURN NULL;
END
$$;--> statement-breakpoint
-- Whoever records that a revocation is effective leaves this event. It is left once, since `effective_at` is written once.
CREATE TRIGGER "api_keys_effective" AFTER UPDATE OF "effective_at" ON "latchkey"."api_keys"
	FOR EACH ROW WHEN (OLD."effective_at" IS NULL AND NEW."effective_at" IS NOT NULL)
	EXECUTE FUNCTION "latchkey"."record_effective"();
