import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { verifyWebhook, type WebhookEvent } from "@clerk/backend/webhooks";

import type { LocalClerk } from "@/local/clerk";

export type ReceivingApp = {
  origin: string;
  /** What has come, oldest first. */
  received: Request[];
  /** The events among it, each as Clerk's own code reads it. Rejects where that refuses a signature. */
  verified(clerk: LocalClerk): Promise<WebhookEvent[]>;
  stop(): void;
};

/** An app that answers every webhook with 202. */
export async function startReceivingApp(): Promise<ReceivingApp> {
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const headers = new Headers();
      for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value));
      const url = new URL(incoming.url ?? "", app.origin);
      app.received.push(new Request(url, { method: "POST", headers, body: Buffer.concat(chunks).toString() }));
      outgoing.writeHead(202).end();
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const app: ReceivingApp = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    verified({ environment }) {
      const signingSecret = environment.CLERK_WEBHOOK_SIGNING_SECRET ?? "";
      return Promise.all(app.received.map((request) => verifyWebhook(request, { signingSecret })));
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
  return app;
}
