/** A method that an endpoint may have. HEAD is answered wherever GET is, and OPTIONS everywhere. */
type EndpointMethod = "DELETE" | "GET" | "PATCH" | "POST" | "PUT";
export type Endpoint = (request: Request) => Promise<Response>;
type Refusal = "not_found" | "method_not_allowed";

interface EndpointOptions {
  /** False while a setting is missing. The endpoint is not there then: every method is answered with 404. */
  isThere?: () => boolean;
  /** An error in the endpoint's own shape. Absent: `{ "error": "…" }`. */
  refuse?: (refusal: Refusal) => Response;
  /** Comes before the method. Its answer, if it has one, is the answer. */
  refuseFirst?: (request: Request) => Response | null;
}

/**
 * Says for one address which methods it has: the one place that decides on 405, `Allow`, OPTIONS, HEAD and `no-store`.
 * @param handlers what answers each method. They need not forbid caching themselves.
 * @returns a handler for every method. It knows fetch's Request and Response only.
 * @example const live = createEndpoint({ GET: () => Response.json({ status: "ok" }) });
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

/** Error answers without a body, for endpoints of machines that read the status alone. */
export const refuseWithStatus = (refusal: Refusal) => new Response(null, { status: statuses[refusal] });

/** Marks an OPTIONS request that came with a method which fetch's Request or Next do not know: see `prepareNodeRequests`. */
export const unroutableMethodHeader = "x-latchkey-unroutable-method";

/** A client that sends the mark itself only has its OPTIONS answered with 405. */
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
