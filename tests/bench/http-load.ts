import { Client } from "undici";

import { type Block, summarize } from "./block";

type Headers = Record<string, string>;

/** Each connection sends its next request when the answer to its last one is complete, until the time is up. */
export interface HttpLoad {
  /** @param headers of every request, or what makes those of the next one */
  run(path: string, headers: Headers | (() => Headers)): Promise<Block>;
  close(): Promise<void>;
}

export function openHttpLoad(origin: string, connections: number, milliseconds: number): HttpLoad {
  const clients = Array.from({ length: connections }, () => new Client(origin, { pipelining: 1 }));
  return {
    async run(path, headers) {
      const headersOfNext = typeof headers === "function" ? headers : () => headers;
      const latencies: number[] = [];
      let failures = 0;
      let lastStatus = 0;
      const startedAt = performance.now();
      async function repeat(client: Client) {
        for (let before = startedAt; before - startedAt < milliseconds;) {
          before = performance.now();
          lastStatus = await statusOf(client, path, headersOfNext());
          if (lastStatus === 200) latencies.push(performance.now() - before);
          else failures++;
        }
      }
      await Promise.all(clients.map(repeat));
      if (latencies.length === 0) throw new Error(`${path} answers ${lastStatus}`);
      return { ...summarize(latencies, performance.now() - startedAt), failures };
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

/** The status once the whole answer is there; 0 when the connection failed. By `dispatch`, the cheapest way: the load shares the cores. */
function statusOf(client: Client, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve) => {
    let status = 0;
    client.dispatch(
      { path, method: "GET", headers },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, statusCode) => {
          status = statusCode;
        },
        onResponseData: () => undefined,
        onResponseEnd: () => resolve(status),
        onResponseError: () => resolve(0),
      },
    );
  });
}
