import "server-only";

import { getLatchkey } from "@/latchkey";

import type { TrpcContext } from "./init";

/**
 * Makes what every procedure gets: the domain's context, and who is signed in.
 * @param expectedOwner the account that the page was made for, from `expectedOwnerHeader`. A session of another account counts as none.
 */
export async function createTrpcContext(expectedOwner: string | null = null): Promise<TrpcContext> {
  const session = await getLatchkey().clerk.readSession();
  const isOfAnother =
    session.status === "signed_in" && expectedOwner !== null && session.caller.ownerId !== expectedOwner;
  return { server: getLatchkey().context, session: isOfAnother ? { status: "signed_out" } : session };
}
