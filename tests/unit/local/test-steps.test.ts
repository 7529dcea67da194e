import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { testSteps } from "@/local/test-steps";
import manifest from "@/package.json";

const steps = testSteps("").map((step) => step.name);
const scripts: Record<string, string> = manifest.scripts;
const workflow = readFileSync(".github/workflows/ci.yml", "utf8");

/** The lists of steps behind a word: after `run.mjs test` in a script, after `steps:` in a row of the workflow's matrix. */
const listsIn = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, list = ""]) => list.split(" "));
const scriptLists = listsIn(Object.values(scripts).join("\n"), /run\.mjs test (.+)$/gm);
const workflowLists = listsIn(workflow, /^ +- \{.*\bsteps: ([^,}]*?) *[,}]/gm);

describe.each([
  ["npm script", scriptLists],
  ["job of the workflow", workflowLists],
])("each %s", (_, lists) => {
  it("names only steps that exist", () => {
    expect(lists).not.toEqual([]);
    expect(steps).toEqual(expect.arrayContaining(lists.flat()));
  });

  it("builds what its end-to-end tests run", () => {
    const endToEnd = lists.filter((list) => list.includes("end-to-end"));
    expect(endToEnd).not.toEqual([]);
    for (const list of endToEnd) expect(list).toContain("build");
  });
});

it("no step of npm test is missing in the workflow", () => {
  expect(new Set(workflowLists.flat())).toEqual(new Set(steps));
});

describe("the workflow of a release", () => {
  const release = readFileSync(".github/workflows/release.yml", "utf8");

  it("publishes the tarball that the step `package` has made and tested, with its provenance", () => {
    const [, tested = ""] = /npm test -- (.+)$/m.exec(release) ?? [];
    expect(tested.split(" ")).toContain("package");
    expect(steps).toEqual(expect.arrayContaining(tested.split(" ")));
    expect(release.indexOf("npm publish")).toBeGreaterThan(release.indexOf("npm test"));
    expect(release).toMatch(/npm publish --provenance .*"\.\/dist\/latchkey-\$\{GITHUB_REF_NAME#v\}\.tgz/);
  });

  it("runs for tags alone, and may do no more than it needs", () => {
    expect(release).toMatch(/^on:\n {2}push:\n {4}tags: \["v\*"\]\n\n/m);
    expect(release.match(/^ *[a-z-]+: (?:write|read)$/gm)?.map((line) => line.trim())).toEqual([
      "contents: read",
      "contents: read",
      "id-token: write",
    ]);
  });
});

it.each(["dev", "test", "package", "typecheck", "lint", "test:unit", "test:integration", "test:e2e"])(
  "npm run %s works on a clone without packages",
  (name) => {
    expect(scripts[name]).toMatch(/^exec node local\/run\.mjs /);
  },
);
