import { once } from "node:events";
import { createServer } from "node:net";

/** A loopback port that nothing listens on at this moment. Another process may still take it first. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");
  return address.port;
}

/** Whether a server could listen on that port of `localhost`, by either of the addresses that browsers try. */
export async function isPortFree(port: number): Promise<boolean> {
  for (const host of ["127.0.0.1", "::1"]) {
    const server = createServer().listen(port, host);
    try {
      await once(server, "listening");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return false;
      // No IPv6 here, for example; and a port below 1024 is for the server itself to complain about.
      continue;
    }
    server.close();
    await once(server, "close");
  }
  return true;
}
