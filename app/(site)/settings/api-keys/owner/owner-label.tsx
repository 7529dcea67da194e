import { Building2, UserRound } from "lucide-react";

import type { ApiKeyList } from "latchkey";

import { strings } from "../strings";
import { Skeleton } from "../ui/skeleton";

/** Says beside the heading whose keys these are. It has one line, however long a name is, so nothing below it moves. */
export function OwnerLabel({ owner: { kind, name } }: { owner: ApiKeyList["owner"] }) {
  const Icon = kind === "organization" ? Building2 : UserRound;
  return (
    <p className="flex h-6 min-w-0 items-center gap-1.5 rounded-full border bg-card px-2.5 text-xs font-medium text-muted-foreground">
      <Icon aria-hidden className="size-3.5 shrink-0" />
      <span className="sr-only">{strings.owner.label}</span>
      {name !== null && kind === "organization" ? (
        <span translate="no" title={name} className="truncate">
          {name}
        </span>
      ) : (
        <span className="truncate">
          {kind === "organization" ? strings.owner.organization : strings.owner.personal}
        </span>
      )}
    </p>
  );
}

export function OwnerLabelSkeleton() {
  return <Skeleton className="h-6 w-24" shape="pill" />;
}
