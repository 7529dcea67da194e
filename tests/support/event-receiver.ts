import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { Webhook } from "standardwebhooks";

/** What the receiver was sent, whether or not it has accepted it. */
interface Received {
  id: string;
  type: string;
  /** Of the key, or of the owner. */
  data: { action: string; ownerId: string; keyId: string | null; [field: string]: unknown };
  body: string;
  headers: IncomingHttpHeaders;
  path: string;
}

type Answer = number | { status: number; headers?: Record<string, string> } | ((response: ServerResponse) => void);

export interface EventReceiver {
  url: string;
  secret: string;
  received: Received[];
  /** By default 204. A function writes the answer itself, or leaves it. */
  answer: (received: Received) => Answer | Promise<Answer>;
  stop(): Promise<void>;
}

export const newSecret = () => `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;

/** A host's receiver of events. It takes only what the reference library verifies: anything else makes `stop` reject. */
export async function startEventReceiver(secret = newSecret()): Promise<EventReceiver> {
  const forged: unknown[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void answer(Buffer.concat(chunks).toString("utf8")));
    async function answer(body: string) {
      try {
        const headers = request.headers as Record<string, string>;
        const { type, data } = new Webhook(receiver.secret).verify(body, headers) as Pick<Received, "type" | "data">;
        const id = headers["webhook-id"] ?? "";
        const received = { id, type, data, body, headers: request.headers, path: request.url ?? "" };
        receiver.received.push(received);
        const given = await receiver.answer(received);
        if (typeof given === "function") given(response);
        else if (typeof given === "number") response.writeHead(given).end();
        else response.writeHead(given.status, given.headers).end();
      } catch (fault) {
        forged.push(fault);
        response.writeHead(400).end();
      }
    }
  });
  const receiver: EventReceiver = {
    url: "",
    secret,
    received: [],
    answer: () => 204,
    stop: () =>
      new Promise((resolve, reject) => {
        server.close(() => (forged.length === 0 ? resolve() : reject(new Error("not verified", { cause: forged[0] }))));
        server.closeAllConnections();
      }),
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
  return receiver;
}
