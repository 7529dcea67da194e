import { readFile } from "node:fs/promises";

/** One thing that a recipe tells its reader to do. */
export type Instruction =
  | { kind: "command"; command: string }
  | { kind: "file"; path: string; text: string }
  | { kind: "edit"; path: string; lines: string[] };

export type Recipe = Map<string, Instruction[]>;

/**
 * Reads the instructions of a recipe out of its fenced blocks. Every line of a block `sh` is a command. A block `diff` that begins with
 * `--- path` is an edit of that file. Another block whose first line is a comment with a path and nothing else is a file to be written.
 * Whatever stands in the document in other words is not followed.
 * @returns the instructions below each heading of the second level, in their order.
 */
export async function readRecipe(path: string): Promise<Recipe> {
  const recipe: Recipe = new Map();
  for (const section of (await readFile(path, "utf8")).split(/^## /m).slice(1)) {
    const [heading = ""] = section.split("\n", 1);
    const blocks = section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm);
    const instructions = [...blocks].flatMap(([, language = "", text = ""]) => instructionsOf(language, text));
    recipe.set(heading.trim(), instructions);
  }
  return recipe;
}

function instructionsOf(language: string, text: string): Instruction[] {
  const lines = text.trimEnd().split("\n");
  const [first = "", ...rest] = lines;
  if (language === "sh") return lines.map(withoutComment).filter(Boolean).map(toCommand);
  const edited = /^--- (\S+)$/.exec(first)?.[1];
  if (language === "diff" && edited !== undefined) return [{ kind: "edit", path: edited, lines: rest }];
  const written = /^(?:\/\/|#) (\S*[./]\S*)$/.exec(first)?.[1];
  return written === undefined ? [] : [{ kind: "file", path: written, text: `${rest.join("\n")}\n` }];
}

const withoutComment = (line: string) => line.replace(/(^|\s+)# .*$/, "").trim();
const toCommand = (command: string): Instruction => ({ kind: "command", command });

/**
 * Makes an edit as a careful reader would: where its context and its removed lines stand, and nowhere else.
 * @param lines of a diff: `-` removed, `+` added, a space for context; a line `@@` begins the next place.
 * @throws Error if a place is not there, or there twice: the recipe no longer fits the app.
 */
export function applyEdit(text: string, lines: string[]): string {
  const places = lines.join("\n").split(/^@@.*\n/m);
  return places.filter((place) => place.trim() !== "").reduce((result, place) => applyPlace(result, place), text);
}

function applyPlace(text: string, place: string): string {
  const lines = place.replace(/\n$/, "").split("\n");
  const keep = (sign: string) =>
    lines
      .filter((line) => !line.startsWith(sign))
      .map((line) => `${line.slice(1)}\n`)
      .join("");
  const found = text.split(keep("+"));
  if (found.length !== 2) throw new Error(`These lines are there ${found.length - 1} times:\n${keep("+")}`);
  return found.join(keep("-"));
}

/** How many lines a reader writes by hand. Imports do not count: an editor writes them. */
export function countHandMadeLines(instructions: Instruction[] = []): number {
  const lines = instructions.flatMap((instruction) => (instruction.kind === "edit" ? instruction.lines : []));
  return lines.filter((line) => /^\+(?!import )/.test(line)).length;
}
