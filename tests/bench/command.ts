import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { parseArgs } from "node:util";

import { format } from "prettier";

import { measureColdStarts } from "./cold-suite";
import type { Effort } from "./compare";
import { measureDrains } from "./drain-suite";
import { measureFlushes } from "./flush-suite";
import { measureGateway } from "./gateway-suite";
import { measureGrowth } from "./growth-suite";
import { measureHistory } from "./history-suite";
import { measureHits } from "./hit-suite";
import { measureImports } from "./import-suite";
import { measureMonth } from "./month-suite";
import { measurePeers } from "./peers-suite";
import { measureProcesses } from "./processes-suite";
import { renderFindings, renderGoals } from "./report";
import { measureRevocations } from "./revoke-suite";
import { measureRotations } from "./rotate-suite";
import { startServices } from "./services";
import { measureStorms } from "./storm-suite";
import type { Findings, Suite } from "./suite";
import { measureTraces } from "./trace-suite";

// `npm run bench -- [suite …] [--quick] [--write]`: exit code 0 also when a goal is missed; a bench tells, it does not judge.
const suites: Record<string, { title: string; measure: Suite }> = {
  hit: { title: "A hit, in process", measure: measureHits },
  trace: { title: "With a tracer", measure: measureTraces },
  gateway: { title: "The gateway on a production server", measure: measureGateway },
  processes: { title: "One, two and four processes", measure: measureProcesses },
  cold: { title: "Cold starts", measure: measureColdStarts },
  peers: { title: "Beside better-auth", measure: measurePeers },
  growth: { title: "Growth", measure: measureGrowth },
  revoke: { title: "Revocation", measure: measureRevocations },
  month: { title: "A million keys with a month of usage and history", measure: measureMonth },
  storm: { title: "A storm of revocations", measure: measureStorms },
  flush: { title: "After a flush of Redis", measure: measureFlushes },
  rotate: { title: "Rotation", measure: measureRotations },
  drain: { title: "After an outage", measure: measureDrains },
  import: { title: "Import", measure: measureImports },
  history: { title: "The history", measure: measureHistory },
};
const full: Effort = { rounds: 12, blockMilliseconds: 400, warmUpBlocks: 4, attempts: 2 };
const quick: Effort = { rounds: 6, blockMilliseconds: 150, warmUpBlocks: 1, attempts: 1 };
const document = "docs/benchmarks.md";
const marks = ["<!-- numbers: npm run bench -- --write -->", "<!-- end of numbers -->"] as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, write: { type: "boolean", default: false } },
});
const unknown = positionals.filter((name) => !(name in suites));
if (unknown.length > 0)
  throw new Error(`No such suite: ${unknown.join(", ")}. The suites are ${Object.keys(suites).join(", ")}.`);
if (values.write && (values.quick || positionals.length > 0))
  throw new Error("--write takes the numbers of a full run of all suites only.");

const startedAt = performance.now();
const services = await startServices();
const sections: string[] = [];
const findings: Findings[] = [];
try {
  for (const [name, { title, measure }] of Object.entries(suites)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const found = await measure({ services, effort: values.quick ? quick : full, isQuick: values.quick });
    findings.push(found);
    sections.push(renderFindings(title, found));
    console.log(`\n${sections.at(-1)}`);
  }
} finally {
  await services.stop();
}
const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
const machine = `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${process.platform} ${process.arch}; the run took ${minutes} minutes.`;
const goals = renderGoals(findings);
console.log(`\n${machine}\n${goals.map((line) => `- ${line}`).join("\n")}`);

if (values.write) {
  const text = await readFile(document, "utf8");
  const [before, rest] = text.split(marks[0]);
  const after = rest?.split(marks[1])[1];
  if (before === undefined || after === undefined) throw new Error(`${document} lacks the marks of its numbers`);
  const numbers = [machine, goals.map((line) => `- ${line}`).join("\n"), ...sections].join("\n\n");
  const written = `${before}${marks[0]}\n\n${numbers}\n\n${marks[1]}${after}`;
  await writeFile(document, await format(written, { parser: "markdown", printWidth: 120 }));
}
