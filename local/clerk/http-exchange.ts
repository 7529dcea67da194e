import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

export type Exchange = {
  request: IncomingMessage;
  response: ServerResponse;
  method: string;
  url: URL;
};

const bodyLimitBytes = 64 * 1024;

export const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
};

export function cookieValue(request: IncomingMessage, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? "").split(";")) {
    const [key, ...value] = pair.trim().split("=");
    if (key === name) return value.join("=");
  }
  return undefined;
}

export function secretsMatch(given: string | undefined, expected: string): boolean {
  const [a, b] = [Buffer.from(given ?? ""), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimitBytes) throw new ClerkApiError(413, "request_body_too_large", "The request body is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** An error as Clerk's APIs answer it; the codes are Clerk's own, its packages act on them. */
export class ClerkApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly parameter?: string,
  ) {
    super(message);
  }
}

export function replyJson(exchange: Exchange, status: number, body: unknown): void {
  const { response } = exchange;
  response.statusCode = status;
  // Exactly so: with a charset behind it @clerk/backend takes the answer for text.
  response.setHeader("content-type", "application/json");
  if (!response.hasHeader("cache-control")) response.setHeader("cache-control", "no-store");
  response.end(JSON.stringify(body));
}

export function replyError(exchange: Exchange, error: ClerkApiError): void {
  const meta = error.parameter === undefined ? {} : { param_name: error.parameter };
  replyJson(exchange, error.status, {
    errors: [{ code: error.code, message: error.message, long_message: error.message, meta }],
    clerk_trace_id: "local",
  });
}
