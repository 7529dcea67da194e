/**
 * What follows `Bearer` in an `Authorization` header (RFC 6750, section 2.1; the scheme in any case, RFC 9110). Null for another scheme and
 * for no token. It is not trimmed or checked: a token with a space or a no-break space in it is simply a wrong one.
 */
export function readBearer(authorization: string | null | undefined): string | null {
  return /^bearer +([^ ].*)$/i.exec(authorization ?? "")?.[1] ?? null;
}
