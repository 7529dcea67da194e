import { auth } from "@clerk/nextjs/server";
import type { Metadata } from "next";
import { Suspense } from "react";

import { getLatchkey } from "../../../../server/latchkey";
import { PrefetchedList } from "../../../../trpc/latchkey/server";
import { ApiKeysView } from "./api-keys-view";
import { ApiKeysFrame } from "./frame/api-keys-frame";
import { LoadErrorBoundary } from "./frame/load-error-boundary";
import { LoadFailed } from "./frame/load-failed";
import { OwnedBySession } from "./frame/owned-by-session";
import { SetupMissing } from "./frame/setup-missing";
import { KeyTableSkeleton } from "./list/key-table-skeleton";
import { strings } from "./strings";

export const metadata: Metadata = { title: strings.title };

const loading = (
  <ApiKeysFrame isLoading>
    <KeyTableSkeleton />
  </ApiKeysFrame>
);

/** What is read for each request stands below a Suspense boundary, so the page also builds with `cacheComponents`. */
export default function ApiKeysPage() {
  return (
    <Suspense fallback={loading}>
      <KeysOfSession />
    </Suspense>
  );
}

/** Outside the component: it is rendered anew for each request, and the compiler cannot know that. */
const currentTime = () => Date.now();

async function KeysOfSession() {
  if (!(await hasClerkMiddleware())) return <SetupMissing lacksMiddleware />;
  // Before protect(): while Clerk's signing keys cannot be fetched, it would send signed-in people to the sign-in page again and again.
  if ((await getLatchkey().clerk.readSession()).status === "unavailable") return <LoadFailed />;
  const { userId, orgId } = await auth.protect();
  return (
    <OwnedBySession whileUnknown={loading}>
      <PrefetchedList ownerId={orgId ?? userId}>
        <LoadErrorBoundary>
          <Suspense fallback={loading}>
            <ApiKeysView renderedAt={currentTime()} />
          </Suspense>
        </LoadErrorBoundary>
      </PrefetchedList>
    </OwnedBySession>
  );
}

/** Clerk throws where its middleware does not run. Every other error goes on: with some of them Next tells that a page is dynamic. */
async function hasClerkMiddleware(): Promise<boolean> {
  try {
    await auth();
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes("clerkMiddleware()")) return false;
    throw error;
  }
}
