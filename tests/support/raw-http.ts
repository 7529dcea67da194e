import { request } from "node:http";

/** An answer with its headers as they came. */
export interface RawAnswer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  text: string;
}

/** One request that fetch would refuse to send: any method, and header lines exactly as given, repeated ones and odd bytes too. */
export function sendRaw(
  address: string,
  method: string,
  lines: [name: string, value: string][] = [],
): Promise<RawAnswer> {
  const { host } = new URL(address);
  return new Promise((resolve, reject) => {
    const headers = ["Host", host, "Connection", "close", ...lines.flat()];
    const outgoing = request(address, { method, headers }, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => (text += chunk));
      incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
