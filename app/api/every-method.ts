import type { Endpoint } from "@/server/http/endpoint";

/** Makes a route's exports. Next itself would answer a method that is not exported, without `Allow` and without `no-store`. */
export function everyMethod(endpoint: Endpoint) {
  const handle = (request: Request) => endpoint(request);
  return { DELETE: handle, GET: handle, HEAD: handle, OPTIONS: handle, PATCH: handle, POST: handle, PUT: handle };
}
