"use client";

import { useClerk, useUser } from "@clerk/nextjs";
import { LogOut } from "lucide-react";

import { buttonClasses } from "../(site)/settings/api-keys/ui/button";
import { Skeleton } from "../(site)/settings/api-keys/ui/skeleton";
import { siteStrings } from "../strings";
import { Menu, MenuItem } from "./menu";

/** Shows who is signed in, and signs out. Clerk's own button would load its prebuilt UI, 246 kB, with every page. */
export function AccountMenu() {
  const { isLoaded, user } = useUser();
  const { signOut } = useClerk();
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
  return (
    <Menu
      label={siteStrings.account.label}
      triggerClassName="grid size-8 place-items-center rounded-full bg-secondary text-xs font-semibold text-secondary-foreground uppercase ring-1 ring-border transition-shadow ring-inset hover:ring-input aria-expanded:ring-input"
      trigger={(user.firstName ?? email).slice(0, 1)}
    >
      <div className="px-2 py-1.5 text-[0.8125rem]">
        <span className="block text-xs text-muted-foreground">{siteStrings.account.signedInAs}</span>
        <span className="block max-w-60 truncate font-medium">{email}</span>
      </div>
      <div role="separator" className="-mx-1 my-1 h-px bg-border" />
      <MenuItem onSelect={() => void signOut({ redirectUrl: "/" })}>
        <LogOut aria-hidden />
        <span>{siteStrings.account.signOut}</span>
      </MenuItem>
    </Menu>
  );
}
