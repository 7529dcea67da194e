import { auth } from "@clerk/nextjs/server";
import { type ReactNode, Suspense } from "react";

import { getLatchkey } from "../../../../../server/latchkey";
import { PrefetchedList } from "../../../../../trpc/latchkey/server";
import { LoadErrorBoundary } from "./load-error-boundary";
import { LoadFailed } from "./load-failed";
import { OwnedBySession } from "./owned-by-session";
import { SetupMissing } from "./setup-missing";

interface SessionPageProps {
  loading: ReactNode;
  /** @param renderedAt when the server made this page, in milliseconds since 1970. */
  children: (renderedAt: number) => ReactNode;
}

/**
 * A page of the account that the session acts for, with the list of its keys. What is read for each request stands below a Suspense boundary, so
 * the page also builds with `cacheComponents`.
 */
export function SessionPage(props: SessionPageProps) {
  return (
    <Suspense fallback={props.loading}>
      <OfSession {...props} />
    </Suspense>
  );
}

/** Outside the component: it is rendered anew for each request, and the compiler cannot know that. */
const currentTime = () => Date.now();

async function OfSession({ loading, children }: SessionPageProps) {
  if (!(await hasClerkMiddleware())) return <SetupMissing lacksMiddleware />;
  // Before protect(): while Clerk's signing keys cannot be fetched, it would send signed-in people to the sign-in page again and again.
  if ((await getLatchkey().clerk.readSession()).status === "unavailable") return <LoadFailed />;
  const { userId, orgId } = await auth.protect();
  return (
    <OwnedBySession whileUnknown={loading}>
      <PrefetchedList ownerId={orgId ?? userId}>
        <LoadErrorBoundary>
          <Suspense fallback={loading}>{children(currentTime())}</Suspense>
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
