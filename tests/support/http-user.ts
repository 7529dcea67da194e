import { randomUUID } from "node:crypto";

import type { APIRequestContext, APIResponse } from "@playwright/test";
import superjson, { type SuperJSONResult } from "superjson";

import { loadLocalKeys, mintSessionToken, type SessionTokenOptions } from "@/local/clerk";

/** A new user who comes by HTTP with a session token of their own, so that tests share nothing. */
export type HttpUser = { userId: string; authorization: string };

export async function newHttpUser(options: Partial<SessionTokenOptions> = {}): Promise<HttpUser> {
  const keys = await loadLocalKeys(process.env.LOCAL_CLERK_DIRECTORY ?? "");
  const userId = options.userId ?? `user_${randomUUID().replaceAll("-", "")}`;
  const claims = {
    userId,
    azp: process.env.BASE_URL ?? "",
    // An organisation's token has its own features alone, as Clerk's do.
    ...(!options.organization && { features: ["api_access"] }),
    expiresInSeconds: 600,
    ...options,
  };
  return { userId, authorization: `Bearer ${mintSessionToken(keys, claims)}` };
}

export function bearerOf({ authorization }: HttpUser): { authorization: string } {
  return { authorization };
}

/** One tRPC call of the user. @returns the HTTP status, and the result or the error's public data. */
export async function callProcedure(
  request: APIRequestContext,
  user: HttpUser | null,
  procedure: string,
  input?: unknown,
): Promise<{ status: number; result?: unknown; error?: { data: Record<string, unknown> } }> {
  const url = `/api/trpc/apiKeys.${procedure}`;
  const headers = user ? bearerOf(user) : {};
  const body = superjson.serialize(input);
  const isQuery = ["list", "effect", "usage", "history"].includes(procedure);
  const response = isQuery
    ? await request.get(`${url}?input=${encodeURIComponent(JSON.stringify(body))}`, { headers })
    : await request.post(url, { headers, data: body });
  return { status: response.status(), ...(await parse(response)) };
}

async function parse(response: APIResponse) {
  const answer = (await response.json()) as { result?: { data: SuperJSONResult }; error?: SuperJSONResult };
  return {
    ...(answer.result && { result: superjson.deserialize(answer.result.data) }),
    ...(answer.error && { error: superjson.deserialize<{ data: Record<string, unknown> }>(answer.error) }),
  };
}

/** A new secret for the user's key of this name. */
export async function rotateKeyOver(request: APIRequestContext, user: HttpUser, name: string, graceSeconds: number) {
  const listed = await callProcedure(request, user, "list");
  const { keys } = listed.result as { keys: { id: string; name: string; status: string }[] };
  const key = keys.find((one) => one.name === name && one.status === "active");
  const { status, result } = await callProcedure(request, user, "rotate", {
    id: key?.id,
    requestId: randomUUID(),
    graceSeconds,
  });
  if (status !== 200) throw new Error(`rotate answered ${status}`);
  return (result as { secret: string }).secret;
}

/** A key of the user, created through tRPC. */
export async function createKeyOver(request: APIRequestContext, user: HttpUser, name = "Over HTTP") {
  const { status, result } = await callProcedure(request, user, "create", { name, requestId: randomUUID() });
  if (status !== 200) throw new Error(`create answered ${status}`);
  return result as { key: { id: string; name: string }; secret: string };
}
