import { largestReport } from "../gateway/origin-headers";
import { countUses, type VerifyContext } from "../keys";
import { describeFault } from "../platform/logger";
import { answerIntrospection } from "./introspect";
import { readLimitedBody } from "./read-limited-body";
import { usesSchema } from "./schemas";
import { bearsSecret } from "./shared-secret";

/** An entry takes about 120 bytes. */
const maxBodyBytes = largestReport * 256;

/**
 * Takes in the uses that a verifier at the edge has counted.
 * @param secret INTROSPECTION_SECRET, which the caller has to send as its bearer.
 * @returns 204 once they are counted in this process, 400 for another body, 401 for a wrong secret, and 503 when nothing was counted.
 */
export async function takeUses(
  context: VerifyContext,
  secret: string | undefined,
  request: Request,
): Promise<Response> {
  if (!bearsSecret(request, secret)) return answerIntrospection("invalid_client");
  const body = await readLimitedBody(request, maxBodyBytes);
  const { data } = usesSchema.safeParse(parseJson(body));
  if (!data) return answerIntrospection("invalid_request");
  try {
    await countUses(context, data.uses);
    return new Response(null, { status: 204 });
  } catch (fault) {
    context.logger.warn({ fault: describeFault(fault) }, "uses not counted");
    return answerIntrospection("temporarily_unavailable");
  }
}

function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
