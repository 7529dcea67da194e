"use client";

import { useAuth, useClerk, useUser } from "@clerk/nextjs";
import { Building2, Check, LogOut, UserRound } from "lucide-react";
import { useState } from "react";

import { buttonClasses } from "../(site)/settings/api-keys/ui/button";
import { Skeleton } from "../(site)/settings/api-keys/ui/skeleton";
import { siteStrings } from "../strings";
import { Menu, MenuItem } from "./menu";

const { account: texts } = siteStrings;

/** Shows who is signed in and for whom they act, switches that, and signs out. Clerk's own buttons would load its prebuilt UI, 246 kB. */
export function AccountMenu() {
  const { isLoaded, user } = useUser();
  const { orgId } = useAuth();
  const { signOut, setActive } = useClerk();
  const [hasFailed, setFailed] = useState(false);
  if (!isLoaded) return <Skeleton className="size-8" shape="pill" />;
  if (!user) {
    // Not a Link: the sign-in page has its own root layout, since only there Clerk's UI may load.
    return (
      <a href="/sign-in" className={buttonClasses({ variant: "secondary", size: "sm" })}>
        {siteStrings.signIn}
      </a>
    );
  }
  const email = user.primaryEmailAddress?.emailAddress ?? user.username ?? user.id;
  const active = orgId ?? null;
  // They come with the user, so the menu needs no request of its own.
  const organizations = user.organizationMemberships.map(({ organization }) => organization);
  const switchTo = (organization: string | null) => {
    if (organization !== active) setActive({ organization }).catch(() => setFailed(true));
  };
  return (
    // Whoever opens the menu again has read why a switch failed.
    <div className="relative" onClickCapture={() => setFailed(false)}>
      <Menu
        label={texts.label}
        triggerClassName="grid size-8 place-items-center rounded-full bg-secondary text-xs font-semibold text-secondary-foreground uppercase ring-1 ring-border transition-shadow ring-inset hover:ring-input aria-expanded:ring-input"
        trigger={(user.firstName ?? email).slice(0, 1)}
      >
        <div className="px-2 py-1.5 text-[0.8125rem]">
          <span className="block text-xs text-muted-foreground">{texts.signedInAs}</span>
          <span className="block max-w-60 truncate font-medium">{email}</span>
        </div>
        <div role="separator" className="-mx-1 my-1 h-px bg-border" />
        {organizations.length > 0 && (
          <>
            <div role="group" aria-label={texts.actAs} className="max-h-64 overflow-y-auto">
              <MenuItem isChosen={active === null} onSelect={() => switchTo(null)}>
                <UserRound aria-hidden />
                <span>{texts.personal}</span>
                <Chosen isChosen={active === null} />
              </MenuItem>
              {organizations.map(({ id, name }) => (
                <MenuItem key={id} isChosen={active === id} onSelect={() => switchTo(id)}>
                  <Building2 aria-hidden />
                  <span translate="no" className="max-w-48 truncate">
                    {name}
                  </span>
                  <Chosen isChosen={active === id} />
                </MenuItem>
              ))}
            </div>
            <div role="separator" className="-mx-1 my-1 h-px bg-border" />
          </>
        )}
        <MenuItem onSelect={() => void signOut({ redirectUrl: "/" })}>
          <LogOut aria-hidden />
          <span>{texts.signOut}</span>
        </MenuItem>
      </Menu>
      {hasFailed && (
        <p
          role="alert"
          className="absolute top-full right-0 z-40 mt-1.5 w-64 rounded-lg border bg-popover px-3 py-2 text-[0.8125rem] text-popover-foreground shadow-lg"
        >
          {texts.notSwitched}
        </p>
      )}
    </div>
  );
}

function Chosen({ isChosen }: { isChosen: boolean }) {
  return <span className="ml-auto pl-3">{isChosen && <Check aria-hidden />}</span>;
}
