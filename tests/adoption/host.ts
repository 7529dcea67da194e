import { closeSync, openSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";

import { type Child, startChild } from "@/local/child";

import { stubGoogleFonts } from "./font-stub";
import { applyEdit, type Instruction } from "./recipe";

interface HostOptions {
  environment: Record<string, string>;
  /** What a reader fills in where a recipe leaves a value open. */
  settings: Record<string, string>;
  /** Words of a recipe, and what takes their place here, such as the address of the blocks. */
  places: Record<string, string>;
}

/** Where a command runs and with what besides, if not in the app's folder. */
interface Elsewhere {
  environment?: Record<string, string>;
  cwd?: string;
}

/** A developer's folder, in which a recipe is followed. It prints the seconds of every command. */
export class Host {
  private commands = 0;

  private constructor(
    private folder: string,
    private readonly base: string,
    private readonly options: HostOptions,
  ) {}

  /** Begins in an empty folder, outside of this repository: what the app imports must be its own. */
  static async begin(options: HostOptions): Promise<Host> {
    const base = await mkdtemp(join(tmpdir(), "latchkey-host-"));
    const environment = { ...(await stubGoogleFonts(base)), ...options.environment };
    return new Host(base, base, { ...options, environment });
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  read(file: string): Promise<string> {
    return readFile(this.path(file), "utf8");
  }

  async write(file: string, text: string): Promise<void> {
    await mkdir(dirname(this.path(file)), { recursive: true });
    await writeFile(this.path(file), text);
  }

  async follow(instructions: Instruction[] | undefined): Promise<void> {
    if (!instructions?.length) throw new Error("The recipe has no such section, or nothing to do in it.");
    for (const instruction of instructions) await this.obey(instruction);
  }

  private async obey(instruction: Instruction): Promise<void> {
    if (instruction.kind === "command") return this.obeyCommand(instruction.command);
    const { path } = instruction;
    if (instruction.kind === "edit") return this.write(path, applyEdit(await this.read(path), instruction.lines));
    const text = /\.env/.test(path) ? fillIn(instruction.text, this.options.settings) : instruction.text;
    await this.write(path, text);
  }

  private async obeyCommand(command: string): Promise<void> {
    const target = /^cd (\S+)$/.exec(command)?.[1];
    if (target !== undefined) this.folder = resolve(this.folder, target);
    else if (command === "npm run dev") await this.tryServing(command);
    else await this.run(command);
  }

  /** @returns what the command has printed. @throws Error with that, if it fails. */
  async run(command: string, elsewhere: Elsewhere = {}): Promise<string> {
    const started = performance.now();
    const { child, output } = await this.start(command, elsewhere);
    const code = await child.exited;
    const text = await output();
    console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${command}`);
    if (code !== 0) throw new Error(`${command} ended with ${code}:\n${text}`);
    return text;
  }

  /** Serves for as long as `work` takes. */
  async serve<T>(command: string, work: () => Promise<T>, elsewhere: Elsewhere = {}): Promise<T> {
    const started = performance.now();
    const { child, output } = await this.start(command, elsewhere);
    try {
      await this.answers(child, output);
      console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${command}, until it answers`);
      return await work();
    } catch (error) {
      throw new Error(`${String(error)}\n${await output()}`, { cause: error });
    } finally {
      await child.stop();
    }
  }

  /** A command that serves does not end, so it has worked once the page is there. */
  private tryServing(command: string): Promise<void> {
    return this.serve(command, async () => {
      const response = await fetch(`${this.localUrl}/settings/api-keys`, { redirect: "manual" });
      await response.body?.cancel();
      if (response.status >= 400) throw new Error(`/settings/api-keys answers ${response.status}`);
    });
  }

  private get localUrl(): string {
    return `http://localhost:${this.options.environment.PORT ?? ""}`;
  }

  private async answers(child: Child, output: () => Promise<string>): Promise<void> {
    let end: number | string | undefined;
    void child.exited.then((code) => (end = code));
    while (end === undefined) {
      const response = await fetch(this.localUrl, { redirect: "manual" }).catch(() => undefined);
      await response?.body?.cancel();
      if (response) return;
      await new Promise((wake) => setTimeout(wake, 200));
    }
    throw new Error(`It ended with ${end} before it answered:\n${await output()}`);
  }

  private async start(command: string, { environment, cwd = this.folder }: Elsewhere) {
    const log = join(this.base, `output-${(this.commands += 1)}.log`);
    const file = openSync(log, "w", 0o600);
    const places = Object.entries(this.options.places);
    const text = places.reduce((result, [words, place]) => result.replace(words, place), command);
    const child = await startChild("/bin/sh", ["-c", text], {
      // Next's types ask for a NODE_ENV, and a developer's shell has none.
      environment: { ...cleanEnvironment(), ...this.options.environment, ...environment } as NodeJS.ProcessEnv,
      cwd,
      stdio: ["ignore", file, file],
      stopSignals: ["SIGTERM", "SIGKILL"],
      graceMilliseconds: 5_000,
      signals: "group",
    });
    closeSync(file);
    return { child, output: () => readFile(log, "utf8") };
  }

  async remove(): Promise<void> {
    await rm(this.base, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A developer's shell: nothing of this run of npm, and no program of this repository. */
function cleanEnvironment(): Record<string, string> {
  const { PATH = "", HOME = "" } = process.env;
  const path = PATH.split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return {
    PATH: path.join(delimiter),
    HOME,
    NEXT_TELEMETRY_DISABLED: "1",
    // npx asks before it installs a program, and nobody is there to answer.
    npm_config_yes: "true",
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_update_notifier: "false",
  };
}

function fillIn(text: string, settings: Record<string, string>): string {
  return text.replace(/^(\w+)=.*$/gm, (_line, name: string) => {
    const value = settings[name];
    if (value === undefined) throw new Error(`The recipe names the setting ${name}, which these tests do not know.`);
    return `${name}="${value}"`;
  });
}
