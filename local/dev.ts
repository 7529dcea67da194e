import nextEnv from "@next/env";
import { createRequire } from "node:module";
import { setTimeout as delay } from "node:timers/promises";

import { startChild, type Child } from "./child";
import { lockDirectory } from "./directory-lock";
import { isPortFree } from "./free-port";
import { onInterruption } from "./interruption";
import { writeServices } from "./services-file";
import { startLocalStack, type LocalStack } from "./stack";

const directory = ".local";

// Next reads the .env files itself: it gets the environment as it was before, so that it still reloads them.
const inherited = { ...process.env };
nextEnv.loadEnvConfig(process.cwd(), true);

const interrupted = new Promise<"interrupted">((resolve) => onInterruption(() => resolve("interrupted")));
// When the terminal is gone, writing to it fails, and that must not keep anything from being stopped.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

try {
  process.exit(await serve());
} catch (error) {
  console.error(`\n${explain(error)}`);
  process.exit(1);
}

/** Runs the app and what it needs until one of them or the user ends it; resolves with the exit code. */
async function serve(): Promise<number> {
  const unlock = await lockDirectory(directory);
  let stack: LocalStack | undefined;
  let app: Child | undefined;
  let removeServices: (() => Promise<void>) | undefined;
  try {
    const port = await choosePort(process.env.PORT);
    console.log("Starting the local services …");
    stack = await startLocalStack({ directory, port, settings: process.env });
    removeServices = await writeServices(directory, stack.environment);
    app = await startApp(port, { ...inherited, ...stack.environment });
    void announce(`http://localhost:${port}`, stack);
    const end = await Promise.race([interrupted, app.exited]);
    if (end === "interrupted") return 0;
    console.error(`\nThe app has ended by itself (${end}). Stopping the local services.`);
    return typeof end === "number" && end > 0 ? end : 1;
  } finally {
    await removeServices?.();
    await app?.stop();
    await stack?.stop();
    await unlock();
  }
}

async function choosePort(setting = ""): Promise<number> {
  const port = Number(setting.trim() || 3000);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`PORT is not a port number: ${setting}`);
  if (await isPortFree(port)) return port;
  throw new Error(`Port ${port} is in use. Stop what uses it, or choose another: PORT=${port + 1} npm run dev`);
}

function startApp(port: number, environment: NodeJS.ProcessEnv): Promise<Child> {
  const next = createRequire(import.meta.url).resolve("next/dist/bin/next");
  return startChild(process.execPath, [next, "dev", "-H", "localhost", "-p", String(port)], {
    // Telemetry would leave a process behind that still sends after everything has been stopped.
    environment: { NEXT_TELEMETRY_DISABLED: "1", ...environment },
    stdio: ["ignore", "inherit", "inherit"],
    stopSignals: ["SIGTERM", "SIGKILL"],
    graceMilliseconds: 5_000,
    signals: "group",
  });
}

/** Says where the app is and how to get in, once its page has answered and so has been compiled. */
async function announce(origin: string, stack: LocalStack) {
  const accounts = stack.parts.clerk?.accounts ?? [];
  const problem = await findPageProblem(origin);
  const lines = [
    ["Latchkey", problem ? `${origin} (${problem})` : origin],
    ...accounts.map(({ email, password, note }, index) => [index ? "" : "Sign in", `${email}  ${password}  ${note}`]),
    ["Use a key", `curl -H "Authorization: Bearer <key>" ${origin}/api/v1/whoami`],
    ["Stop", "Ctrl-C"],
  ];
  console.log(`\n${lines.map(([title = "", text]) => `  ${title.padEnd(11)}${text}`).join("\n")}\n`);
}

/** Waits until something listens; resolves with what is wrong with its page, or null. */
async function findPageProblem(origin: string): Promise<string | null> {
  for (;;) {
    try {
      // Not as a browser asks: without a browser's cookies Clerk would send it round in circles.
      const response = await fetch(origin, { headers: { accept: "*/*" } });
      await response.body?.cancel();
      return response.status < 500 ? null : `it answers ${response.status}, see above`;
    } catch (error) {
      const { cause } = error as { cause?: { code?: string; message?: string } };
      if (cause?.code !== "ECONNREFUSED") return `it does not answer: ${cause?.message ?? String(error)}`;
      await delay(100);
    }
  }
}

/** The message, and those of what caused it where they say more: a failed query names its reason only there. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reason = error.cause === undefined ? "" : explain(error.cause);
  return error.message.includes(reason) ? error.message : `${error.message}\n${reason}`;
}
