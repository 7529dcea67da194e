import type { Database } from "../platform/database";
import type { Logger } from "../platform/logger";
import type { Metrics } from "../platform/metrics";
import type { Slots } from "../slot/slot";

/** What `changeAndPurge` and the drain need. */
export interface OutboxContext {
  db: Database;
  slots: Slots;
  logger: Logger;
  metrics: Metrics;
}
