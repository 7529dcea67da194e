/** The entry points of the package, by the names under which hosts import them: `.` is `latchkey`, `./http` is `latchkey/http`. */
export const entries: Record<string, string> = {
  ".": "server/index.ts",
  "./http": "server/http/index.ts",
  "./trpc": "trpc/index.ts",
  "./clerk": "server/clerk/index.ts",
  "./edge": "server/edge/index.ts",
  "./shared": "server/shared/index.ts",
};

/** The commands that the package brings, by name. A command's file begins with `#!/usr/bin/env node`. */
export const commands: Record<string, string> = { latchkey: "server/command/main.ts" };

/** What a host has already, in a version of its own. The package never brings a second copy of these, and needs none of them. */
export const optionalPeers: Record<string, string> = {
  "@clerk/nextjs": "^7.0.0",
  "@trpc/server": "^11.0.0",
  next: "^15.0.0 || ^16.0.0",
};

/** The file of an entry in the package, without its extension: `index` for `.`, `http` for `./http`. */
export const fileOf = (entry: string) => (entry === "." ? "index" : entry.replace("./", ""));
