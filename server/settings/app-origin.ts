// Nothing of Node here: the middleware, on the edge runtime, reads these settings by the same rules as server/settings/env.ts.

/**
 * An origin as browsers write it: no slash at the end, lower case, no default port. Sessions and CORS compare it as text.
 * @returns null for what is no http or https origin alone: with a path, a query, credentials, a wildcard or white space in it.
 */
export function normaliseOrigin(text: string): string | null {
  const trimmed = text.trim();
  if (/[\s*]/.test(trimmed) || !URL.canParse(trimmed)) return null;
  const { protocol, origin, href } = new URL(trimmed);
  // The whole of it, written back, is the origin: so there was nothing else.
  return /^https?:$/.test(protocol) && href === `${origin}/` ? origin : null;
}

/**
 * Where this app is served: `APP_ORIGIN`, outside production the local address at `PORT` when it is unset.
 * @returns undefined in production when it is unset. Text that is no origin comes back as it is: it equals no origin.
 */
export function appOriginOf(
  env: Partial<Record<"APP_ORIGIN" | "NODE_ENV" | "PORT", string | undefined>>,
): string | undefined {
  const text = env.APP_ORIGIN?.trim();
  if (text) return normaliseOrigin(text) ?? text;
  return env.NODE_ENV === "production" ? undefined : `http://localhost:${Number(env.PORT?.trim() || 3000)}`;
}
