import { Time } from "../time";
import type { ApiKeySummary } from "latchkey";

import { strings } from "../strings";
import { KeyScopes } from "./key-scopes";
import { KeyUsage } from "./key-usage";

const { columns } = strings.table;

/** What an opened row shows: how often the key is used, and what the row itself leaves out on narrow screens. */
export function KeyDetails({ apiKey: { id, scopes, createdAt, rotatedAt } }: { apiKey: ApiKeySummary }) {
  return (
    <>
      <dl className="mb-4 grid grid-cols-2 gap-4 lg:hidden">
        <div>
          <dt className="text-xs text-muted-foreground">{columns.scopes}</dt>
          <dd>
            <KeyScopes scopes={scopes} />
          </dd>
        </div>
        <div>
          <dt className="text-xs text-muted-foreground">{columns.created}</dt>
          <dd>
            <Time value={createdAt} form="date" />
          </dd>
        </div>
      </dl>
      {rotatedAt && (
        <p className="mb-4">
          <span className="text-xs text-muted-foreground">{columns.rotated}</span>{" "}
          <Time value={rotatedAt} form="relative" />
        </p>
      )}
      <KeyUsage id={id} />
    </>
  );
}
