import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

/** A stage of a Dockerfile, carried out in a folder instead of an image. */
export interface Stage {
  /** The folder that stands for its root. */
  folder: string;
  workdir: string;
  environment: Record<string, string>;
  user: string;
  healthcheck: string[];
  command: string[];
}

type Run = (command: string, folder: string, environment: Record<string, string>) => Promise<unknown>;

/**
 * Follows a Dockerfile line by line, without containers: each stage is a folder, and its commands run there. It knows the instructions that
 * the Dockerfile of docs/adopt uses, and refuses every other one. The programs are those of this machine, not those of the image.
 * @param context the folder that is built.
 * @param values of the build arguments.
 * @param run carries out one command.
 */
export async function followDockerfile(file: string, context: string, values: Record<string, string>, run: Run) {
  const base = await mkdtemp(join(tmpdir(), "latchkey-image-"));
  const stages = new Map<string, Stage>();
  const ignored = (await readFile(join(context, ".dockerignore"), "utf8")).split("\n").filter(Boolean);
  let stage: Stage | undefined;
  for (const line of instructionsOf(await readFile(file, "utf8"))) {
    const [, word = "", rest = ""] = /^(\w+)\s+([\s\S]*)$/.exec(line) ?? [];
    if (word === "FROM") {
      const [from = "", , name = ""] = rest.split(/\s+/);
      stage = await beginStage(join(base, name), stages.get(from));
      stages.set(name, stage);
      continue;
    }
    if (!stage) throw new Error(`${word} stands before FROM.`);
    const here = join(stage.folder, stage.workdir);
    if (word === "WORKDIR") await mkdir(join(stage.folder, (stage.workdir = rest)), { recursive: true });
    else if (word === "COPY") await copy(rest, context, here, stages, ignored);
    else if (word === "RUN") await run(rest, here, stage.environment);
    else if (word === "ENV")
      Object.assign(stage.environment, Object.fromEntries(rest.split(/\s+/).map((pair) => pair.split("="))));
    else if (word === "ARG") stage.environment[rest] = values[rest] ?? "";
    else if (word === "USER") stage.user = rest;
    else if (word === "CMD") stage.command = JSON.parse(rest) as string[];
    else if (word === "HEALTHCHECK") stage.healthcheck = JSON.parse(rest.slice(rest.indexOf("CMD") + 3)) as string[];
    else if (word !== "EXPOSE") throw new Error(`This Dockerfile may not use ${word}: the tests cannot follow it.`);
  }
  return { stages, remove: () => rm(base, { recursive: true, force: true, maxRetries: 3 }) };
}

const instructionsOf = (text: string) => text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));

async function beginStage(folder: string, from: Stage | undefined): Promise<Stage> {
  await mkdir(folder, { recursive: true });
  if (!from) return { folder, workdir: "/", environment: {}, user: "root", healthcheck: [], command: [] };
  // Hard links, since a copy of all packages takes long.
  execFileSync("cp", ["-al", `${from.folder}/.`, folder]);
  return { ...from, folder, environment: { ...from.environment } };
}

async function copy(words: string, context: string, here: string, stages: Map<string, Stage>, ignored: string[]) {
  const parts = words.split(/\s+/);
  const source = parts.find((part) => part.startsWith("--from="))?.slice("--from=".length);
  const root = source === undefined ? context : stages.get(source)?.folder;
  if (root === undefined) throw new Error(`There is no stage ${source}.`);
  const paths = parts.filter((part) => !part.startsWith("--"));
  const target = paths.pop() ?? "";
  for (const path of paths) {
    const from = join(root, path);
    // As Docker does: of a folder the content is copied, and a file goes into a target that ends with a slash.
    const isFolder = (await stat(from)).isDirectory();
    const to = join(here, target, isFolder || !target.endsWith("/") ? "." : basename(path));
    await mkdir(dirname(to), { recursive: true });
    const isWanted = (file: string) => !ignored.some((pattern) => matches(pattern, file.slice(context.length + 1)));
    await cp(from, to, {
      recursive: true,
      filter: source === undefined ? isWanted : () => true,
      verbatimSymlinks: true,
    });
  }
}

/** Only what stands at the root, as the patterns of docs/adopt/container/.dockerignore do. */
function matches(pattern: string, path: string): boolean {
  const [top = ""] = path.split("/");
  return pattern.endsWith("*") ? top.startsWith(pattern.slice(0, -1)) : top === pattern;
}
