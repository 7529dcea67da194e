import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/**
 * Lets Node's own HTTP server serve a handler of fetch's Request and Response.
 * @example
 * createServer(toNodeListener((request) => latchkey.handler(request))).listen(8080);
 */
export function toNodeListener(handler: (request: Request) => Response | Promise<Response>): RequestListener {
  return (incoming, outgoing) => {
    answer(handler, incoming, outgoing).catch(() => {
      if (!outgoing.headersSent) outgoing.writeHead(500);
      outgoing.end();
    });
  };
}

async function answer(
  handler: (request: Request) => Response | Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const request = toRequest(incoming);
  if (!request) {
    outgoing.writeHead(400).end();
    return;
  }
  const response = await handler(request);
  outgoing.writeHead(response.status, [...response.headers].flat());
  if (response.body)
    await pipeline(Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]), outgoing);
  else outgoing.end();
}

/** Null for what fetch's Request does not take: the method TRACE, an address that is no path. */
function toRequest(incoming: IncomingMessage): Request | null {
  const { method = "GET", url = "/", rawHeaders } = incoming;
  const headers = new Headers();
  // Every line, since Node's own `headers` keeps only the first Authorization of several.
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
  const hasBody = method !== "GET" && method !== "HEAD";
  const body = hasBody ? { body: Readable.toWeb(incoming) as BodyInit, duplex: "half" } : {};
  try {
    return new Request(new URL(`http://localhost${url}`), { method, headers, ...body });
  } catch {
    return null;
  }
}
