import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, inject } from "vitest";

import { askTools, type Cleanness } from "./cleanness";
import { Host } from "./host";
import { countHandMadeLines, type Recipe, readRecipe } from "./recipe";
import { type Services, startServices } from "./services";

export interface Adoption {
  recipe: Recipe;
  host: Host;
  services: Services;
  /** What the app's own tools said before Latchkey came, and after. */
  before: Cleanness;
  after: Cleanness;
  /** The app's own files that are not as they were. */
  /** Files that the app had before the four commands, and that are different after them. */
  changedFiles: string[];
  /** Lines that its file of settings had before them and has no more. */
  lostSettings: string[];
  stop(): Promise<void>;
}

interface AdoptOptions {
  /** Sections that are followed after the four commands. */
  then: string[];
  /** false: the app has no linter. */
  lint?: boolean;
}

/** Follows a recipe from an empty folder to an app with Latchkey, exactly as it is written. */
export async function adopt(path: string, { then, lint = true }: AdoptOptions): Promise<Adoption> {
  console.log(path);
  const recipe = await readRecipe(path);
  const services = await startServices();
  const host = await beginHost(services);
  const stop = async () => {
    await host.remove();
    await services.stop();
  };
  try {
    await host.follow(recipe.get("The app"));
    await host.follow(recipe.get("Settings"));
    const before = await askTools(host, { lint });
    const filesBefore = await hashFiles(host.path("."));
    const settingsBefore = await readSettings(host);
    await host.follow(recipe.get("Four commands"));
    const filesAfter = await hashFiles(host.path("."));
    const changedFiles = [...filesBefore].filter(([file, hash]) => filesAfter.get(file) !== hash).map(([file]) => file);
    const settingsAfter = new Set(await readSettings(host));
    const lostSettings = settingsBefore.filter((line) => !settingsAfter.has(line));
    for (const section of then) await host.follow(recipe.get(section));
    const after = await askTools(host, { lint });
    return { recipe, host, services, before, after, changedFiles, lostSettings, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * The four commands have touched nothing of the app but its file of settings, which lost no line, and its list of packages.
 * @param handMade the section with what is left to do by hand, and how many lines that may be.
 */
export function expectUntouched(adoption: Adoption, settings: ".env" | ".env.local", handMade: [string, number]) {
  const { recipe, changedFiles, lostSettings } = adoption;
  const [section, lines] = handMade;
  expect(changedFiles.sort()).toEqual([settings, "package-lock.json", "package.json"]);
  expect(lostSettings).toEqual([]);
  expect(countHandMadeLines(recipe.get(section))).toBe(lines);
}

/** A folder in which the words of the recipes lead to the package and the blocks as they are now. */
export function beginHost(services: Services): Promise<Host> {
  const registry = inject("registryUrl");
  return Host.begin({
    environment: { ...services.standIn, APP_ORIGIN: services.origin, PORT: String(services.appPort) },
    settings: services.settings,
    places: {
      "npm install latchkey": `npm install latchkey --registry ${registry}`,
      "OWNER/latchkey/api-keys": `${registry}/r/api-keys.json`,
    },
  });
}

/** The lines of the file in which the app has its settings. `shadcn` adds those that are missing, to the one that is there. */
async function readSettings(host: Host): Promise<string[]> {
  const texts = [".env", ".env.local"].map((file) => readFile(host.path(file), "utf8").catch(() => ""));
  return (await Promise.all(texts)).join("\n").split("\n");
}

/** Files that tools write anew at each build. */
const generated = /^(\.next|node_modules)\/|^next-env\.d\.ts$|\.tsbuildinfo$/;

async function hashFiles(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, "/").length))
    .filter((file) => !generated.test(file));
  const hashed = files.map(async (file): Promise<[string, string]> => [
    file,
    createHash("sha256")
      .update(await readFile(join(folder, file)))
      .digest("hex"),
  ]);
  return new Map(await Promise.all(hashed));
}
