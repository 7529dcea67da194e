import nextEnv from "@next/env";

import { runFromProcess } from "@/server/command/run-from-process";
import { allScopes } from "@/server/latchkey/scopes";

import { readServices } from "./services-file";

// `npm run keys -- <command>`: the package's command, beside a running `npm run dev` with its local services. What is set stays as it is.
if (process.env.NODE_ENV !== "production") {
  nextEnv.loadEnvConfig(process.cwd(), true, { info: () => undefined, error: console.error });
  const unset = Object.entries(await readServices(".local")).filter(([name]) => !process.env[name]?.trim());
  for (const [name, value] of unset) process.env[name] = value;
  if (unset.some(([name]) => name === "DATABASE_URL")) console.error("Using the local services of `npm run dev`.");
}
// The command reads its arguments where it would find them without this file: node, a script, arguments.
process.argv.splice(2, process.argv[2] === "keys" ? 1 : 0);
process.exitCode = await runFromProcess({ scopes: allScopes });
