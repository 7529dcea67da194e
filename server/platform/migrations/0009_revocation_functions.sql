-- Written by hand. The statements of a revocation, as functions: the database keeps the plans of its own functions for each session, while it
-- plans a statement of the app anew each time. Each statement of a function sees what was committed before it began, as in a transaction.

-- Locks keys in the order of their ids, marks them as revoked, and records it in the history: once for each key, and only for a key that was not
-- revoked before.
CREATE FUNCTION "latchkey"."mark_revoked"(
	"ids" uuid[], "revoker" text, "actor_kind" text, "actor_id" text, "impersonated_by" text
) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
	PERFORM CASE WHEN "revoked_at" IS NULL THEN "latchkey"."record_event"(
		'key.revoked', "owner_id", "id", "name", $3, $4, $5, jsonb_build_object('by', $2)
	) END
	FROM (
		SELECT * FROM "latchkey"."api_keys" WHERE "id" = ANY($1) ORDER BY "id" FOR NO KEY UPDATE
	) AS "locked";
	UPDATE "latchkey"."api_keys"
		SET "revoked_at" = coalesce("revoked_at", clock_timestamp()), "revoked_by" = coalesce("revoked_by", $2)
		WHERE "id" = ANY($1);
END
$$;--> statement-breakpoint
-- Puts purges into the outbox: of these secrets, or, where "hashes" is null, of the secrets of these keys. For a revocation those are all that
-- Redis has not confirmed as revoked, else those that may still be accepted. The hashes are read after the caller has locked the keys, so a
-- secret that a retried create has added meanwhile is among them. Returns these purges, and for a revocation all that are queued for their
-- keys, each with how far its key's revocation is. Tombstones come last: a purge to absent after one would remove it, and the next verification would have to read the database.
CREATE FUNCTION "latchkey"."queue_purges"("purge_target" text, "key_ids" uuid[], "hashes" bytea[], "attempted_until" timestamptz)
RETURNS TABLE (
	"id" uuid, "key_id" uuid, "secret_hash" bytea, "target" text, "generation" integer,
	"revoked_at" timestamptz, "revoked_by" text, "effective_at" timestamptz
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	outdated bytea[] := coalesce($3, ARRAY(
		SELECT "secret_hash" FROM "latchkey"."api_key_secrets" WHERE "key_id" = ANY($2)
			AND CASE WHEN $1 = 'revoked' THEN "effective_at" IS NULL ELSE "state" <> 'revoked' END
	));
	keys_of_them uuid[] := coalesce($2, ARRAY(SELECT "key_id" FROM "latchkey"."api_key_secrets" WHERE "secret_hash" = ANY($3)));
BEGIN
	INSERT INTO "latchkey"."cache_purges" AS "purge" ("key_id", "secret_hash", "target", "next_attempt_at")
		SELECT "key_id", "secret_hash", $1, $4 FROM "latchkey"."api_key_secrets" WHERE "secret_hash" = ANY(outdated)
		ON CONFLICT ("secret_hash", "target") DO UPDATE SET
			"generation" = "purge"."generation" + 1, "next_attempt_at" = excluded."next_attempt_at", "attempts" = 0;
	RETURN QUERY SELECT "purge"."id", "purge"."key_id", "purge"."secret_hash", "purge"."target", "purge"."generation",
			"of_key"."revoked_at", "of_key"."revoked_by", "of_key"."effective_at"
		FROM "latchkey"."cache_purges" AS "purge" JOIN "latchkey"."api_keys" AS "of_key" ON "of_key"."id" = "purge"."key_id"
		WHERE "purge"."key_id" = ANY(keys_of_them)
			AND ($1 = 'revoked' OR ("purge"."target" = $1 AND "purge"."secret_hash" = ANY(outdated)))
		ORDER BY "purge"."target";
END
$$;--> statement-breakpoint
-- Both in one statement. Returns as "queue_purges".
CREATE FUNCTION "latchkey"."revoke_keys"(
	"ids" uuid[], "revoker" text, "actor_kind" text, "actor_id" text, "impersonated_by" text, "attempted_until" timestamptz
) RETURNS TABLE (
	"id" uuid, "key_id" uuid, "secret_hash" bytea, "target" text, "generation" integer,
	"revoked_at" timestamptz, "revoked_by" text, "effective_at" timestamptz
) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM "latchkey"."mark_revoked"($1, $2, $3, $4, $5);
	RETURN QUERY SELECT * FROM "latchkey"."queue_purges"('revoked', $1, NULL, $6);
END
$$;--> statement-breakpoint
-- Records purges that Redis has confirmed: deletes them from the outbox, and sets when the revocations of keys and of single secrets became
-- effective. The keys' rows are locked first. Returns the receipts: by key id, and by hash in hexadecimal.
CREATE FUNCTION "latchkey"."record_confirmed"(
	"key_ids" uuid[], "purge_ids" uuid[], "generations" integer[], "effective_key_ids" uuid[], "revoked_hashes" bytea[], "sends_events" boolean
) RETURNS TABLE ("id" text, "effective_at" timestamptz) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
	-- For this statement alone, which is a transaction of its own.
	IF $6 THEN PERFORM set_config('latchkey.sends_events', 'on', true); END IF;
	PERFORM FROM "latchkey"."api_keys" WHERE "id" = ANY($1) ORDER BY "id" FOR NO KEY UPDATE;
	DELETE FROM "latchkey"."cache_purges" AS "purge" USING unnest($2, $3) AS "done" ("id", "generation")
		WHERE "purge"."id" = "done"."id" AND "purge"."generation" = "done"."generation";
	RETURN QUERY UPDATE "latchkey"."api_keys" SET "effective_at" = coalesce("effective_at", clock_timestamp())
		WHERE "id" = ANY($4) RETURNING "api_keys"."id"::text, "api_keys"."effective_at";
	RETURN QUERY UPDATE "latchkey"."api_key_secrets" SET "effective_at" = coalesce("effective_at", clock_timestamp())
		WHERE "secret_hash" = ANY($5) AND "revoked_at" IS NOT NULL
		RETURNING encode("secret_hash", 'hex'), "api_key_secrets"."effective_at";
END
$$;
