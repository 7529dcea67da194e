import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startLocalClerk } from "./clerk";
import { productionEnvironment } from "./production-environment";

/** One step of `npm test`: commands that all have to succeed, and the reports that tell what they have tested. */
export interface TestStep {
  name: string;
  commands: string[][];
  environment?: () => Promise<NodeJS.ProcessEnv>;
  /** Reads the report that the last command wrote. A skipped test is no success. */
  report?: () => Promise<TestCounts>;
}

export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * The steps in their order, cheapest first.
 * @param folder where the reports go
 */
export function testSteps(folder: string): TestStep[] {
  return [
    { name: "types", commands: [["next", "typegen"], ["tsc"]] },
    { name: "lint", commands: [["eslint", "."]] },
    { name: "format", commands: [["prettier", "--check", "."]] },
    { name: "dead-code", commands: [["knip"]] },
    vitestStep("unit", folder),
    vitestStep("model", folder),
    vitestStep("integration", folder),
    packageStep(folder),
    { name: "build", commands: [["next", "build"]], environment: buildEnvironment },
    playwrightStep(folder),
    // One recipe of docs/adopt: each takes minutes. `npm run test:adoption` follows them all.
    vitestStep("adoption", folder, ["tests/adoption/next-app.test.ts"]),
  ];
}

function vitestStep(name: string, folder: string, files: string[] = []): TestStep {
  const file = join(folder, `${name}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  return {
    name,
    commands: [["vitest", "run", "--project", name, ...reporters, ...files]],
    async report() {
      const report = (await readJson(file)) as Record<
        "numPassedTests" | "numFailedTests" | "numPendingTests" | "numTodoTests",
        number
      >;
      return {
        passed: report.numPassedTests,
        failed: report.numFailedTests,
        skipped: report.numPendingTests + report.numTodoTests,
      };
    },
  };
}

/** Makes the package, and tests what was packed. */
function packageStep(folder: string): TestStep {
  const step = vitestStep("package", folder);
  return { ...step, commands: [["tsx", "local/package.ts"], ...step.commands] };
}

function playwrightStep(folder: string): TestStep {
  const file = join(folder, "end-to-end.json");
  return {
    name: "end-to-end",
    commands: [["playwright", "test", "--reporter=list,json"]],
    environment: () => Promise.resolve({ ...process.env, PLAYWRIGHT_JSON_OUTPUT_FILE: file }),
    async report() {
      const { stats } = (await readJson(file)) as {
        stats: Record<"expected" | "unexpected" | "flaky" | "skipped", number>;
      };
      return { passed: stats.expected, failed: stats.unexpected + stats.flaky, skipped: stats.skipped };
    },
  };
}

/** The production build that the end-to-end tests run has the local sign-in compiled in, and nothing of this machine. */
async function buildEnvironment(): Promise<NodeJS.ProcessEnv> {
  const directory = await mkdtemp(join(tmpdir(), "latchkey-build-"));
  const clerk = await startLocalClerk({ directory, appOrigin: "http://localhost:3000" });
  await clerk.stop();
  await rm(directory, { recursive: true, force: true });
  return { ...productionEnvironment(), ...clerk.environment };
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8"));
}
