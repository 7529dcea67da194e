/** Reads the request's body as text. Null as soon as it is longer than `maxBytes`, so a huge body is never held in memory. */
export async function readLimitedBody(request: Request, maxBytes: number): Promise<string | null> {
  const bytes = await readLimitedBytes(request, { maxBytes });
  return bytes === "too large" || bytes === "too slow" ? null : bytes.toString("utf8");
}

/**
 * Reads the request's body as it came. It stops as soon as the body is longer than `maxBytes`.
 * @param limits.patienceMilliseconds how long it waits for the end of the body; absent: as long as the server does.
 * @throws what the request's body throws, such as when the sender is gone.
 */
export async function readLimitedBytes(
  request: Request,
  { maxBytes, patienceMilliseconds }: { maxBytes: number; patienceMilliseconds?: number },
): Promise<Buffer | "too large" | "too slow"> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) return "too large";
  const reader = request.body?.getReader();
  if (!reader) return Buffer.alloc(0);
  const patience = new AbortController();
  // A sender may let one byte follow another, each in time. The whole body has one time limit.
  const timer = setTimeout(() => {
    patience.abort();
    reader.cancel().catch(() => undefined);
  }, patienceMilliseconds ?? longestTimeout);
  timer.unref();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { value } = await reader.read();
      if (!value) break;
      size += value.byteLength;
      if (size > maxBytes) {
        await reader.cancel();
        return "too large";
      }
      chunks.push(value);
    }
  } finally {
    clearTimeout(timer);
  }
  return patience.signal.aborted ? "too slow" : Buffer.concat(chunks);
}

/** Timers take no longer one. */
const longestTimeout = 2 ** 31 - 1;
