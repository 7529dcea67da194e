let latest: { serverMilliseconds: number; receivedAtMilliseconds: number } | undefined;

/** Notes when the server made this page, for the time before the first answer. In the browser only. */
export function noteRenderTime(serverMilliseconds: number): void {
  latest ??= { serverMilliseconds, receivedAtMilliseconds: performance.now() };
}

/** Fetches, and notes the server's time from the `Date` header of the answer. */
export async function fetchNotingServerTime(input: RequestInfo | URL, init?: object): Promise<Response> {
  const response = await fetch(input, init);
  const serverMilliseconds = Date.parse(response.headers.get("Date") ?? "");
  if (Number.isFinite(serverMilliseconds)) latest = { serverMilliseconds, receivedAtMilliseconds: performance.now() };
  return response;
}

/** Translates a moment of this machine's clock to the server's. Right if neither clock was set since. Null while no server time is known. */
export function toServerTime(milliseconds: number): Date | null {
  const now = serverNow();
  return now === null ? null : new Date(now - (Date.now() - milliseconds));
}

/**
 * The server's time in milliseconds since 1970. Null while none is known. It is never ahead of the server's clock: `Date` is cut to the second
 * and was written before the answer arrived. A clock that nobody sets measures what has passed since. So a countdown to a promised moment ends
 * at that moment, or about a second after it, even when this machine's own clock is wrong.
 */
export function serverNow(): number | null {
  return latest ? latest.serverMilliseconds + (performance.now() - latest.receivedAtMilliseconds) : null;
}
