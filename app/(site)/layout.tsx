import { ClerkProvider } from "@clerk/nextjs";
import type { Metadata } from "next";
import type { ReactNode } from "react";

import { AccountMenu } from "../components/account-menu";
import { Document } from "../components/document";
import { SiteHeader } from "../components/site-header";
import { siteStrings } from "../strings";

export const metadata: Metadata = {
  title: { default: siteStrings.name, template: `%s · ${siteStrings.name}` },
  description: siteStrings.description,
};

export default function SiteLayout({ children }: { children: ReactNode }) {
  return (
    <Document>
      {/* dynamic: pages rendered at build time would carry no nonce, and the policy would refuse their scripts.
          prefetchUI: false means that Clerk's prebuilt UI (246 kB) is never loaded here, not even late. */}
      <ClerkProvider dynamic telemetry={false} prefetchUI={false} signInUrl="/sign-in">
        <SiteHeader>
          <AccountMenu />
        </SiteHeader>
        {children}
      </ClerkProvider>
    </Document>
  );
}
