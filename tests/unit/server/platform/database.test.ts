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

it("a transaction's first statement travels with its BEGIN up to one Sync, so the database skips it where it refuses the BEGIN", async () => {
  let sent: Uint8Array = Buffer.alloc(0);
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      socket.write(Buffer.concat([authenticationOk, readyForQuery]));
      socket.once("data", (data) => {
        sent = data;
        socket.end();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const db = createDatabase(`postgres://nobody@127.0.0.1:${(server.address() as AddressInfo).port}/none`);
  onTestFinished(async () => {
    await db.close();
    server.close();
  });
  await expect(db.commit((transaction) => transaction.execute("select 1"))).rejects.toThrow();
  const messages = messagesOf(Buffer.from(sent));
  const parsed = messages.filter(({ type }) => type === "P").map(({ body }) => body.toString().split("\0")[1]);
  expect([parsed[0], parsed.at(-1)]).toEqual(["BEGIN", "select 1"]);
  expect(messages.filter(({ type }) => type === "S" || type === "Q")).toHaveLength(1);
  expect(messages.at(-1)?.type).toBe("S");
});

function messagesOf(data: Buffer): { type: string; body: Buffer }[] {
  const messages: { type: string; body: Buffer }[] = [];
  for (let at = 0; at < data.length;) {
    const end = at + 1 + data.readInt32BE(at + 1);
    messages.push({ type: String.fromCharCode(data[at] ?? 0), body: data.subarray(at + 5, end) });
    at = end;
  }
  return messages;
}
