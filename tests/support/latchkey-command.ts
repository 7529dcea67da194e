import { spawn } from "node:child_process";
import { once } from "node:events";
import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface Ended {
  code: number | null;
  output: string;
  errors: string;
}

/** The operator's command, without arguments: where the run's set-up has compiled it, that; else its sources. */
export function latchkeyCommand(): [program: string, ...args: string[]] {
  const { COMPILED_COMMAND } = process.env;
  if (COMPILED_COMMAND) return [process.execPath, COMPILED_COMMAND];
  const loader = join(process.cwd(), "node_modules/tsx/dist/loader.mjs");
  return [process.execPath, "--import", loader, join(process.cwd(), "server/command/main.ts")];
}

/** Starts the command as a process of its own, with these settings alone. */
export function startLatchkey(args: string[], settings: Record<string, string>, cwd = process.cwd()) {
  const { PATH, HOME } = process.env;
  const [program, ...first] = latchkeyCommand();
  return spawn(program, [...first, ...args], {
    cwd,
    env: { ...(PATH && { PATH }), ...(HOME && { HOME }), NODE_ENV: "development", ...settings },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** No .env file of the developer's counts. */
export const withoutFiles = { __NEXT_PROCESSED_ENV: "true" };

export async function runLatchkey(args: string[], settings: Record<string, string>, input = ""): Promise<Ended> {
  return endOf(startLatchkey(args, { ...withoutFiles, ...settings }), input);
}

export async function endOf(child: ReturnType<typeof startLatchkey>, input = ""): Promise<Ended> {
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  await once(child, "close");
  return { code: child.exitCode, output, errors };
}

/** Writes lines: objects as JSON, texts as they are. */
export async function writeLines(path: string, lines: readonly (object | string)[]): Promise<string> {
  await writeFile(path, lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""));
  return path;
}

export const sha256 = (secret: string) => createHash("sha256").update(secret).digest();

/** A key as worldmonitor makes it, and the line that its page says to write. */
export function worldmonitorKey(ownerId: string, fields: object = {}) {
  const secret = `wm_${randomBytes(20).toString("hex")}`;
  const hash = sha256(secret).toString("hex");
  return { secret, line: { ownerId, name: "Old", hash, display: `${secret.slice(0, 8)}…`, ...fields } };
}

const base58Letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** A key as Unkey makes it: 16 random bytes in base58 after the prefix, stored as base64. */
export function unkeyKey(ownerId: string) {
  let number = BigInt(`0x${randomBytes(16).toString("hex")}`);
  let digits = "";
  for (; number > 0n; number /= 58n) digits = (base58Letters[Number(number % 58n)] ?? "") + digits;
  const secret = `sk_${digits}`;
  const hash = sha256(secret).toString("base64");
  return { secret, line: { ownerId, name: "Old", hash, display: `${secret.slice(0, 7)}…`, expiresAt: null } };
}
