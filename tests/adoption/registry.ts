import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";

export interface Registry {
  /** For npm, as its `registry`; the blocks are below `/r`. */
  url: string;
  stop(): Promise<void>;
}

interface RegistryOptions {
  /** What `npm run package` has made. */
  tarball: string;
  /** What `shadcn build` has made. */
  blocks: string;
  /** Where npm finds all other packages. Requests for them are sent on, so nothing is copied here. */
  upstream: string;
}

interface Manifest {
  name: string;
  version: string;
}

/** Serves the one package and the blocks on loopback, as a registry for npm and for shadcn. */
export async function startRegistry(
  { tarball, blocks, upstream }: RegistryOptions,
  manifest: Manifest,
): Promise<Registry> {
  const bytes = await readFile(tarball);
  const file = `/${manifest.name}/-/${basename(tarball)}`;
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    if (path === `/${manifest.name}`) sendJson(response, packument());
    else if (path === file) response.end(bytes);
    else if (path.startsWith("/r/")) void sendBlock(response, join(blocks, basename(path)));
    else response.writeHead(302, { location: new URL(path.slice(1), upstream).href }).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function packument() {
    const dist = { tarball: url + file, integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}` };
    const { name, version } = manifest;
    return { name, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, dist } } };
  }

  return { url, stop: () => closeServer(server) };
}

export async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function sendBlock(response: ServerResponse, file: string): Promise<void> {
  const text = await readFile(file, "utf8").catch(() => null);
  response.writeHead(text === null ? 404 : 200, { "content-type": "application/json" }).end(text ?? "{}");
}
