import "server-only";

import { getServerContext } from "@/server/context";

import type { TrpcContext } from "./init";
import { readSession } from "./session";

/** What every procedure gets: the domain's context, and who is signed in. */
export async function createTrpcContext(): Promise<TrpcContext> {
  return { server: getServerContext(), session: await readSession() };
}
