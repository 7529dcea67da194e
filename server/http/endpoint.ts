/** A method that an endpoint may have. HEAD is answered wherever GET is, and OPTIONS everywhere. */
type EndpointMethod = "DELETE" | "GET" | "PATCH" | "POST" | "PUT";
export type Endpoint = (request: Request) => Promise<Response>;
type Refusal = "not_found" | "method_not_allowed";

interface EndpointOptions {
  /** Whether the endpoint exists. False while its setting is missing; then every method is answered with 404. */
  isThere?: () => boolean;
  /** An error in the endpoint's own shape. Absent: `{ "error": "…" }`. */
  refuse?: (refusal: Refusal) => Response;
  /** Runs before the method is looked at. A response from it is the answer; null lets the request go on. */
  refuseFirst?: (request: Request) => Response | null;
}

/**
 * Makes the handler of one address. It alone decides on 405, `Allow`, OPTIONS, HEAD and `no-store`.
 * @param handlers what answers each method. They need not forbid caching themselves.
 * @returns a handler for every method, from fetch's Request to its Response. It throws what the method's handler throws.
 * @example
 * const live = createEndpoint({ GET: () => Response.json({ status: "ok" }) });
 * const response = await live(new Request("http://localhost/live"));
 */
export function createEndpoint(
  handlers: Partial<Record<EndpointMethod, (request: Request) => Response | Promise<Response>>>,
  { isThere = () => true, refuse = refuseInJson, refuseFirst = () => null }: EndpointOptions = {},
): Endpoint {
  const allow = allowHeader(Object.keys(handlers));
  return async (request) => {
    if (!isThere()) return forbidCaching(refuse("not_found"));
    const refused = refuseFirst(request);
    if (refused) return forbidCaching(refused);
    const method = methodOf(request);
    if (method === "OPTIONS") return forbidCaching(new Response(null, { status: 204 }), allow);
    const handler = new Map(Object.entries(handlers)).get(method === "HEAD" ? "GET" : method);
    if (!handler) return forbidCaching(refuse("method_not_allowed"), allow);
    if (method !== "HEAD") return forbidCaching(await handler(request));
    const { status, headers, body } = await handler(new Request(request, { method: "GET" }));
    await body?.cancel();
    return forbidCaching(new Response(null, { status, headers }));
  };
}

/** Makes a route's exports for Next. It would itself answer a method that is not exported, without `Allow` and without `no-store`. */
export function everyMethod(endpoint: Endpoint) {
  const handle = (request: Request) => endpoint(request);
  return { DELETE: handle, GET: handle, HEAD: handle, OPTIONS: handle, PATCH: handle, POST: handle, PUT: handle };
}

/** Errors without a body, for endpoints whose callers read only the status. */
export const refuseWithStatus = (refusal: Refusal) => new Response(null, { status: statuses[refusal] });

/** Marks an OPTIONS request that came with a method which fetch's Request or Next does not know. See `prepareNodeRequests`. */
export const unroutableMethodHeader = "x-latchkey-unroutable-method";

/** The method, or "unroutable" for a marked request. A client that sends the mark itself only gets 405 for its own OPTIONS. */
function methodOf(request: Request): string {
  const isMarked = request.method === "OPTIONS" && request.headers.has(unroutableMethodHeader);
  return isMarked ? "unroutable" : request.method;
}

const statuses: Record<Refusal, number> = { not_found: 404, method_not_allowed: 405 };
const words: Record<Refusal, string> = { not_found: "Not found", method_not_allowed: "Method not allowed" };

const refuseInJson = (refusal: Refusal) => Response.json({ error: words[refusal] }, { status: statuses[refusal] });

function allowHeader(methods: string[]): string {
  return [...methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])), "OPTIONS"].join(", ");
}

function forbidCaching(response: Response, allow?: string): Response {
  const headers = new Headers(response.headers);
  headers.set("Cache-Control", "no-store");
  if (allow !== undefined) headers.set("Allow", allow);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
