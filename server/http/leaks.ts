import {
  checkGithubSignature,
  endExposedKeys,
  type LeakContext,
  parseGithubReport,
  parseReport,
  secondsUntilReport,
} from "../leaks";
import { describeFault } from "../platform/logger";
import { clientAddress } from "./client-address";
import { createEndpoint, type Endpoint } from "./endpoint";
import { problemResponse } from "./problem";
import { readLimitedBytes } from "./read-limited-body";

/** GitHub waits 30 s for the answer to its report. */
const bodyMilliseconds = 10_000;
const githubBody = { maxBytes: 1024 * 1024, patienceMilliseconds: bodyMilliseconds };
const reportBody = { maxBytes: 256 * 1024, patienceMilliseconds: bodyMilliseconds };
const keysRetrySeconds = 10;

const notCommitted = {
  detail: "It is not known whether all of the keys have ended. Send the report again: nothing happens twice.",
};

/**
 * `POST /v1/leaks/github`: GitHub's secret scanning partner protocol. It is not there unless the setting is on. The order of its checks is part
 * of the contract: size, signature, shape.
 */
export function createGithubLeakEndpoint(ctx: LeakContext): Endpoint {
  return createEndpoint(
    { POST: (request) => receiveGithubReport(ctx, request) },
    {
      isThere: () => ctx.leaks.settings.githubSecretScanning,
      refuse: (refusal) => problemResponse(refusal === "not_found" ? "leaks_off" : refusal),
    },
  );
}

async function receiveGithubReport(ctx: LeakContext, request: Request): Promise<Response> {
  const body = await readLimitedBytes(request, githubBody);
  if (body === "too large") return problemResponse("body_too_large");
  if (body === "too slow") return problemResponse("invalid_body");
  const signature = await checkGithubSignature(ctx.leaks.githubKeys, request.headers, body);
  if (signature === "unavailable") return problemResponse("keys_unavailable", { retryAfterSeconds: keysRetrySeconds });
  if (signature === "invalid") return problemResponse("invalid_signature");
  const matches = parseGithubReport(body);
  if (!matches) return problemResponse("invalid_body");
  try {
    const areOurs = await endExposedKeys(ctx, matches, { source: "github" });
    ctx.logger.info({ matches: matches.length, ours: areOurs.filter(Boolean).length }, "report of GitHub carried out");
    const answers = matches.map(({ token, type }, at) => ({
      token_raw: token,
      token_type: type,
      label: areOurs[at] ? "true_positive" : "false_positive",
    }));
    return Response.json(answers);
  } catch (fault) {
    ctx.logger.error({ fault: describeFault(fault) }, "GitHub's report not carried out");
    return problemResponse("verification_unavailable", notCommitted);
  }
}

/** `POST /v1/leaks`: ends the keys that somebody has found. The answer is the same whatever they were. */
export function createLeakEndpoint(ctx: LeakContext): Endpoint {
  return createEndpoint({ POST: (request) => receiveReport(ctx, request) }, { refuse: problemResponse });
}

async function receiveReport(ctx: LeakContext, request: Request): Promise<Response> {
  const retryAfterSeconds = secondsUntilReport(ctx, clientAddress(request.headers, ctx.settings.trustedProxyHops));
  if (retryAfterSeconds > 0)
    return problemResponse("rate_limited", { retryAfterSeconds, detail: "Too many reports came within a minute." });
  const body = await readLimitedBytes(request, reportBody);
  if (body === "too large") return problemResponse("body_too_large");
  const findings = body === "too slow" ? null : parseReport(body);
  if (!findings) return problemResponse("invalid_body");
  try {
    await endExposedKeys(ctx, findings, { source: "report" });
    return Response.json({}, { status: 202 });
  } catch (fault) {
    ctx.logger.error({ fault: describeFault(fault) }, "report of found keys not carried out");
    return problemResponse("verification_unavailable", notCommitted);
  }
}
