import { type IncomingMessage, Server, type ServerResponse } from "node:http";

import { unroutableMethodHeader } from "./endpoint";

const routableMethods = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/**
 * Prepares every HTTP request of this process before the framework sees it (decision 009). Call it when a long-lived Node server starts.
 *
 * It wraps `emit` of Node's own `Server`, as tracing libraries do, since a framework that makes its server itself offers no earlier place.
 * It changes only what the framework cannot take. Below /api it also forbids caching where an answer does not speak of it.
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

/** @returns whether the request is answered already. */
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
 * Node keeps the first `Authorization` line and drops the others. Here different lines are joined with a comma, as fetch's Headers joins them.
 * So a reader of the header sees two credentials, and accepts neither.
 */
function restoreAuthorization(request: IncomingMessage): void {
  const lines = request.rawHeaders.filter(
    (_, at, all) => at % 2 === 1 && all[at - 1]?.toLowerCase() === "authorization",
  );
  if (new Set(lines).size > 1) request.headers.authorization = lines.join(", ");
}

/** Takes percent signs literally where one begins no character. The router would answer such an address with 500. */
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
 * fetch's Request refuses TRACE, and Next knows only seven methods. So the endpoint is asked for its OPTIONS instead. `completeAnswer` turns a
 * success into 405. Each endpoint, also a host's own route, so answers with its own `Allow`, and only the handler of OPTIONS runs.
 */
function askForOptions(request: IncomingMessage): void {
  request.headers[unroutableMethodHeader] = request.method;
  request.method = "OPTIONS";
}

/**
 * Forbids caching where the answer does not speak of it. Such answers come from the framework, for example its redirect of a slash at the
 * end. A success for a method that cannot be routed becomes 405.
 */
function completeAnswer(response: ServerResponse, isRoutable: boolean): void {
  const writeHead = response.writeHead.bind(response) as (status: number, ...rest: unknown[]) => ServerResponse;
  response.writeHead = (status: number, ...rest: unknown[]) => {
    if (!response.hasHeader("Cache-Control")) response.setHeader("Cache-Control", "no-store");
    return writeHead(isRoutable || status >= 300 ? status : 405, ...rest);
  };
}
