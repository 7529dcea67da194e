import { existsSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startChild, type Child } from "@/local/child";
import { findFreePort } from "@/local/free-port";
import { productionEnvironment } from "@/local/production-environment";
import { startLocalStack, type LocalStack } from "@/local/stack";

/**
 * Serves the production build with a local stack of its own, on a free port. The tests find it in BASE_URL, and all of
 * its settings, such as DATABASE_URL, beside it. Returns what stops everything.
 */
export default async function setup(): Promise<() => Promise<void>> {
  if (!existsSync(".next/BUILD_ID")) throw new Error("There is no production build. Run: npm test -- build end-to-end");
  const directory = await mkdtemp(join(tmpdir(), "latchkey-e2e-"));
  // A run interrupted here ends without its teardown. The services end by themselves then; the folder would stay.
  process.once("exit", () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  let stack: LocalStack | undefined;
  let app: Child | undefined;
  const teardown = async () => {
    await app?.stop();
    await stack?.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const port = await findFreePort();
    stack = await startLocalStack({ directory, port, settings: {}, durable: false });
    const environment = { ...productionEnvironment(), API_KEY_ENVIRONMENT: "test", ...stack.environment };
    app = await startApp(port, environment);
    const baseUrl = `http://localhost:${port}`;
    await answers(`${baseUrl}/sign-in`, app);
    Object.assign(process.env, stack.environment, { BASE_URL: baseUrl });
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}

function startApp(port: number, environment: NodeJS.ProcessEnv): Promise<Child> {
  const next = createRequire(import.meta.url).resolve("next/dist/bin/next");
  return startChild(process.execPath, [next, "start", "-H", "localhost", "-p", String(port)], {
    environment,
    stdio: ["ignore", "inherit", "inherit"],
    stopSignals: ["SIGTERM", "SIGKILL"],
    graceMilliseconds: 5_000,
    signals: "group",
  });
}

/** Resolves when the page answers; rejects when the server has ended instead. */
async function answers(url: string, app: Child) {
  let end: number | string | undefined;
  void app.exited.then((code) => (end = code));
  while (end === undefined) {
    const response = await fetch(url).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return;
    if (response && response.status >= 500) throw new Error(`${url} answers ${response.status}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`The app ended before it answered (${end}).`);
}
