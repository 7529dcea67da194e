import { requireManage } from "./access";
import type { ServerContext } from "./context";
import { DomainError } from "../shared/errors";
import { type EndedSecret, type EndingCaller, endSecretBeside } from "./end-secret";
import { hasGraceEnded } from "./replace-secrets";

/**
 * Revokes the old secret of a rotation now, before its end.
 * @returns `effect`: of the old secret. Null: none was in its grace, and nothing was changed.
 * @throws DomainError ORG_PERMISSION_REQUIRED; API_KEY_NOT_FOUND for an unknown id and for another owner's; API_KEY_ROTATING while the new
 *   secret still waits, since the old one is then the only one in use.
 * @throws CommitOutcomeUnknownError when nobody knows whether it was revoked; what the database throws otherwise. Then it was not.
 * @example
 * const { effect } = await endGrace(ctx, caller, { id: key.id });
 */
export async function endGrace(ctx: ServerContext, owner: EndingCaller, input: { id: string }): Promise<EndedSecret> {
  requireManage(owner);
  return endSecretBeside(ctx, owner, input, (beside, now) => {
    if (beside.state === "waiting") throw new DomainError("API_KEY_ROTATING");
    return !hasGraceEnded(beside, now);
  });
}
