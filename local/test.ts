import { openSync, closeSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { ensureBrowser } from "./browser";
import { startChild, type Child } from "./child";
import { findNginx } from "./nginx";
import { onInterruption } from "./interruption";
import { findRedisServer } from "./redis";
import { installSystemPackage, mayInstallSystemPackages } from "./system-packages";
import { testSteps, type TestCounts, type TestStep } from "./test-steps";

// `npm test -- lint unit` runs only these steps.
const chosen = process.argv.slice(3);
const folder = await mkdtemp(join(tmpdir(), "latchkey-test-run-"));
const leftOut: string[] = [];
const total: TestCounts = { passed: 0, failed: 0, skipped: 0 };
let running: Child | undefined;
let wasInterrupted = false;

onInterruption(() => {
  wasInterrupted = true;
  void running?.stop();
});

process.exit(await runAll());

async function runAll(): Promise<number> {
  try {
    const steps = testSteps(folder);
    const unknown = chosen.filter((name) => !steps.some((step) => step.name === name));
    if (unknown.length > 0) {
      const known = steps.map((step) => step.name).join(", ");
      throw new Error(`No such step: ${unknown.join(", ")}. The steps are ${known}.`);
    }
    const selected = steps.filter((step) => chosen.length === 0 || chosen.includes(step.name));
    prepareSystem(new Set(selected.map((step) => step.name)));
    for (const step of selected) await runStep(step);
    if (leftOut.length > 0) {
      console.log(`\nLeft out:\n${leftOut.map((line) => `- ${line}`).join("\n")}`);
      if (process.env.CI) throw new Error("With CI set, nothing may be left out.");
    }
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`);
    // A step without tests of its own, or one that ended before it counted them, has failed as well.
    total.failed ||= 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  return wasInterrupted ? 130 : total.failed > 0 ? 1 : 0;
}

/** Gets what the chosen steps need of the system, or notes what they have to leave out. */
function prepareSystem(names: Set<string>) {
  if (names.has("integration") || names.has("end-to-end")) {
    if (!findRedisServer() && mayInstallSystemPackages()) installSystemPackage("redis-server");
    if (!findRedisServer()) {
      process.env.LATCHKEY_NO_REDIS_SERVER = "1";
      leftOut.push("everything against a real Redis: there is no redis-server or valkey-server 7 or later on PATH");
    }
    if (!findNginx() && mayInstallSystemPackages()) installSystemPackage("nginx-light");
    if (!findNginx()) {
      process.env.LATCHKEY_NO_NGINX = "1";
      leftOut.push("the nginx gateway: there is no nginx");
    }
  }
  if (names.has("end-to-end") || names.has("adoption")) process.env.CHROMIUM_PATH = ensureBrowser();
}

async function runStep(step: TestStep) {
  process.stdout.write(`${step.name} … `);
  const started = performance.now();
  const environment = (await step.environment?.()) ?? process.env;
  let output = "";
  let hasFailed = false;
  for (const [index, command] of step.commands.entries()) {
    const log = join(folder, `${step.name}-${index}.log`);
    const code = await runCommand(command, environment, log);
    output += await readFile(log, "utf8");
    hasFailed = code !== 0;
    if (hasFailed) break;
  }
  const counts = await step.report?.().catch(() => undefined);
  if (counts) {
    total.passed += counts.passed;
    total.failed += counts.failed;
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const isComplete = !step.report || (counts !== undefined && counts.passed > 0 && counts.skipped === 0);
  if (!hasFailed && isComplete && !counts?.failed) {
    console.log(counts ? `${counts.passed} passed, ${seconds} s` : `ok, ${seconds} s`);
    return;
  }
  console.log(`failed, ${seconds} s\n\n${output.trim()}`);
  if (wasInterrupted) throw new Error("Interrupted.");
  throw new Error(
    !hasFailed && counts?.skipped ? `${step.name}: ${counts.skipped} skipped tests.` : `${step.name} failed.`,
  );
}

async function runCommand([name = "", ...args]: string[], environment: NodeJS.ProcessEnv, log: string) {
  if (wasInterrupted) throw new Error("Interrupted.");
  const output = openSync(log, "w", 0o600);
  try {
    running = await startChild(resolve("node_modules/.bin", name), args, {
      environment,
      stdio: ["ignore", output, output],
      stopSignals: ["SIGINT", "SIGKILL"],
      graceMilliseconds: 20_000,
      signals: "group",
    });
    return await running.exited;
  } finally {
    closeSync(output);
  }
}
