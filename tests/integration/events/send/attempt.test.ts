import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";

import { afterEach, describe, expect, it } from "vitest";

import { attemptToSend } from "@/server/events/attempt";

describe("an attempt", () => {
  let server: Server;
  const never = new AbortController().signal;
  const message = { headers: {}, body: "{}" };
  const listen = async (write: (socket: Socket) => void) => {
    server = createServer();
    server.on("connection", (socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => write(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  };
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it("ends in time, however slowly the receiver drips", async () => {
    const url = await listen((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      const drip = setInterval(() => socket.write("x-drip: 1\r\n"), 5);
      socket.on("close", () => clearInterval(drip));
    });
    const outcome = await attemptToSend(url, message, never, 200);
    expect(outcome).toEqual({ result: "failed", reason: "no answer in time", retryAfterSeconds: 0 });
  });

  it("does not wait for the rest of an answer", async () => {
    const url = await listen((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
      const drip = setInterval(() => socket.write("1\r\nx\r\n"), 5);
      socket.on("close", () => clearInterval(drip));
    });
    expect(await attemptToSend(url, message, never)).toEqual({ result: "delivered" });
  });
});
