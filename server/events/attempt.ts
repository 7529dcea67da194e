import { describeFault } from "../platform/logger";
import { readRetryAfter } from "./pauses";

/**
 * `refused`: the receiver wants no more events, ever (410). `interrupted`: this process ends; nobody knows whether the message arrived.
 */
export type Outcome =
  { result: "delivered" | "refused" | "interrupted" } | { result: "failed"; reason: string; retryAfterSeconds: number };

const timeLimitMilliseconds = 15_000;

/**
 * Sends a message once. It never throws. The status decides as soon as it is there: no byte of the answer's body is waited for, and no redirect
 * is followed. After 15 s without a status the attempt has failed, however slowly the receiver goes on.
 * @param ending aborts the attempt.
 * @param limitMilliseconds instead of these 15 s.
 */
export async function attemptToSend(
  url: string,
  message: { headers: Record<string, string>; body: string },
  ending: AbortSignal,
  limitMilliseconds = timeLimitMilliseconds,
): Promise<Outcome> {
  const limit = new AbortController();
  const abort = () => limit.abort();
  const timer = setTimeout(abort, limitMilliseconds);
  ending.addEventListener("abort", abort);
  try {
    const { status, headers, body } = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "latchkey", ...message.headers },
      body: message.body,
      redirect: "manual",
      // Next's own fetch would perhaps keep the answer.
      cache: "no-store",
      signal: limit.signal,
    });
    body?.cancel().catch(() => undefined);
    if (status >= 200 && status < 300) return { result: "delivered" };
    if (status === 410) return { result: "refused" };
    return {
      result: "failed",
      reason: `status ${status}`,
      retryAfterSeconds: readRetryAfter(headers.get("retry-after")),
    };
  } catch (fault) {
    if (ending.aborted) return { result: "interrupted" };
    const { name, cause } = describeFault(fault);
    return {
      result: "failed",
      reason: limit.signal.aborted ? "no answer in time" : (cause ?? name),
      retryAfterSeconds: 0,
    };
  } finally {
    clearTimeout(timer);
    ending.removeEventListener("abort", abort);
  }
}
