import { Skeleton } from "../ui/skeleton";

import { strings } from "../strings";

export function HistorySkeleton() {
  return (
    <div aria-busy className="flex flex-col gap-4">
      <span role="status" className="sr-only">
        {strings.history.loading}
      </span>
      <Skeleton className="h-9 w-64" shape="button" />
      <Skeleton className="h-64" />
    </div>
  );
}
