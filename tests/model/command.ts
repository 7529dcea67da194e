import { parseArgs } from "node:util";

import { wideBounds } from "./bounds";
import { type Fault, faults } from "./faults";
import { createRotationModel, type RotationFault, rotationFaults } from "./rotation-model";
import { type Model, search } from "./search";
import { type Bounds, createSlotModel } from "./slot-model";
import { changerKinds } from "./state";
import { createTimedModel, type TimedFault, timedFaults } from "./timed-model";

const usage = `npm run test:model                        searches wider bounds than npm test, some minutes
npm run test:model -- --verifiers 2 --requests 3 --duplicates 1 --changes revoke,rename,replace,drain
npm run test:model -- --without <fault>    prints a shortest counterexample; any of the above may be added

faults:
${Object.entries(faults)
  .map(([name, { means }]) => `  ${name.padEnd(28)}${means}`)
  .join("\n")}
${Object.entries(timedFaults)
  .map(([name, means]) => `  ${name.padEnd(28)}${means}`)
  .join("\n")}
${Object.entries(rotationFaults)
  .map(([name, { means }]) => `  ${name.padEnd(28)}${means}`)
  .join("\n")}`;

const { values } = parseArgs({
  options: {
    verifiers: { type: "string" },
    requests: { type: "string" },
    duplicates: { type: "string" },
    changes: { type: "string" },
    without: { type: "string" },
    help: { type: "boolean" },
  },
});

process.exitCode = run();

/** @returns the exit code: 0 when the protocol holds, and when a fault has its counterexample. */
function run(): number {
  const { without: fault, changes } = values;
  if (values.help) return explain(0);
  if (isFault(fault)) {
    const bounds = boundsFrom(changes, faults[fault].changers);
    return searchAndPrint(`${fault}, ${inWords(bounds)}`, createSlotModel(bounds, fault)) ? 0 : 1;
  }
  if (isTimedFault(fault)) return searchAndPrint(fault, createTimedModel(count(values.verifiers, 1), fault)) ? 0 : 1;
  if (isRotationFault(fault)) {
    const model = createRotationModel(count(values.verifiers, 2), fault);
    return searchAndPrint(`${fault}, of a rotation`, model) ? 0 : 1;
  }
  if (fault !== undefined) return explain(2);
  const isBounded = Boolean(values.verifiers ?? values.requests ?? values.duplicates ?? changes);
  const all = isBounded ? [boundsFrom(changes, ["revoke"])] : wideBounds;
  const violated = all.filter((bounds) => searchAndPrint(inWords(bounds), createSlotModel(bounds, null)));
  const isTimeViolated = !isBounded && searchAndPrint("3 verifiers, with time", createTimedModel(3, null));
  const isRotationViolated = !isBounded && searchAndPrint("2 verifiers, a rotation", createRotationModel(2, null));
  return violated.length > 0 || isTimeViolated || isRotationViolated ? 1 : 0;
}

/** @returns whether there is a counterexample, which it prints step by step. */
function searchAndPrint<State>(name: string, model: Model<State>): boolean {
  const startedAt = performance.now();
  const { states, transitions, depth, counterexample } = search(model);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  const megabytes = Math.round(process.memoryUsage().rss / 1e6);
  console.log(`${name}: ${states} states, ${transitions} transitions, depth ${depth} (${seconds} s, ${megabytes} MB)`);
  if (!counterexample) console.log("  every state was searched: no violation");
  counterexample?.steps.forEach((step, at) => console.log(`  ${String(at + 1).padStart(2)}. ${step}`));
  if (counterexample) console.log(`      ${counterexample.violation}`);
  return counterexample !== null;
}

function boundsFrom(changes: string | undefined, otherwise: Bounds["changers"]): Bounds {
  return {
    verifiers: count(values.verifiers, 2),
    requests: count(values.requests, 3),
    duplicates: count(values.duplicates, 1),
    changers: changes === undefined ? otherwise : changes.split(",").map(toChangerKind),
  };
}

function toChangerKind(name: string) {
  const kind = changerKinds.find((known) => known === name);
  if (!kind) throw new Error(`"${name}" is none of ${changerKinds.join(", ")}`);
  return kind;
}

function count(text: string | undefined, otherwise: number): number {
  const number = text === undefined ? otherwise : Number(text);
  // More would not fit into a state's code.
  if (!Number.isInteger(number) || number < 0 || number > 6)
    throw new Error(`"${String(text)}" is not a number from 0 to 6`);
  return number;
}

function inWords({ verifiers, requests, duplicates, changers }: Bounds): string {
  return `${verifiers} verifiers, ${requests} requests, ${duplicates} duplicates, ${changers.join(" + ")}`;
}

function isFault(name: string | undefined): name is Fault {
  return name !== undefined && Object.hasOwn(faults, name);
}

function isTimedFault(name: string | undefined): name is TimedFault {
  return name !== undefined && Object.hasOwn(timedFaults, name);
}

function isRotationFault(name: string | undefined): name is RotationFault {
  return name !== undefined && Object.hasOwn(rotationFaults, name);
}

function explain(exitCode: number): number {
  console.log(usage);
  return exitCode;
}
