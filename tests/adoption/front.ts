import { once } from "node:events";
import { createServer, request as sendRequest } from "node:http";

import { closeServer } from "./registry";

interface FrontOptions {
  /** Where browsers find the host's app. */
  port: number;
  /** Where Next listens. */
  appPort: number;
  /** Where the local sign-in listens. */
  clerkUrl: string;
  clerkSecretKey: string;
}

/**
 * Stands before a host's app, as a team's own proxy does. What Clerk's packages send to `/__clerk` goes to the local sign-in, everything
 * else to the app. So the host's middleware stays exactly as Clerk's documentation writes it.
 */
export async function startFront({ port, appPort, clerkUrl, clerkSecretKey }: FrontOptions) {
  const origin = `http://localhost:${port}`;
  const clerk = new URL(clerkUrl);
  const clerkHeaders = { "clerk-proxy-url": `${origin}/__clerk`, "clerk-secret-key": clerkSecretKey };
  const server = createServer((incoming, response) => {
    const { method, headers, url = "/" } = incoming;
    const isClerk = url.startsWith("/__clerk/");
    const target = isClerk
      ? {
          host: clerk.hostname,
          port: clerk.port,
          path: url.slice("/__clerk".length),
          headers: { ...headers, ...clerkHeaders },
        }
      : { host: "localhost", port: appPort, path: url, headers };
    const outgoing = sendRequest({ ...target, method }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on("error", () => response.destroy());
    response.on("close", () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(port, "localhost");
  await once(server, "listening");
  return { origin, stop: () => closeServer(server) };
}
