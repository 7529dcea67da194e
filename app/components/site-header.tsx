import Link from "next/link";

import { siteStrings } from "../strings";
import { LatchkeyMark } from "./latchkey-mark";
import { ThemeMenu } from "./theme-menu";

/** `children` stands beside the theme switch, such as the account. */
export function SiteHeader({
  children,
  showsNavigation = true,
}: {
  children?: React.ReactNode;
  showsNavigation?: boolean;
}) {
  return (
    <>
      <a
        href="#content"
        className="fixed top-2 left-2 z-50 -translate-y-20 rounded-md bg-primary px-3 py-2 text-primary-foreground focus-visible:translate-y-0"
      >
        {siteStrings.skipToContent}
      </a>
      <header className="sticky top-0 z-30 border-b bg-background">
        <div className="mx-auto flex h-14 w-full max-w-6xl items-center gap-6 px-4 sm:px-6">
          <Link
            href="/"
            className="-mx-1 flex items-center gap-2 rounded-sm px-1 py-1 text-[0.9375rem] font-semibold tracking-tight"
          >
            <LatchkeyMark className="size-6" />
            <span>{siteStrings.name}</span>
          </Link>
          {showsNavigation && (
            <nav aria-label={siteStrings.navigation}>
              <Link
                href="/settings/api-keys"
                className="rounded-sm px-1 py-1 text-[0.8125rem] text-muted-foreground transition-colors hover:text-foreground"
              >
                {siteStrings.apiKeys}
              </Link>
            </nav>
          )}
          <div className="ml-auto flex items-center gap-1.5">
            <ThemeMenu />
            {children}
          </div>
        </div>
      </header>
    </>
  );
}
