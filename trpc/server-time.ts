let latest: { serverMilliseconds: number; receivedAtMilliseconds: number } | undefined;

/** Takes the time at which the server made this page as its time, until an answer brings a newer one. Browser only. */
export function noteRenderTime(serverMilliseconds: number): void {
  latest ??= { serverMilliseconds, receivedAtMilliseconds: performance.now() };
}

/** A fetch that notes what time the server's answer says it is, from its HTTP `Date`. */
export async function fetchNotingServerTime(input: RequestInfo | URL, init?: object): Promise<Response> {
  const response = await fetch(input, init);
  const serverMilliseconds = Date.parse(response.headers.get("Date") ?? "");
  if (Number.isFinite(serverMilliseconds)) latest = { serverMilliseconds, receivedAtMilliseconds: performance.now() };
  return response;
}

/** A moment of this machine's clock as the server's, if neither was set in between; null before the first answer. */
export function toServerTime(milliseconds: number): Date | null {
  const now = serverNow();
  return now === null ? null : new Date(now - (Date.now() - milliseconds));
}

/**
 * The server's time in milliseconds, null before its first answer. Never ahead of the server: `Date` is cut to the second and was
 * written before the answer arrived, and what has passed since is measured by a clock that nobody sets. So a countdown to a
 * promised moment ends at that moment or up to about a second after it, however wrong this machine's own clock is.
 */
export function serverNow(): number | null {
  return latest ? latest.serverMilliseconds + (performance.now() - latest.receivedAtMilliseconds) : null;
}
