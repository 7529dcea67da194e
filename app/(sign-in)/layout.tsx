import { ClerkProvider } from "@clerk/nextjs";
import type { Metadata } from "next";
import type { ReactNode } from "react";

import { Document } from "../components/document";
import { SiteHeader } from "../components/site-header";
import { siteStrings } from "../strings";

export const metadata: Metadata = { title: `${siteStrings.signIn} · ${siteStrings.name}` };

/** A root layout of its own. The browser loads a new document when it enters or leaves, so Clerk's prebuilt UI is loaded only here. */
export default function SignInLayout({ children }: { children: ReactNode }) {
  return (
    <Document>
      <ClerkProvider
        dynamic
        telemetry={false}
        signInUrl="/sign-in"
        signInFallbackRedirectUrl="/settings/api-keys"
        appearance={{
          variables: {
            colorPrimary: "var(--primary)",
            colorPrimaryForeground: "var(--primary-foreground)",
            colorForeground: "var(--foreground)",
            colorMutedForeground: "var(--muted-foreground)",
            colorMuted: "var(--muted)",
            colorBackground: "var(--card)",
            colorInput: "var(--card)",
            colorInputForeground: "var(--foreground)",
            colorNeutral: "var(--foreground)",
            colorBorder: "var(--border)",
            colorRing: "var(--ring)",
            colorDanger: "var(--destructive)",
            colorSuccess: "var(--success)",
            colorWarning: "var(--warning)",
            colorShadow: "transparent",
            borderRadius: "0.5rem",
            fontFamily: "var(--font-sans), ui-sans-serif, system-ui, sans-serif",
          },
          elements: { cardBox: { border: "1px solid var(--border)", boxShadow: "none" } },
        }}
      >
        <SiteHeader showsNavigation={false} />
        <main id="content" tabIndex={-1} className="grid flex-1 place-items-center px-4 py-12 outline-none">
          {children}
        </main>
      </ClerkProvider>
    </Document>
  );
}
