import { readFile } from "node:fs/promises";

import { checkPackage, createPackageFromTarballData, type Problem } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

import type { PackedPackage } from "./pack";

/**
 * What publint and "are the types wrong" find wrong with the package.
 *
 * The package is made of ES modules alone, and its entries are found by `exports`. So two findings are no faults: a CommonJS module has to
 * load it by `import()` or by a `require` of Node 20.19, and the resolution of Node 10 finds no entry but the first.
 */
export async function findProblems({ tarball }: PackedPackage): Promise<string[]> {
  const file = await readFile(tarball);
  const { messages, pkg } = await publint({ pkgDir: "package", strict: true, pack: { tarball: toArrayBuffer(file) } });
  const { types, ...analysis } = await checkPackage(createPackageFromTarballData(new Uint8Array(file)));
  const problems = types && "problems" in analysis ? analysis.problems : [];
  return [
    ...messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false }) ?? message.code}`),
    ...(types ? [] : ["the package has no types"]),
    ...problems.filter((problem) => !isOfModulesAlone(problem)).map((problem) => `types: ${JSON.stringify(problem)}`),
  ];
}

const isOfModulesAlone = (problem: Problem) =>
  problem.kind === "CJSResolvesToESM" || ("resolutionKind" in problem && problem.resolutionKind === "node10");

const toArrayBuffer = (file: Buffer): ArrayBuffer => new Uint8Array(file).buffer;
