-- Written by hand. A row of these tables is written again each minute in which its key is used. The new version needs room in the same page:
-- then no index is written, and the page is cleaned by itself. Without room it goes into another page, each index gets an entry more, and the
-- table grows. This lock lets reads and writes go on. It concerns pages that are filled from now on; no row moves.
ALTER TABLE "latchkey"."api_key_usage" SET (fillfactor = 80);--> statement-breakpoint
ALTER TABLE "latchkey"."api_key_secret_uses" SET (fillfactor = 80);
