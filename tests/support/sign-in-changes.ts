import type { APIRequestContext, BrowserContext } from "@playwright/test";

import type {
  BrowserSessionOptions,
  MembershipChangeOptions,
  OrganizationChangeOptions,
  UserChangeOptions,
} from "@/local/clerk";

/** Changes a user, an organisation or a membership at the local sign-in, as `/local/<path>` takes it. Throws where that is refused. */
export async function changeAtSignIn(
  request: APIRequestContext,
  path: `users/${string}` | `organizations/${string}`,
  data: UserChangeOptions | OrganizationChangeOptions | MembershipChangeOptions,
): Promise<void> {
  await post(request, path, data);
}

/** Signs the browser in without the page. The user has to be known at the sign-in. */
export async function signInByCookies(context: BrowserContext, options: BrowserSessionOptions): Promise<void> {
  const answer = await post(context.request, "browser-sessions", options);
  const { cookies } = answer as { cookies: Parameters<BrowserContext["addCookies"]>[0] };
  await context.addCookies(cookies);
}

async function post(request: APIRequestContext, path: string, data: object): Promise<unknown> {
  const answer = await request.post(`${process.env.CLERK_API_URL}/local/${path}`, {
    headers: { authorization: `Bearer ${process.env.CLERK_SECRET_KEY}` },
    data,
  });
  if (!answer.ok()) throw new Error(`The local sign-in answers ${answer.status()} to ${path}.`);
  return answer.json();
}
