import type { ServerContext } from "./context";
import { type EndedSecret, endSecretBeside } from "./end-secret";

/**
 * Revokes the secret that waits for its first use. The old one works on.
 * @returns `effect`: of the secret that waited. Null: none did, and nothing was changed.
 * @throws DomainError API_KEY_NOT_FOUND for an unknown id and for another owner's.
 * @throws CommitOutcomeUnknownError when nobody knows whether it was revoked; what the database throws otherwise. Then it was not.
 * @example
 * const { effect } = await cancelRotation(ctx, { ownerId: "user_1" }, { id: key.id });
 */
export function cancelRotation(
  ctx: ServerContext,
  owner: { ownerId: string },
  input: { id: string },
): Promise<EndedSecret> {
  return endSecretBeside(ctx, owner, input, ({ state }) => state === "waiting");
}
