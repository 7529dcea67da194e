"use client";

import { ClerkLoaded, ClerkLoading, SignIn, useClerk, useSession } from "@clerk/nextjs";
import { useRouter } from "next/navigation";
import { useEffect, useState, useTransition } from "react";

import { Button } from "@/app/(site)/settings/api-keys/ui/button";
import { Spinner } from "@/app/(site)/settings/api-keys/ui/spinner";
import { siteStrings } from "@/app/strings";

const strings = siteStrings.renewal;

/** For a browser whose session the server has refused, since its token names another site or none (decision 008). */
export function SessionRenewal() {
  return (
    <>
      <ClerkLoading>
        <Busy />
      </ClerkLoading>
      <ClerkLoaded>
        <Renewal />
      </ClerkLoaded>
    </>
  );
}

/** Gets another token, with a request that names this site, and asks the server once more. */
function Renewal() {
  const { session } = useSession();
  const router = useRouter();
  const [isRefusedAgain, setIsRefusedAgain] = useState(false);
  const [, startTransition] = useTransition();
  useEffect(() => {
    if (!session) return;
    const askAgain = () =>
      startTransition(() => {
        // Both in one transition: if the server accepts the session now, this component is gone before it shows a message.
        router.refresh();
        setIsRefusedAgain(true);
      });
    session.getToken({ skipCache: true }).then(askAgain, askAgain);
  }, [session, router]);
  // Clerk has found no session behind the token.
  if (!session) return <SignIn />;
  return isRefusedAgain ? <Refused /> : <Busy />;
}

function Busy() {
  return (
    <p role="status" className="flex items-center gap-2 text-sm text-muted-foreground">
      <Spinner />
      <span>{strings.busy}</span>
    </p>
  );
}

function Refused() {
  const { signOut } = useClerk();
  return (
    <div role="alert" className="flex max-w-sm flex-col items-center rounded-lg border bg-card px-6 py-10 text-center">
      <h1 className="text-base font-semibold">{strings.title}</h1>
      <p className="mt-1 text-sm text-pretty text-muted-foreground">{strings.text}</p>
      <Button className="mt-5" onClick={() => void signOut({ redirectUrl: "/sign-in" })}>
        {strings.action}
      </Button>
    </div>
  );
}
