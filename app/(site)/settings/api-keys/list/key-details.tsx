import { Time } from "../time";
import { cn } from "../ui/cn";
import type { ApiKeySummary } from "latchkey";

import { KeyHistory } from "../history/key-history";
import { Creator } from "../owner/creator";
import { useOwner } from "../owner/use-owner";
import { strings } from "../strings";
import { KeyScopes } from "./key-scopes";
import { KeyUsage } from "./key-usage";

const { columns } = strings.table;

/** What an opened row shows: how often the key is used, and what the row itself leaves out on narrow screens. */
export function KeyDetails({ apiKey }: { apiKey: ApiKeySummary }) {
  const { id, scopes, createdAt, createdBy, rotatedAt } = apiKey;
  const { isOrganization } = useOwner();
  return (
    <>
      <dl className={cn("mb-4 pt-2 grid grid-cols-2 gap-4", !isOrganization && "lg:hidden")}>
        <div className="lg:hidden">
          <dt className="text-xs text-muted-foreground">{columns.scopes}</dt>
          <dd>
            <KeyScopes scopes={scopes} />
          </dd>
        </div>
        <div className="lg:hidden">
          <dt className="text-xs text-muted-foreground">{columns.created}</dt>
          <dd>
            <Time value={createdAt} form="date" />
          </dd>
        </div>
        {isOrganization && (
          <div>
            <dt className="text-xs text-muted-foreground">{strings.creator.term}</dt>
            <dd>
              <Creator userId={createdBy} />
            </dd>
          </div>
        )}
      </dl>
      {rotatedAt && (
        <p className="mb-4">
          <span className="text-xs text-muted-foreground">{columns.rotated}</span>{" "}
          <Time value={rotatedAt} form="relative" />
        </p>
      )}
      <KeyUsage id={id} />
      <KeyHistory apiKey={apiKey} />
    </>
  );
}
