import { createRequire } from "node:module";

import { startChild, type Child } from "@/local/child";

/** Serves the production build, and resolves once it answers. Rejects with its exit code when it ends instead. */
export async function startApp(port: number, environment: NodeJS.ProcessEnv): Promise<Child> {
  const next = createRequire(import.meta.url).resolve("next/dist/bin/next");
  const app = await startChild(process.execPath, [next, "start", "-H", "localhost", "-p", String(port)], {
    environment,
    stdio: ["ignore", "inherit", "inherit"],
    stopSignals: ["SIGTERM", "SIGKILL"],
    graceMilliseconds: 5_000,
    signals: "group",
  });
  await answers(`http://localhost:${port}/api/health/live`, app);
  return app;
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
