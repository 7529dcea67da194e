import type { Metadata } from "next";

import { ApiKeysView } from "./api-keys-view";
import { ApiKeysFrame } from "./frame/api-keys-frame";
import { SessionPage } from "./frame/session-page";
import { KeyTableSkeleton } from "./list/key-table-skeleton";
import { strings } from "./strings";

export const metadata: Metadata = { title: strings.title };

const loading = (
  <ApiKeysFrame isLoading>
    <KeyTableSkeleton />
  </ApiKeysFrame>
);

export default function ApiKeysPage() {
  return <SessionPage loading={loading}>{(renderedAt) => <ApiKeysView renderedAt={renderedAt} />}</SessionPage>;
}
