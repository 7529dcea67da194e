import { requireManage } from "./access";
import type { ServerContext } from "./context";
import { type EndedSecret, type EndingCaller, endSecretBeside } from "./end-secret";

/**
 * Revokes the secret that waits for its first use. The old one works on.
 * @returns `effect`: of the secret that waited. Null: none did, and nothing was changed.
 * @throws DomainError ORG_PERMISSION_REQUIRED; API_KEY_NOT_FOUND for an unknown id and for another owner's.
 * @throws CommitOutcomeUnknownError when nobody knows whether it was revoked; what the database throws otherwise. Then it was not.
 * @example
 * const { effect } = await cancelRotation(ctx, caller, { id: key.id });
 */
export async function cancelRotation(
  ctx: ServerContext,
  owner: EndingCaller,
  input: { id: string },
): Promise<EndedSecret> {
  requireManage(owner);
  return endSecretBeside(ctx, owner, input, ({ state }) => state === "waiting");
}
