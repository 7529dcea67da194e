import { describe, expect, it } from "vitest";

import { testSteps } from "@/local/test-steps";
import manifest from "@/package.json";

const steps = testSteps("").map((step) => step.name);
const scripts: Record<string, string> = manifest.scripts;

/** The lists of steps behind a word: `run.mjs test` in a script. */
const listsIn = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, list = ""]) => list.split(" "));
const scriptLists = listsIn(Object.values(scripts).join("\n"), /run\.mjs test (.+)$/gm);

describe.each([["npm script", scriptLists]])("each %s", (_, lists) => {
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

it.each(["dev", "test", "typecheck", "lint", "test:unit", "test:integration", "test:e2e"])(
  "npm run %s works on a clone without packages",
  (name) => {
    expect(scripts[name]).toMatch(/^exec node local\/run\.mjs /);
  },
);
