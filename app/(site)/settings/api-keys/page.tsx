import { auth } from "@clerk/nextjs/server";
import type { Metadata } from "next";
import { Suspense } from "react";

import { getLatchkey } from "@/server/latchkey";
import { HydrateClient, prefetch, trpcFor } from "@/trpc/latchkey/server";

import { ApiKeysView } from "./api-keys-view";
import { ApiKeysFrame } from "./frame/api-keys-frame";
import { LoadErrorBoundary } from "./frame/load-error-boundary";
import { LoadFailed } from "./frame/load-failed";
import { OwnedBySession } from "./frame/owned-by-session";
import { KeyTableSkeleton } from "./list/key-table-skeleton";
import { strings } from "./strings";

export const metadata: Metadata = { title: strings.title };

/** Outside the component: the page is made anew for each request, and the compiler cannot know that. */
const currentTime = () => Date.now();

export default async function ApiKeysPage() {
  // Before protect(): while Clerk's signing keys cannot be fetched, it would send signed-in people to the sign-in page again and again.
  if ((await getLatchkey().clerk.readSession()).status === "unavailable") return <LoadFailed />;
  const { userId } = await auth.protect();
  const renderedAt = currentTime();
  prefetch(trpcFor(userId).apiKeys.list.queryOptions());
  const loading = (
    <ApiKeysFrame isLoading>
      <KeyTableSkeleton />
    </ApiKeysFrame>
  );
  return (
    <OwnedBySession whileUnknown={loading}>
      <HydrateClient>
        <LoadErrorBoundary>
          <Suspense fallback={loading}>
            <ApiKeysView renderedAt={renderedAt} />
          </Suspense>
        </LoadErrorBoundary>
      </HydrateClient>
    </OwnedBySession>
  );
}
