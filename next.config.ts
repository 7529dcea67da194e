import type { NextConfig } from "next";
import { PHASE_PRODUCTION_BUILD, PHASE_PRODUCTION_SERVER } from "next/constants";

import { normaliseOrigin } from "./server/settings/app-origin";
import { assertClerkKeys } from "./server/settings/clerk-guard";

/** Headers of every answer. The pages' Content-Security-Policy has a nonce, so middleware.ts sets it. */
const securityHeaders = [
  { key: "X-Content-Type-Options", value: "nosniff" },
  { key: "Referrer-Policy", value: "strict-origin-when-cross-origin" },
  { key: "Permissions-Policy", value: "camera=(), geolocation=(), microphone=(), payment=(), usb=()" },
];
const transportSecurity = { key: "Strict-Transport-Security", value: "max-age=63072000; includeSubDomains" };

export default function config(phase: string): NextConfig {
  if (phase === PHASE_PRODUCTION_BUILD) assertClerkKeys(process.env, "build");
  if (phase === PHASE_PRODUCTION_SERVER) assertClerkKeys(process.env, "start");
  const isProduction = phase === PHASE_PRODUCTION_BUILD || phase === PHASE_PRODUCTION_SERVER;
  const headers = isProduction ? [...securityHeaders, transportSecurity] : securityHeaders;
  const origin = normaliseOrigin(process.env.APP_ORIGIN ?? "");
  return {
    poweredByHeader: false,
    // The development server answers its own scripts to localhost alone, unless it is told where else it is looked at.
    ...(origin !== null && { allowedDevOrigins: [new URL(origin).hostname] }),
    reactStrictMode: true,
    // There are two root layouts. An address that is in neither has no layout in which a 404 could be shown.
    experimental: { globalNotFound: true },
    headers: () => Promise.resolve([{ source: "/:path*", headers }]),
  };
}
