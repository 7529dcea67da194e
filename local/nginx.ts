import { existsSync } from "node:fs";
import { join } from "node:path";

/** The path of nginx, also where Debian puts it outside a user's PATH; null where there is none. */
export function findNginx(): string | null {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"];
  return folders.map((folder) => join(folder, "nginx")).find((path) => existsSync(path)) ?? null;
}
