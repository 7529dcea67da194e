import {
  checkGithubSignature,
  endExposedKeys,
  type LeakContext,
  mostCredentials,
  parseForm,
  parseGithubReport,
  parseReport,
  secondsUntilReport,
} from "../leaks";
import { describeFault } from "../platform/logger";
import { clientAddress } from "./client-address";
import { createEndpoint, type Endpoint } from "./endpoint";
import { problemResponse } from "../gateway/problem";
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

/**
 * `POST /v1/leaks`: ends the keys that somebody has found. The answer is the same whatever they were. A form of the page `/leaked` is sent back
 * there, with the outcome, so that the page works without JavaScript.
 */
export function createLeakEndpoint(ctx: LeakContext): Endpoint {
  const receive = async (request: Request) => {
    const isForm = /^application\/x-www-form-urlencoded\b/i.test(request.headers.get("content-type") ?? "");
    const ended = await receiveReport(ctx, request, isForm);
    return isForm ? backToPage(ended.outcome) : inJson(ended);
  };
  return createEndpoint({ POST: receive }, { refuse: problemResponse });
}

/** `partly`: the text holds more keys than one report may have. */
type Outcome = "received" | "partly" | "no_key" | "invalid" | "too_large" | "limited" | "unavailable";
interface Ended {
  outcome: Outcome;
  retryAfterSeconds?: number;
}

async function receiveReport(ctx: LeakContext, request: Request, isForm: boolean): Promise<Ended> {
  const retryAfterSeconds = secondsUntilReport(ctx, clientAddress(request.headers, ctx.settings.trustedProxyHops));
  if (retryAfterSeconds > 0) return { outcome: "limited", retryAfterSeconds };
  const body = await readLimitedBytes(request, reportBody);
  if (body === "too large") return { outcome: "too_large" };
  if (body === "too slow") return { outcome: "invalid" };
  const findings = isForm ? parseForm(body, ctx.settings.secretFormat) : parseReport(body);
  if (!findings) return { outcome: "invalid" };
  // Only the shape says this, so it tells nothing of a key.
  if (findings.length === 0) return { outcome: "no_key" };
  try {
    await endExposedKeys(ctx, findings.slice(0, mostCredentials), { source: isForm ? "web" : "report" });
    return { outcome: findings.length > mostCredentials ? "partly" : "received" };
  } catch (fault) {
    ctx.logger.error({ fault: describeFault(fault) }, "report of found keys not carried out");
    return { outcome: "unavailable" };
  }
}

/** The page's script reads the query, and a browser without JavaScript shows what the fragment names. */
const backToPage = (outcome: Outcome) =>
  new Response(null, { status: 303, headers: { Location: `/leaked?report=${outcome}#report-${outcome}` } });

function inJson({ outcome, retryAfterSeconds }: Ended): Response {
  switch (outcome) {
    case "received":
    case "partly":
      return Response.json({}, { status: 202 });
    case "limited":
      return problemResponse("rate_limited", {
        ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
        detail: "Too many reports came within a minute.",
      });
    case "too_large":
      return problemResponse("body_too_large");
    case "unavailable":
      return problemResponse("verification_unavailable", notCommitted);
    case "no_key":
    case "invalid":
      return problemResponse("invalid_body");
  }
}
