import type { Metadata } from "next";

import { SessionPage } from "../frame/session-page";
import { strings } from "../strings";
import { HistoryFrame } from "./history-frame";
import { HistorySkeleton } from "./history-skeleton";
import { HistoryView } from "./history-view";

export const metadata: Metadata = { title: strings.history.title };

const loading = (
  <HistoryFrame>
    <HistorySkeleton />
  </HistoryFrame>
);

export default function HistoryPage() {
  return <SessionPage loading={loading}>{(renderedAt) => <HistoryView renderedAt={renderedAt} />}</SessionPage>;
}
