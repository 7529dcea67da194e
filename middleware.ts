import { clerkMiddleware } from "@clerk/nextjs/server";
import { type NextRequest, NextResponse } from "next/server";

import { contentSecurityPolicy } from "./app/content-security-policy";
import { appOriginOf } from "./server/settings/app-origin";
import { isSignedOut } from "./server/clerk/signed-out";
import { frontendHostOf, publicKeyPem } from "./server/settings/clerk-keys";

// The edge runtime cannot load server/settings/env.ts. Each setting is read here by the same rules, so that the whole app agrees on it.
const jwtSetting = process.env.CLERK_JWT_KEY?.trim();
const jwtKey = jwtSetting && publicKeyPem(jwtSetting);
const appOrigin = appOriginOf({
  APP_ORIGIN: process.env.APP_ORIGIN,
  NODE_ENV: process.env.NODE_ENV,
  PORT: process.env.PORT,
});
const usesProxy = Boolean(process.env.NEXT_PUBLIC_CLERK_PROXY_URL);
const frontendHost = frontendHostOf(process.env.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY ?? "") ?? "";

/** A browser that opens an address, and not Next's router, which takes a page's own redirect. */
const asksForDocument = ({ headers }: NextRequest) =>
  headers.get("Sec-Fetch-Dest") === "document" || headers.get("Accept")?.includes("text/html");

// The settings page sends its frame before it knows the session, and after that no answer can be a redirect. So it is decided here, too.
export default clerkMiddleware(
  async (auth, request) => {
    if (request.nextUrl.pathname.startsWith("/settings/") && asksForDocument(request)) {
      const session = await auth();
      if (isSignedOut(session)) return session.redirectToSignIn();
    }
    const nonce = btoa(crypto.randomUUID());
    const policy = contentSecurityPolicy({
      nonce,
      clerkOrigin: usesProxy ? undefined : `https://${frontendHost}`,
      isDevelopment: process.env.NODE_ENV === "development",
    });
    // Next takes the nonce for its script tags from the policy in the request. ClerkProvider and our own scripts take it from X-Nonce.
    const headers = new Headers(request.headers);
    headers.set("X-Nonce", nonce);
    headers.set("Content-Security-Policy", policy);
    const response = NextResponse.next({ request: { headers } });
    response.headers.set("Content-Security-Policy", policy);
    return response;
  },
  {
    signInUrl: "/sign-in",
    frontendApiProxy: { enabled: usesProxy },
    ...(jwtKey && { jwtKey }),
    ...(appOrigin && { authorizedParties: [appOrigin] }),
  },
);

// auth() works where this runs: pages, tRPC, the download of the history and Clerk's proxy. The gateway's endpoints know no session and stay
// outside.
export const config = {
  matcher: [
    "/((?!_next|api/|__clerk|.*\\.(?:ico|png|svg|txt|webmanifest)$).*)",
    "/api/trpc/(.*)",
    "/api/history",
    "/__clerk/(.*)",
  ],
};
