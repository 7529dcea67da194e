import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Where each folder of this repository comes to stand in an app. Both are equally deep, so the files' imports are right in both. */
const folders: Record<string, string> = {
  "app/(site)/settings/api-keys/": "app/(latchkey)/settings/api-keys/",
  "app/(site)/leaked/": "app/(latchkey)/leaked/",
  "app/api/[...latchkey]/": "app/api/[...latchkey]/",
  "server/latchkey/": "server/latchkey/",
  "trpc/latchkey/": "trpc/latchkey/",
};

/** An app has these, or it could not take the page. */
const ofEveryHost = ["next", "react", "react-dom"];
/** tRPC's client needs it beside itself. */
const besideOthers = ["@trpc/server"];

/**
 * Describes the settings page and its mounts as an item of a shadcn registry. The item is made only of files with a target, so it needs no
 * `components.json`, and shadcn asks nothing and rewrites no import. The dependencies have no version: shadcn then leaves alone what the app has.
 */
export function describeRegistry() {
  const files = Object.keys(folders)
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return {
    $schema: "https://ui.shadcn.com/schema/registry.json",
    name: "latchkey",
    homepage: "README.md",
    items: [
      {
        name: "api-keys",
        type: "registry:item",
        title: "API keys",
        description:
          "The page on which users manage their API keys, a page for whoever finds one, and the endpoints of Latchkey.",
        dependencies: packagesOf(files),
        files: files.map((path) => ({ path, type: "registry:file", target: targetOf(path) })),
        // Empty ones count as unset, and the first request names them.
        envVars: {
          NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: "",
          CLERK_SECRET_KEY: "",
          UPSTASH_REDIS_REST_URL: "",
          UPSTASH_REDIS_REST_TOKEN: "",
          DATABASE_URL: "",
          APP_ORIGIN: "",
        },
        docs: docs.join("\n"),
      },
    ],
  };
}

const docs = [
  '1. In your global CSS, after Tailwind: @import "./(latchkey)/settings/api-keys/styles.css"; (the path from that file)',
  "2. <ClerkProvider> around the children of app/layout.tsx; clerkMiddleware() in middleware.ts (proxy.ts from Next 16 on), for pages, /api/trpc and /api/history. Fill in the settings, then: npx latchkey migrate",
  "3. With a tRPC of your own at /api/trpc, in its root: apiKeys: createApiKeysRouter({ router: createTRPCRouter, procedure: protect(publicProcedure, getLatchkey) })",
];

function targetOf(path: string): string {
  const folder = Object.keys(folders).find((name) => path.startsWith(name)) ?? "";
  return (folders[folder] ?? "") + path.slice(folder.length);
}

/** The packages that these files import. */
function packagesOf(files: readonly string[]): string[] {
  const imported = files.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/(?:from|import) "((?:@[\w-]+\/)?[\w-]+)(?:\/[^"]*)?";/g)].map(
      ([, name = ""]) => name,
    ),
  );
  return [...new Set([...imported, ...besideOthers])].filter((name) => !ofEveryHost.includes(name)).sort();
}
