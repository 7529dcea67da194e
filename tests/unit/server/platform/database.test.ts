import { type AddressInfo, createServer } from "node:net";

import { expect, it, onTestFinished, vi } from "vitest";

import { createDatabase } from "@/server/platform/database";

/** Messages of the frontend/backend protocol, version 3. */
const message = (type: string, body: Buffer) => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + body.length);
  return Buffer.concat([Buffer.from(type), length, body]);
};
const authenticationOk = message("R", Buffer.alloc(4));
const readyForQuery = message("Z", Buffer.from("I"));
const adminShutdown = message("E", Buffer.from("SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0"));

it("a database that ends a connection in the moment it is made fails the transaction, not the process", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    // In one segment, as when this process was too busy to read the first before the last.
    socket.once("data", () => socket.end(Buffer.concat([authenticationOk, readyForQuery, adminShutdown])));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const db = createDatabase(`postgres://nobody@127.0.0.1:${(server.address() as AddressInfo).port}/none`);
  const uncaught = vi.fn();
  process.on("uncaughtException", uncaught);
  onTestFinished(async () => {
    process.off("uncaughtException", uncaught);
    await db.close();
    server.close();
  });
  await expect(db.commit(() => Promise.resolve())).rejects.toThrow();
  await expect(db.execute("select 1")).rejects.toThrow();
  expect(uncaught).not.toHaveBeenCalled();
});
