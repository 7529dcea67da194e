import { createHash } from "node:crypto";

/** The name under which Redis knows a script: its bytes' SHA-1, in hex. */
export function sha1(bytes: string): string {
  return createHash("sha1").update(bytes, "latin1").digest("hex");
}
