import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type LocalClerk, startLocalClerk } from "@/local/clerk";
import { findFreePort } from "@/local/free-port";
import { productionEnvironment } from "@/local/production-environment";

import { buildApp, startApp } from "./app-server";

/** What the empty app has of the app itself: its settings, its middleware with the policy, and the answer that tells that it is up. */
const sharedFiles = [
  ..."package.json tsconfig.json next.config.ts middleware.ts".split(" "),
  ..."server/settings/clerk-guard.ts server/settings/clerk-keys.ts server/settings/app-origin.ts".split(" "),
  ..."server/clerk/signed-out.ts server/clerk/key-outage.ts app/content-security-policy.ts".split(" "),
];

/** Clerk's provider with the options of app/(site)/layout.tsx. */
const layoutSource = `
import { ClerkProvider } from "@clerk/nextjs";
import type { ReactNode } from "react";

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <ClerkProvider dynamic telemetry={false} prefetchUI={false} signInUrl="/sign-in">
          {children}
        </ClerkProvider>
      </body>
    </html>
  );
}
`;

/** What the tests wait for. */
const liveSource = `export const GET = () => Response.json({ status: "ok" });\n`;

const pageSource = "export default () => <h1>Empty</h1>;\n";

/** A served app with one page that says "Empty", with a sign-in of its own, since a local one serves one origin only. */
export interface EmptyApp {
  origin: string;
  /** The cookies of a browser that is signed in there, in the shape that `context.addCookies` takes. */
  cookies: ReturnType<LocalClerk["browserSession"]>;
  stop(): Promise<void>;
}

/** Builds and serves the empty app with the packages of this one. Takes about half a minute. */
export async function startEmptyApp(): Promise<EmptyApp> {
  await mkdir(".local", { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(".local", "empty-app-"));
  const stops = [() => rm(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const step of stops.reverse()) await step();
  };
  try {
    for (const file of sharedFiles) await cp(file, join(folder, file));
    await writeFile(join(folder, "app/layout.tsx"), layoutSource);
    await writeFile(join(folder, "app/page.tsx"), pageSource);
    await mkdir(join(folder, "app/api/health/live"), { recursive: true });
    await writeFile(join(folder, "app/api/health/live/route.ts"), liveSource);
    // Without one of its own Next would take the one of the folder above.
    await writeFile(join(folder, "instrumentation.ts"), "export const register = () => undefined;\n");
    const port = await findFreePort();
    const origin = `http://localhost:${port}`;
    const clerk = await startLocalClerk({ directory: join(folder, ".local"), appOrigin: origin });
    stops.push(() => clerk.stop());
    const environment = { ...productionEnvironment(), ...clerk.environment, APP_ORIGIN: origin };
    await buildApp(folder, environment);
    const server = await startApp(port, environment, { folder, output: "ignore" });
    stops.push(() => server.stop());
    return { origin, cookies: clerk.browserSession({ userId: clerk.accounts[0]?.id ?? "" }), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
