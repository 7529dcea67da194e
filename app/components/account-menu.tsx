"use client";

import { useClerk, useUser } from "@clerk/nextjs";
import { LogOut } from "lucide-react";

import { siteStrings } from "../strings";
import { Button } from "./ui/button";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuLabel,
  DropdownMenuSeparator,
  DropdownMenuTrigger,
} from "./ui/dropdown-menu";
import { Skeleton } from "./ui/skeleton";

/** Shows who is signed in, and signs out. Clerk's own button would load its prebuilt UI, 246 kB, with every page. */
export function AccountMenu() {
  const { isLoaded, user } = useUser();
  const { signOut } = useClerk();
  if (!isLoaded) return <Skeleton className="size-8 rounded-full" />;
  if (!user) {
    return (
      <Button asChild variant="secondary" size="sm">
        {/* Not a Link: the sign-in page has its own root layout, since only there Clerk's UI may load. */}
        <a href="/sign-in">{siteStrings.signIn}</a>
      </Button>
    );
  }
  const email = user.primaryEmailAddress?.emailAddress ?? user.username ?? user.id;
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <button
          type="button"
          aria-label={siteStrings.account.label}
          className="grid size-8 place-items-center rounded-full bg-secondary text-xs font-semibold text-secondary-foreground uppercase ring-1 ring-border transition-shadow ring-inset hover:ring-input data-[state=open]:ring-input"
        >
          {(user.firstName ?? email).slice(0, 1)}
        </button>
      </DropdownMenuTrigger>
      <DropdownMenuContent>
        <DropdownMenuLabel>
          <span className="block text-xs text-muted-foreground">{siteStrings.account.signedInAs}</span>
          <span className="block max-w-60 truncate font-medium">{email}</span>
        </DropdownMenuLabel>
        <DropdownMenuSeparator />
        <DropdownMenuItem onSelect={() => void signOut({ redirectUrl: "/" })}>
          <LogOut aria-hidden />
          <span>{siteStrings.account.signOut}</span>
        </DropdownMenuItem>
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
