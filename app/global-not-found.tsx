import type { Metadata } from "next";

import { Document } from "./components/document";
import { SiteHeader } from "./components/site-header";
import { buttonClasses } from "./(site)/settings/api-keys/ui/button";
import { notFoundStrings as strings, siteStrings } from "./strings";

export const metadata: Metadata = { title: `${strings.title} · ${siteStrings.name}` };

/** For every address that leads nowhere. Outside the two root layouts, and so without Clerk: it needs no session. */
export default function GlobalNotFound() {
  return (
    <Document>
      <SiteHeader />
      <main id="content" tabIndex={-1} className="mx-auto w-full max-w-3xl flex-1 px-4 py-16 outline-none sm:py-24">
        <p className="font-mono text-xs text-muted-foreground">404</p>
        <h1 className="mt-2 text-2xl font-semibold tracking-tight">{strings.title}</h1>
        <p className="mt-3 max-w-md text-pretty text-muted-foreground">{strings.text}</p>
        <a href="/" className={buttonClasses({ variant: "secondary" }, "mt-6")}>
          {strings.home}
        </a>
      </main>
    </Document>
  );
}
