import type { ReactNode, Ref } from "react";

import { Skeleton } from "../ui/skeleton";
import type { ApiKeyList } from "latchkey";

import { OwnerLabel, OwnerLabelSkeleton } from "../owner/owner-label";
import { strings } from "../strings";

interface ApiKeysFrameProps {
  children: ReactNode;
  /** Whose keys these are. Absent: nobody can tell. */
  owner?: ApiKeyList["owner"];
  action?: ReactNode;
  isLoading?: boolean;
  headingRef?: Ref<HTMLHeadingElement>;
}

/** The frame of every state of the page: the heading, what the page is for, and room for the action. */
export function ApiKeysFrame({ children, owner, action, isLoading = false, headingRef }: ApiKeysFrameProps) {
  return (
    <div className="py-8 sm:py-10" aria-busy={isLoading}>
      <div className="flex flex-wrap items-end justify-between gap-x-8 gap-y-4">
        <div className="max-w-xl min-w-0">
          <div className="flex items-center gap-3">
            <h1 ref={headingRef} tabIndex={-1} className="shrink-0 rounded-sm text-xl font-semibold outline-offset-4">
              {strings.title}
            </h1>
            {owner && <OwnerLabel owner={owner} />}
            {isLoading && <OwnerLabelSkeleton />}
          </div>
          <p className="mt-1 text-pretty text-muted-foreground">{strings.intro}</p>
        </div>
        <div className="flex h-9 w-full items-center justify-between gap-4 empty:hidden sm:w-auto">
          {action}
          {isLoading && (
            <>
              <span role="status" className="sr-only">
                {strings.loading}
              </span>
              <Skeleton className="h-4 w-24" />
              <Skeleton className="h-9 w-28" shape="button" />
            </>
          )}
        </div>
      </div>
      <div className="mt-6">{children}</div>
    </div>
  );
}
