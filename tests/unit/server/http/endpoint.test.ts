import { describe, expect, it } from "vitest";

import { createEndpoint, refuseWithStatus, unroutableMethodHeader } from "@/server/http/endpoint";
import { problemResponse } from "@/server/gateway/problem";

const ask = (method: string, headers: Record<string, string> = {}) =>
  new Request("http://localhost/api/things", { method, headers });

describe("an endpoint", () => {
  const seen: string[] = [];
  const things = createEndpoint({
    GET: (request) => {
      seen.push(request.method);
      return Response.json({ things: [] }, { headers: { "X-Count": "0" } });
    },
    DELETE: () => new Response(null, { status: 202, headers: { "Cache-Control": "public, max-age=60" } }),
  });

  it("answers the methods that it has, and forbids caching whatever a handler says", async () => {
    const got = await things(ask("GET"));
    expect([got.status, await got.json()]).toEqual([200, { things: [] }]);
    const deleted = await things(ask("DELETE"));
    expect(deleted.status).toBe(202);
    for (const answer of [got, deleted]) expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  it("answers HEAD as it does GET, without the body", async () => {
    seen.length = 0;
    const answer = await things(ask("HEAD"));
    expect([answer.status, answer.body, answer.headers.get("x-count")]).toEqual([200, null, "0"]);
    expect(seen).toEqual(["GET"]);
    const noGet = await createEndpoint({ POST: () => new Response() })(ask("HEAD"));
    expect([noGet.status, noGet.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
  });

  it("tells what it has to OPTIONS, and in Allow to a method that it lacks", async () => {
    const options = await things(ask("OPTIONS"));
    expect([options.status, options.headers.get("allow"), options.body]).toEqual([
      204,
      "GET, HEAD, DELETE, OPTIONS",
      null,
    ]);
    for (const method of ["POST", "PUT", "PATCH", "PROPFIND"]) {
      const refused = await things(ask(method));
      expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD, DELETE, OPTIONS"]);
      expect(await refused.json()).toEqual({ error: "Method not allowed" });
      expect(refused.headers.get("cache-control")).toBe("no-store");
    }
  });

  it("takes an inherited property for no method", async () => {
    for (const method of ["constructor", "toString", "__proto__"]) expect((await things(ask(method))).status).toBe(405);
  });

  it("refuses in its own shape", async () => {
    const problem = await createEndpoint({}, { refuse: problemResponse })(ask("GET"));
    expect(problem.headers.get("content-type")).toBe("application/problem+json");
    expect([problem.status, problem.headers.get("allow")]).toEqual([405, "OPTIONS"]);
    const bare = await createEndpoint({}, { refuse: refuseWithStatus })(ask("GET"));
    expect([bare.status, await bare.text()]).toEqual([405, ""]);
  });

  it("is not there for any method while its setting is missing", async () => {
    const absent = createEndpoint({ GET: () => new Response() }, { isThere: () => false });
    for (const method of ["GET", "HEAD", "OPTIONS", "POST"]) {
      const answer = await absent(ask(method));
      expect([answer.status, answer.headers.get("allow")]).toEqual([404, null]);
      expect(answer.headers.get("cache-control")).toBe("no-store");
    }
  });

  it("lets what comes before the method answer first", async () => {
    const guarded = createEndpoint(
      { GET: () => new Response() },
      { refuseFirst: ({ headers }) => (headers.has("origin") ? new Response(null, { status: 403 }) : null) },
    );
    for (const method of ["GET", "OPTIONS", "POST"]) {
      const refused = await guarded(ask(method, { origin: "https://evil.example" }));
      expect([refused.status, refused.headers.get("cache-control")]).toEqual([403, "no-store"]);
    }
    expect((await guarded(ask("OPTIONS"))).status).toBe(204);
  });

  it("runs no handler for a method that came in an OPTIONS request, whatever it is said to be", async () => {
    seen.length = 0;
    for (const method of ["TRACE", "GET", "DELETE"]) {
      const answer = await things(ask("OPTIONS", { [unroutableMethodHeader]: method }));
      expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD, DELETE, OPTIONS"]);
    }
    expect(seen).toEqual([]);
    expect((await things(ask("GET", { [unroutableMethodHeader]: "DELETE" }))).status).toBe(200);
  });
});
