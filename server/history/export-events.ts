import type { Statements } from "../platform/database";
import type { KeyEvent } from "../shared/key-event";
import { type HistoryOf, readEvents } from "./read-events";

/** So many events are in the memory at once. */
const pageSize = 1_000;

/**
 * Reads a whole history, newest first, page by page. The next page is read only when it is asked for.
 * @throws what the database throws.
 */
export async function* exportEvents(db: Statements, of: HistoryOf): AsyncGenerator<KeyEvent[], undefined> {
  let before: string | null = null;
  for (;;) {
    const page: KeyEvent[] = await readEvents(db, of, { before, limit: pageSize });
    yield page;
    const last = page.at(-1);
    if (!last || page.length < pageSize) return;
    before = last.id;
  }
}
