import type { Host } from "./host";

/** What the tools of an app say about it: nothing but their complaints, so that two states of it can be compared. */
export interface Cleanness {
  types: string;
  lint: string;
  build: string[];
}

/** Asks the production build, the compiler and the linter. @throws Error if one of them fails. */
export async function askTools(host: Host, { lint }: { lint: boolean }): Promise<Cleanness> {
  const build = await host.run("npm run build");
  // A build writes Next's own types. Without them a fresh app does not compile.
  const types = await host.run("npx tsc --noEmit");
  const lintOutput = lint ? await host.run("npx eslint --max-warnings 0 .") : "";
  return { types: types.trim(), lint: lintOutput.trim(), build: build.split("\n").filter(isComplaint) };
}

const isComplaint = (line: string) => /⚠|warn|deprecat/i.test(line);
