import { existsSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Child } from "@/local/child";
import { findFreePort } from "@/local/free-port";
import { productionEnvironment } from "@/local/production-environment";
import { startLocalStack, type LocalStack } from "@/local/stack";

import { startApp } from "./app-server";

/**
 * Serves the production build with a local stack of its own, on a free port. The tests find it in BASE_URL, and all of
 * its settings, such as DATABASE_URL, beside it, and the sign-in's keys in LOCAL_CLERK_DIRECTORY. Returns what stops everything.
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
    const clerkDirectory = join(directory, "clerk");
    Object.assign(process.env, stack.environment, { BASE_URL: baseUrl, LOCAL_CLERK_DIRECTORY: clerkDirectory });
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}
