import type { Database } from "../platform/database";
import type { Logger } from "../platform/logger";
import type { Metrics } from "../platform/metrics";
import type { Slots } from "../slot/slot";

/** What it takes to change something and to purge. */
export interface OutboxContext {
  db: Database;
  slots: Slots;
  logger: Logger;
  metrics: Metrics;
}
