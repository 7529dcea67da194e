import { ThemeProvider } from "next-themes";
import { headers } from "next/headers";
import type { ReactNode } from "react";

import "../globals.css";
import { InputMethodGuard } from "../(site)/settings/api-keys/input-method-guard";

/** The frame that both root layouts share: html, body and the theme. */
export async function Document({ children }: { children: ReactNode }) {
  // A script sets the theme before the first paint. The policy refuses it unless it has the request's nonce.
  const nonce = (await headers()).get("X-Nonce");
  return (
    // suppressHydrationWarning, since that script has set the class already.
    <html lang="en" suppressHydrationWarning>
      <body className="latchkey flex min-h-dvh flex-col font-sans">
        <InputMethodGuard />
        <ThemeProvider attribute="class" disableTransitionOnChange {...(nonce !== null && { nonce })}>
          {children}
        </ThemeProvider>
      </body>
    </html>
  );
}
