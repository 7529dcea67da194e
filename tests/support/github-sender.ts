import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Stands for GitHub: signs reports with keys of its own, and serves the public ones. */
export interface GithubSender {
  keysUrl: string;
  /** The requests for the list of keys, in order. */
  requests: IncomingMessage[];
  /** What the list is answered with instead, while it is set. */
  answer: ((response: ServerResponse, request: IncomingMessage) => void) | null;
  /** The id of the key that reports are signed with. */
  keyId: string;
  /** Puts a new key into the list, and signs with it from now on. */
  changeKey(): void;
  /** Puts something else into the list. */
  publish(keyId: string, pem: string): void;
  withdraw(keyId: string): void;
  /** The list of keys as it is served. */
  list(): object;
  /** The headers of a report with this body. */
  headersFor(body: string | Buffer): Record<string, string>;
  /** A report as GitHub sends it; `changes` replace headers. */
  report(matches: unknown, changes?: Record<string, string>): Request;
  stop(): Promise<void>;
}

export const ec = (namedCurve = "P-256") => generateKeyPairSync("ec", { namedCurve });
export const pemOf = (key: KeyObject) => key.export({ type: "spki", format: "pem" }).toString();

export async function startGithubSender(): Promise<GithubSender> {
  const published = new Map<string, string>();
  let privateKey: KeyObject;
  const sender: GithubSender = {
    keysUrl: "",
    requests: [],
    answer: null,
    keyId: "",
    changeKey() {
      const pair = ec();
      privateKey = pair.privateKey;
      sender.keyId = createHash("sha256").update(randomUUID()).digest("hex");
      published.set(sender.keyId, pemOf(pair.publicKey));
    },
    publish: (keyId, pem) => void published.set(keyId, pem),
    withdraw: (keyId) => void published.delete(keyId),
    list: () => ({
      public_keys: [...published].map(([key_identifier, key]) => ({
        key_identifier,
        key,
        is_current: key_identifier === sender.keyId,
      })),
    }),
    headersFor: (body) => ({
      "Content-Type": "application/json",
      "Github-Public-Key-Identifier": sender.keyId,
      "Github-Public-Key-Signature": sign("sha256", Buffer.from(body), privateKey).toString("base64"),
    }),
    report(matches, changes = {}) {
      const body = JSON.stringify(matches);
      const headers = { ...sender.headersFor(body), ...changes };
      return new Request("https://app.example.com/api/v1/leaks/github", { method: "POST", headers, body });
    },
    stop: async () => {},
  };
  sender.changeKey();
  const server = createServer((request, response) => {
    sender.requests.push(request);
    if (sender.answer) {
      sender.answer(response, request);
      return;
    }
    const body = JSON.stringify(sender.list());
    const etag = `W/"${createHash("sha256").update(body).digest("hex")}"`;
    if (request.headers["if-none-match"] === etag) response.writeHead(304, { etag }).end();
    else response.writeHead(200, { "Content-Type": "application/json", etag }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  sender.keysUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/meta/public_keys/secret_scanning`;
  sender.stop = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return sender;
}
