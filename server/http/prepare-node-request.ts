import { type IncomingMessage, Server, type ServerResponse } from "node:http";

import { unroutableMethodHeader } from "./endpoint";

const routableMethods = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/**
 * Prepares every HTTP request of this process before the framework sees it. For a start of a long-lived Node server.
 *
 * It wraps `emit` of Node's own `Server`, as tracing libraries do: a framework that makes its server itself offers no earlier place.
 * Below /api an answer's head is completed; everything else passes as it came.
 */
export function prepareNodeRequests(): void {
  const prototype = Server.prototype as { emit: (this: Server, event: string, ...values: unknown[]) => boolean };
  const { emit } = prototype;
  prototype.emit = function (event, ...values) {
    if (event === "request" && prepareNodeRequest(values[0] as IncomingMessage, values[1] as ServerResponse))
      return true;
    return emit.call(this, event, ...values);
  };
}

/** Changes what the framework cannot handle, and nothing else. @returns whether it has answered the request itself. */
function prepareNodeRequest(request: IncomingMessage, response: ServerResponse): boolean {
  restoreAuthorization(request);
  const isRoutable = routableMethods.includes(request.method ?? "");
  if (/^\/api(?=[/?]|$)/.test(request.url ?? "")) {
    request.url = withDecodablePath(request.url ?? "");
    if (!isRoutable) askForOptions(request);
    completeAnswer(response, isRoutable);
    return false;
  }
  if (!isRoutable) response.writeHead(405, { Allow: "GET, HEAD", "Cache-Control": "no-store" }).end();
  return !isRoutable;
}

/**
 * Node keeps the first `Authorization` line and drops the others. Different lines are joined here with a comma, as fetch's Headers joins
 * them, so that whoever reads the header sees two credentials, and accepts neither.
 */
function restoreAuthorization(request: IncomingMessage): void {
  const lines = request.rawHeaders.filter(
    (_, at, all) => at % 2 === 1 && all[at - 1]?.toLowerCase() === "authorization",
  );
  if (new Set(lines).size > 1) request.headers.authorization = lines.join(", ");
}

/** A percent sign that begins no character is taken literally. The router would answer such an address with 500. */
function withDecodablePath(url: string): string {
  const [path = "", ...query] = url.split("?");
  try {
    decodeURIComponent(path);
    return url;
  } catch {
    return [path.replaceAll("%", "%25"), ...query].join("?");
  }
}

/**
 * fetch's Request refuses TRACE, and Next knows seven methods only. The endpoint is asked for its OPTIONS instead, and its yes is turned
 * into the refusal that is due. So each endpoint answers with its own `Allow`, a host's own routes too, and no handler runs but OPTIONS.
 */
function askForOptions(request: IncomingMessage): void {
  request.headers[unroutableMethodHeader] = request.method;
  request.method = "OPTIONS";
}

/** Forbids caching where nobody has spoken of it: what the framework answers by itself, as its redirect of a slash at the end. */
function completeAnswer(response: ServerResponse, isRoutable: boolean): void {
  const writeHead = response.writeHead.bind(response) as (status: number, ...rest: unknown[]) => ServerResponse;
  response.writeHead = (status: number, ...rest: unknown[]) => {
    if (!response.hasHeader("Cache-Control")) response.setHeader("Cache-Control", "no-store");
    return writeHead(isRoutable || status >= 300 ? status : 405, ...rest);
  };
}
