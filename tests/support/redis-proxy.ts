import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * What happens to one request on its way to Redis: `refuse` closes the connection, `lose` executes it and drops the answer, `hang`
 * never answers, `duplicate` executes it, answers, and executes it once more when `after` resolves; or an answer is forged.
 */
type Verdict =
  "pass" | "refuse" | "lose" | "hang" | { duplicate: { after: Promise<void> } } | { status: number; body: string };
/** A promise delays the request until it resolves. */
export type Fate = Verdict | Promise<Verdict>;

export interface RedisProxy {
  url: string;
  /** The bodies of the requests that arrived, in order. */
  requests: string[];
  /** Decides the fate of each request by its body; a promise delays it. Passes all by default. */
  decide: (body: string) => Fate;
  stop(): Promise<void>;
}

/** An HTTP proxy in front of Redis's REST API that counts, delays, loses or forges. */
export async function startRedisProxy(target: string): Promise<RedisProxy> {
  const proxy: RedisProxy = { url: "", requests: [], decide: () => "pass", stop: async () => {} };
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString("utf8");
      proxy.requests.push(body);
      const decided = proxy.decide(body);
      const fate = decided instanceof Promise ? await decided : decided;
      if (fate === "hang") return;
      if (fate === "refuse") return incoming.socket.destroy();
      if (typeof fate === "object" && "status" in fate) return outgoing.writeHead(fate.status).end(fate.body);
      const forward = async () => {
        const answer = await fetch(new URL(incoming.url ?? "/", target), {
          method: "POST",
          headers: {
            authorization: incoming.headers.authorization ?? "",
            "content-type": "application/json",
            "upstash-encoding": String(incoming.headers["upstash-encoding"] ?? ""),
          },
          body,
        });
        return { status: answer.status, text: await answer.text() };
      };
      const answer = await forward();
      if (typeof fate === "object") void fate.duplicate.after.then(forward).catch(() => undefined);
      if (fate === "lose") return incoming.socket.destroy();
      outgoing.writeHead(answer.status, { "content-type": "application/json" }).end(answer.text);
    })().catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  proxy.stop = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return proxy;
}
