/** After the first, the second and the third attempt. */
const firstPauses = [2, 10, 60];
const longestPauseSeconds = 6 * 3_600;
/** Who asks for a longer pause than this gets this one. */
const mostAskedSeconds = 3_600;

/**
 * How long to wait after an attempt that failed. From the fourth on it is three times as long each time, up to 6 h, and up to a fifth longer by
 * chance: so what has failed at the same moment does not come back at the same moment for ever.
 * @param attempts how many there were, this one too.
 */
export function pauseSecondsAfter(attempts: number, random = Math.random): number {
  const first = firstPauses[attempts - 1];
  if (first !== undefined) return first;
  return Math.min(60 * 3 ** (attempts - firstPauses.length), longestPauseSeconds) * (1 + random() / 5);
}

/** `Retry-After`, which has seconds or a date (RFC 9110). @returns at most an hour, in seconds; 0 for none, and for what is no such header. */
export function readRetryAfter(header: string | null, now = Date.now()): number {
  if (header === null) return 0;
  const seconds = /^\s*\d+\s*$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1_000;
  return Number.isNaN(seconds) ? 0 : Math.min(Math.max(seconds, 0), mostAskedSeconds);
}
