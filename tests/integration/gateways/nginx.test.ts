import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { findFreePort } from "@/local/free-port";
import { findNginx } from "@/local/nginx";
import { revokeApiKey } from "@/server/keys";
import { owners } from "@/server/platform/schema";
import { createWithApiKey } from "@/server/http/with-api-key";
import { createKeyOf, newCaller, useTestServer } from "@/tests/support/domain";
import { youngMinute } from "@/tests/support/young-minute";

/** Serves a fetch handler by node:http, on a free port. */
async function serve(handler: (request: Request) => Promise<Response>): Promise<{ server: Server; port: number }> {
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as [string, string]);
    const { method = "GET" } = incoming;
    const response = await handler(new Request(`http://localhost${incoming.url ?? "/"}`, { method, headers }));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text());
  };
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

describe("nginx in front of an upstream, with the configuration in docs/", () => {
  const server = useTestServer("embedded");
  let address = "";
  const upstreamSaw: string[] = [];
  const preflightsSeen: [method: string, headers: Record<string, string>][] = [];
  const stops: (() => Promise<void> | void)[] = [];

  beforeAll(async () => {
    const whoami = createWithApiKey(() => server())(() => Response.json({}));
    const latchkey = await serve((request) => whoami(request, {}));
    const upstream = await serve((request) => {
      upstreamSaw.push(request.headers.get("x-user-id") ?? "none");
      preflightsSeen.push([request.method, Object.fromEntries(request.headers)]);
      if (request.method === "OPTIONS") {
        const allow = { "access-control-allow-origin": request.headers.get("origin") ?? "none" };
        return Promise.resolve(new Response("allowed", { headers: allow }));
      }
      return Promise.resolve(new Response("from the upstream"));
    });
    const port = await findFreePort();
    const directory = await mkdtemp(join(tmpdir(), "latchkey-nginx-"));
    const documented = await readFile("docs/gateways/nginx.conf", "utf8");
    const site = documented
      .replace("127.0.0.1:3000", `127.0.0.1:${latchkey.port}`)
      .replace("127.0.0.1:4000", `127.0.0.1:${upstream.port}`)
      .replace("listen 8080", `listen 127.0.0.1:${port}`);
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (name) => `${name}_temp_path ${directory}/${name};`,
    );
    const user = process.getuid?.() === 0 ? "user root;" : "";
    await writeFile(
      join(directory, "nginx.conf"),
      `daemon off; ${user} worker_processes 1; pid ${directory}/pid; error_log stderr crit; events {}
       http { access_log off; ${paths.join(" ")} ${site} }`,
    );
    const nginx = spawn(findNginx() ?? "nginx", ["-c", join(directory, "nginx.conf"), "-p", directory], {
      stdio: "inherit",
    });
    const exited = once(nginx, "exit");
    stops.push(async () => {
      nginx.kill("SIGTERM");
      await exited;
      latchkey.server.close();
      upstream.server.close();
      latchkey.server.closeAllConnections();
      upstream.server.closeAllConnections();
      await rm(directory, { recursive: true, force: true });
    });
    address = `http://127.0.0.1:${port}/anything`;
    while (nginx.exitCode === null && !(await fetch(address).catch(() => null)));
  });
  afterAll(async () => {
    for (const stop of stops) await stop();
  });

  const call = (headers: Record<string, string>, method = "GET") =>
    fetch(address, { method, headers, redirect: "manual" });

  it("passes a valid key on, without any identity header that the client made up", async () => {
    const { secret } = await createKeyOf(server(), newCaller());
    for (const headers of [{ "x-api-key": secret }, { authorization: `Bearer ${secret}` }]) {
      const answer = await call({ ...headers, "x-user-id": "user_victim" });
      expect([answer.status, await answer.text()]).toEqual([200, "from the upstream"]);
    }
    expect(upstreamSaw).not.toContain("user_victim");
    expect((await call({ "x-api-key": secret }, "POST")).status).toBe(200);
  });

  it("stops a revoked key, a missing one and a lapsed one with Latchkey's status", async () => {
    const caller = newCaller();
    const { key, secret } = await createKeyOf(server(), caller);
    expect((await call({ "x-api-key": secret })).status).toBe(200);
    await revokeApiKey(server(), caller, key);
    expect((await call({ "x-api-key": secret })).status).toBe(401);
    const missing = await call({});
    expect(missing.status).toBe(401);
    expect(missing.headers.get("www-authenticate")).toContain("Bearer");
  });

  describe("a preflight of a browser", () => {
    const preflight = { origin: "https://app.example", "access-control-request-method": "POST" };

    it("reaches the upstream without a key, and its answer the browser", async () => {
      const answer = await call({ ...preflight, "access-control-request-headers": "authorization" }, "OPTIONS");
      expect([answer.status, await answer.text()]).toEqual([200, "allowed"]);
      expect(answer.headers.get("access-control-allow-origin")).toBe("https://app.example");
      expect(preflightsSeen.at(-1)?.[1]).toMatchObject({
        ...preflight,
        "access-control-request-headers": "authorization",
      });
    });

    it("brings nothing else with it that could make the upstream do more", async () => {
      const more = {
        "x-http-method-override": "DELETE",
        "x-method-override": "DELETE",
        "x-user-id": "user_victim",
        authorization: "Bearer x",
        cookie: "session=x",
        "content-type": "application/json",
      };
      const answer = await fetch(address, {
        method: "OPTIONS",
        headers: { ...preflight, ...more },
        body: '{"delete":1}',
      });
      expect(answer.status).toBe(200);
      const [method, headers] = preflightsSeen.at(-1) ?? [];
      expect(method).toBe("OPTIONS");
      expect(Object.keys(headers ?? {}).sort()).toEqual(["access-control-request-method", "host", "origin"]);
    });

    it("opens nothing for other requests, whatever they say of themselves", async () => {
      const seen = preflightsSeen.length;
      for (const method of ["GET", "POST", "DELETE"]) expect((await call(preflight, method)).status).toBe(401);
      for (const headers of [
        {},
        { origin: "https://app.example" },
        { ...preflight, "access-control-request-method": "" },
      ])
        expect((await call(headers, "OPTIONS")).status).toBe(401);
      expect(preflightsSeen).toHaveLength(seen);
      const { secret } = await createKeyOf(server(), newCaller());
      expect((await call({ "x-api-key": secret }, "OPTIONS")).status).toBe(200);
    });
  });

  it("keeps 400, 429 and 503 what they are, with Retry-After, instead of 500", async () => {
    const [a, b] = [await createKeyOf(server(), newCaller()), await createKeyOf(server(), newCaller())];
    expect((await call({ "x-api-key": a.secret, authorization: `Bearer ${b.secret}` })).status).toBe(400);

    const limited = newCaller();
    await server().db.insert(owners).values({ id: limited.ownerId, requestsPerMinute: 1 });
    const { secret } = await createKeyOf(server(), limited);
    await youngMinute();
    expect((await call({ "x-api-key": secret })).status).toBe(200);
    const over = await call({ "x-api-key": secret });
    expect(over.status).toBe(429);
    expect(over.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);

    server().redisProxy.decide = () => "refuse";
    server().postgresProxy.sever();
    const unknown = await call({ "x-api-key": a.secret });
    server().postgresProxy.heal();
    server().redisProxy.decide = () => "pass";
    expect(unknown.status).toBe(503);
    expect(unknown.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
  });
});
