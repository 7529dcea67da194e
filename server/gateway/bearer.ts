/**
 * Reads what follows `Bearer` in an `Authorization` header (RFC 6750, section 2.1). The word may be in upper or lower case (RFC 9110).
 * @returns the text as it is, neither trimmed nor checked. Null for another scheme, and when nothing follows.
 */
export function readBearer(authorization: string | null | undefined): string | null {
  return /^bearer +([^ ].*)$/i.exec(authorization ?? "")?.[1] ?? null;
}
