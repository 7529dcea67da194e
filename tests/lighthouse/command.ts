import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { chromium } from "@playwright/test";

import { browserFlags, ensureBrowser } from "@/local/browser";
import { accounts } from "@/local/clerk/accounts";
import { findFreePort } from "@/local/free-port";
import { onInterruption } from "@/local/interruption";

import serveApp from "../support/e2e-setup";
import { createKeyOver, newHttpUser } from "../support/http-user";
import { signIn } from "../support/signed-in";

// `npm run lighthouse`, after `npm test -- build`: exit code 1 when a score is below the least one. Needs the npm registry.
const leastScore = 95;
// Each page is judged by the middle one: a machine that is busy with something else costs a run up to 20 points.
const runs = 3;
// The last version for Node 20. Not a dependency: it brings more packages than the app.
const lighthouse = "lighthouse@12.8.2";
const categories = ["performance", "accessibility", "best-practices"] as const;
const pages = { settings: "/settings/api-keys", home: "/" };
const devices = { desktop: ["--preset=desktop"], mobile: [] };
const folder = join(".local", "lighthouse");

/** Of Lighthouse's report, what is read here. Scores are from 0 to 1, null where there is none. */
interface Report {
  categories: Record<string, { score: number | null; auditRefs: { id: string; weight: number }[] }>;
  audits: Record<string, { title: string; score: number | null; displayValue?: string }>;
  runtimeError?: { message: string };
}

onInterruption(() => process.exit(130));
const stopApp = await serveApp();
const profile = await mkdtemp(join(tmpdir(), "latchkey-lighthouse-"));
try {
  process.exitCode = (await measureAll(process.env.BASE_URL ?? "")) ? 0 : 1;
} finally {
  await rm(profile, { recursive: true, force: true, maxRetries: 3 });
  await stopApp();
}

/** Prints the scores of every page. Resolves with whether all are high enough. */
async function measureAll(origin: string): Promise<boolean> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const port = await findFreePort();
  const context = await chromium.launchPersistentContext(profile, {
    args: [...browserFlags, `--remote-debugging-port=${port}`],
    executablePath: ensureBrowser(),
    baseURL: origin,
    // Lighthouse sets the size of the screen.
    viewport: null,
  });
  try {
    const [page] = context.pages();
    if (!page) throw new Error("The browser has no page.");
    await page.goto("/settings/api-keys");
    await signIn(page, "ada@example.test");
    const user = await newHttpUser({ userId: accounts[0]?.id ?? "" });
    for (const name of ["Production server", "Build job"]) await createKeyOver(context.request, user, name);
    await page.goto("about:blank");
    const session = await context.newCDPSession(page);

    let isHighEnough = true;
    for (const [name, path] of Object.entries(pages))
      for (const [device, flags] of Object.entries(devices)) {
        const reports: Report[] = [];
        for (let run = 1; run <= runs; run++) {
          await session.send("Network.clearBrowserCache");
          const file = join(folder, `${name}-${device}-${run}`);
          reports.push(await measure(origin + path, [`--port=${port}`, ...flags], file));
        }
        const report = middleOf(reports);
        const scores = categories.map((category) => scoreOf(report, category));
        const texts = categories.map((category, index) => `${category} ${scores[index]}`);
        console.log(`${path.padEnd(20)}${device.padEnd(9)}${texts.join("  ")}`);
        for (const line of explainLosses(report)) console.log(`  ${line}`);
        if (Math.min(...scores) < leastScore) isHighEnough = false;
      }
    return isHighEnough;
  } finally {
    await context.close();
  }
}

/** @throws when Lighthouse could not judge the page. The report is also left as a page, beside the JSON. */
async function measure(url: string, flags: string[], file: string): Promise<Report> {
  const output = ["--output=json", "--output=html", `--output-path=${file}`, "--quiet", "--no-enable-error-reporting"];
  // The reset would sign out.
  const options = [...flags, "--disable-storage-reset", `--only-categories=${categories.join()}`, ...output];
  // Not synchronously: the local services answer from this process.
  await promisify(execFile)("npm", ["exec", "--yes", lighthouse, "--", url, ...options]);
  const report = JSON.parse(await readFile(`${file}.report.json`, "utf8")) as Report;
  if (report.runtimeError) throw new Error(`${url}: ${report.runtimeError.message}`);
  return report;
}

function scoreOf(report: Report, category: string): number {
  return Math.round((report.categories[category]?.score ?? 0) * 100);
}

/** The report in the middle by performance, which alone varies. */
function middleOf(reports: Report[]): Report {
  const sorted = reports.toSorted((a, b) => scoreOf(a, "performance") - scoreOf(b, "performance"));
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (!middle) throw new Error("There is no report.");
  return middle;
}

/** The audits that cost points, by category. */
function explainLosses({ categories: judged, audits }: Report): string[] {
  return Object.entries(judged).flatMap(([category, { auditRefs }]) =>
    auditRefs.flatMap(({ id, weight }) => {
      const { title = id, score = null, displayValue = "" } = audits[id] ?? {};
      if (weight === 0 || score === null || score >= 0.995) return [];
      return `${category}: ${title} ${displayValue} (${Math.round(score * 100)}, weight ${weight})`;
    }),
  );
}
