import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { applyEdit, countHandMadeLines, readRecipe } from "@/tests/adoption/recipe";

const recipes = ["next-app", "t3", "without-trpc"];

async function recipeOf(text: string) {
  const file = join(tmpdir(), `recipe-${process.pid}.md`);
  await writeFile(file, text);
  return readRecipe(file);
}

describe("a recipe is read out of its document", () => {
  it("commands, files and edits come in the order of the document, below their heading", async () => {
    const document = [
      "# Title\n\n## First\n\n```sh\nnpm ci # installs\n# nothing\ncd app\n```\n",
      "```ts\n// src/a.ts\nexport {};\n```\n\n## Second\n\n```diff\n--- b.css\n a\n+b\n```\n\n```ts\nconst only = 'shown';\n```\n",
    ].join("\n");
    expect([...(await recipeOf(document))]).toEqual([
      [
        "First",
        [
          { kind: "command", command: "npm ci" },
          { kind: "command", command: "cd app" },
          { kind: "file", path: "src/a.ts", text: "export {};\n" },
        ],
      ],
      ["Second", [{ kind: "edit", path: "b.css", lines: [" a", "+b"] }]],
    ]);
  });

  it("an edit is made at its one place, and refused where that is missing or there twice", () => {
    const edit = [" b", "-c", "+d", "@@", " e", "+f"];
    expect(applyEdit("a\nb\nc\ne\n", edit)).toBe("a\nb\nd\ne\nf\n");
    expect(() => applyEdit("a\nc\ne\n", edit)).toThrow("0 times");
    expect(() => applyEdit("b\nc\nb\nc\ne\n", edit)).toThrow("2 times");
  });

  it.each(recipes)(
    "%s needs four commands and at most three lines by hand, with versions that are exact",
    async (name) => {
      const recipe = await readRecipe(`docs/adopt/${name}.md`);
      expect(recipe.get("Four commands")).toHaveLength(4);
      const hand = [...recipe]
        .filter(([heading]) => /by hand$/.test(heading))
        .flatMap(([, instructions]) => instructions);
      expect(countHandMadeLines(hand)).toBeGreaterThan(0);
      expect(countHandMadeLines(hand)).toBeLessThanOrEqual(3);
      const commands = [...recipe.values()].flat().flatMap((each) => (each.kind === "command" ? [each.command] : []));
      const fetched = commands.filter((command) => /^npx (create|shadcn)/.test(command));
      expect(fetched.length).toBe(2);
      for (const command of fetched) expect(command).toMatch(/^npx [\w-]+@\d+\.\d+\.\d+ /);
    },
  );
});
