import { createLatchkey, fromEnvironment } from "latchkey";
import { createClerk } from "latchkey/clerk";
import { type KeyedHandler, withApiKey as withApiKeyOf } from "latchkey/http";
import { after } from "next/server";

import { allScopes, type Scope } from "./scopes";

/** Puts Latchkey together for this app. This file is yours: change an option here, and the whole app has it. */
function compose() {
  const { clerk: clerkOptions, publishableKey, ...options } = fromEnvironment();
  const clerk = createClerk(clerkOptions);
  // Next's after() lets a deferred task end, also in functions that freeze after their answer.
  const latchkey = createLatchkey({ ...options, scopes: allScopes, identity: clerk, defer: (task) => after(task) });
  latchkey.startDraining();
  return { ...latchkey, clerk, publishableKey };
}

// Kept on globalThis, so that a process has one pool. Next evaluates a module once for each bundle, and in development at each reload.
const holder = globalThis as { latchkey?: ReturnType<typeof compose> };

/**
 * The Latchkey of this process. The first call makes it and connects to nothing yet.
 * @throws Error that names every setting that is missing or malformed.
 * @example
 * const verification = await getLatchkey().verify("lk_live_…");
 */
export function getLatchkey() {
  holder.latchkey ??= compose();
  return holder.latchkey;
}

/**
 * Protects a route: the handler runs only for a valid API key that has all of `scopes`. Every other request is answered with a problem.
 * @example
 * export const GET = withApiKey((_request, { key }) => Response.json(reportsOf(key.ownerId)), { scopes: ["reports:read"] });
 */
export function withApiKey<RouteContext>(handler: KeyedHandler<RouteContext>, options: { scopes?: Scope[] } = {}) {
  return withApiKeyOf(getLatchkey, handler, options);
}
