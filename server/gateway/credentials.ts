/** What a request brings as its API key. */
export type Credentials =
  | { kind: "key"; secret: string }
  | { kind: "none" }
  /** A bearer that is no API key of ours: somebody else's token. */
  | { kind: "foreign" }
  | { kind: "ambiguous" };

/**
 * Finds the key in `Authorization: Bearer <key>` (RFC 6750, section 2.1) or `X-API-Key: <key>`; an empty header is as absent.
 * Two different keys are ambiguous, and none is chosen: two layers that chose differently would let a request act for two owners.
 * A bearer without our prefix, beside an `X-API-Key`, belongs to another layer and is ignored. Query string and cookies never count.
 */
export function readCredentials(headers: Headers, prefix: string): Credentials {
  const bearer = readBearer(headers.get("authorization"));
  const header = headers.get("x-api-key")?.trim() ?? "";
  const isOurs = bearer.startsWith(`${prefix}_`);
  if (isOurs && header !== "" && header !== bearer) return { kind: "ambiguous" };
  if (isOurs) return { kind: "key", secret: bearer };
  if (header !== "") return { kind: "key", secret: header };
  return bearer === "" ? { kind: "none" } : { kind: "foreign" };
}

function readBearer(authorization: string | null): string {
  return /^bearer +(\S.*)$/i.exec(authorization?.trim() ?? "")?.[1]?.trim() ?? "";
}
