/**
 * Sends one POST, once, with a bearer. Nothing of the answer is stored or comes from a store, and no redirect carries a secret elsewhere.
 * @param milliseconds the time for the whole answer, its body included.
 * @throws what fetch throws; a TimeoutError when the time is over.
 */
export async function send(
  url: string,
  request: { bearer: string; type: string; body: string; milliseconds: number },
): Promise<{ status: number; headers: Headers; text: string }> {
  const response = await fetch(url, {
    method: "POST",
    headers: { Authorization: `Bearer ${request.bearer}`, "Content-Type": request.type },
    body: request.body,
    redirect: "manual",
    signal: AbortSignal.timeout(request.milliseconds),
    ...withoutStore(),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/**
 * Next's fetch stores answers unless it is told not to. Workers store no answer to a POST, and before their compatibility date 2024-11-11 they
 * throw at the very option.
 */
function withoutStore(): RequestInit {
  if (canSay === undefined) canSay = trySaying();
  return canSay ? { cache: "no-store" } : {};
}

let canSay: boolean | undefined;

function trySaying(): boolean {
  try {
    return new Request("https://example.com", { cache: "no-store" }) instanceof Request;
  } catch {
    return false;
  }
}
