import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { ClerkApiError, header, type Exchange } from "./http-exchange";

const require = createRequire(import.meta.url);

// Both packages keep their browser bundles beside their main file, in dist/.
const distFolders = new Map([
  ["clerk-js", dirname(require.resolve("@clerk/clerk-js"))],
  ["ui", dirname(require.resolve("@clerk/ui/package.json")) + "/dist"],
]);

// One plain file name: without a slash or a leading dot no path can leave dist/.
const scriptPath = /^\/npm\/@clerk\/(clerk-js|ui)@[\w.-]+\/dist\/(\w[\w.-]*\.js)$/;

/**
 * Serves clerk-js and @clerk/ui from node_modules under the address Clerk's CDN gives them. The version in it is ignored:
 * pages ask for a major version. Throws a 404 for any other path.
 */
export async function servePackageFile(exchange: Exchange): Promise<void> {
  const [, packageName, file] = scriptPath.exec(exchange.url.pathname) ?? [];
  const folder = distFolders.get(packageName ?? "");
  if (folder === undefined || file === undefined) throw new ClerkApiError(404, "resource_not_found", "No such file.");
  const bytes = await readFile(join(folder, file)).catch(() => {
    throw new ClerkApiError(404, "resource_not_found", "No such file.");
  });
  const { request, response } = exchange;
  const etag = `"${createHash("sha1").update(bytes).digest("base64url")}"`;
  // Chunks carry the version in their name; the entry does not, and after an update a cached one asks for chunks that are gone.
  const isVersioned = /_\d+\.\d+\.\d+\.js$/.test(file);
  response.setHeader("cache-control", isVersioned ? "public, max-age=31536000, immutable" : "no-cache");
  response.setHeader("content-type", "text/javascript; charset=utf-8");
  response.setHeader("etag", etag);
  if (header(request, "if-none-match") === etag) {
    response.writeHead(304).end();
    return;
  }
  response.end(exchange.method === "HEAD" ? undefined : bytes);
}
