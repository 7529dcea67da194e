import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createClerkClient } from "@clerk/backend";
import { afterAll, beforeAll, beforeEach } from "vitest";

import {
  type LocalClerk,
  type MembershipChangeOptions,
  type OrganizationChangeOptions,
  startLocalClerk,
  type UserChangeOptions,
} from "@/local/clerk";

import { type ReceivingApp, startReceivingApp } from "./receiving-app";

export const password = "latchkey-demo-2026";

/** Each test of a file that imports this has a local sign-in of its own, with the state of the ones before in the file. */
export let clerk: LocalClerk;
/** The app that receives the sign-in's events. */
export let app: ReceivingApp;
export let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "local-clerk-"));
  app = await startReceivingApp();
});
afterAll(async () => {
  app.stop();
  await rm(directory, { recursive: true });
});

beforeEach(async () => {
  clerk = await startLocalClerk({ directory, appOrigin: app.origin });
  app.received = [];
  return () => clerk.stop();
});

/** Clerk's own client for the backend API. */
export const client = (at = clerk) =>
  createClerkClient({
    secretKey: at.environment.CLERK_SECRET_KEY ?? "",
    publishableKey: at.environment.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY ?? "",
    apiUrl: at.environment.CLERK_API_URL ?? "",
    telemetry: { disabled: true },
  });

/** Changes something at the stand-in. @returns the statuses that its events were answered with. */
export async function change(
  path: string,
  options: OrganizationChangeOptions | MembershipChangeOptions | UserChangeOptions,
  bearer = clerk.environment.CLERK_SECRET_KEY,
) {
  const response = await fetch(`${clerk.environment.CLERK_API_URL}/local/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${bearer}` },
    body: JSON.stringify(options),
  });
  return { status: response.status, ...((await response.json()) as { statuses?: number[] }) };
}
