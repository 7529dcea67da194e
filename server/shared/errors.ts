/** Why a request cannot be honoured. The list is closed on purpose: a new code needs a row in every table that maps codes. */
export type DomainErrorCode =
  | "API_KEY_NOT_FOUND"
  | "API_KEY_LIMIT_REACHED"
  | "API_KEY_REQUEST_REUSED"
  | "API_KEY_ROTATING"
  | "API_KEY_NOT_ACTIVE"
  | "API_KEY_NOT_OWNED"
  | "API_ACCESS_REQUIRED"
  | "IMPERSONATED"
  /** The keys are an organisation's, and this person may not change them. */
  | "ORG_PERMISSION_REQUIRED"
  | "RATE_LIMITED"
  /** The database, or the sign-in's keys, could not be reached in time. Nothing was changed. */
  | "SERVICE_UNAVAILABLE"
  /** Nobody knows whether it was changed: the connection failed while committing, and the database did not come back in time. */
  | "OUTCOME_UNKNOWN";

const messages: Record<DomainErrorCode, string> = {
  API_KEY_NOT_FOUND: "There is no such API key.",
  API_KEY_LIMIT_REACHED: "You have reached the limit of active API keys. Revoke one to create another.",
  API_KEY_REQUEST_REUSED: "This request was already answered. Create a new key instead.",
  API_KEY_ROTATING: "A rotation of this API key is under way. Wait until it has ended, or end it first.",
  API_KEY_NOT_ACTIVE: "This API key is expired or revoked.",
  API_KEY_NOT_OWNED: "This API key is not yours.",
  API_ACCESS_REQUIRED: "Your plan does not include API access.",
  IMPERSONATED: "An impersonated session cannot create or rotate API keys.",
  ORG_PERMISSION_REQUIRED: "You may not change this organization's API keys.",
  RATE_LIMITED: "Too many requests. Try again in a minute.",
  SERVICE_UNAVAILABLE: "The service is unavailable right now, and nothing was changed. Try again.",
  OUTCOME_UNKNOWN:
    "The database did not answer in time: it is not known whether this was done. Look before you try again.",
};

/** A request that cannot be honoured. Its message may be shown to the caller; its `cause` may not. */
export class DomainError extends Error {
  constructor(
    readonly code: DomainErrorCode,
    options: { message?: string; cause?: unknown } = {},
  ) {
    super(options.message ?? messages[code], { cause: options.cause });
    this.name = "DomainError";
  }

  static override [Symbol.hasInstance] = hasName("DomainError");
}

/**
 * For a class's `Symbol.hasInstance`: makes `instanceof` compare the name instead of the prototype. Next evaluates a module once for each of
 * its bundles, so a process has several copies of a class. An error may be made by one copy and checked by another.
 */
export function hasName(name: string): (value: unknown) => boolean {
  return (value) => value !== null && typeof value === "object" && "name" in value && value.name === name;
}
