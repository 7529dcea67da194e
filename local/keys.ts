import nextEnv from "@next/env";

import { runFromProcess } from "@/server/command/run-from-process";
import { allScopes } from "@/server/latchkey/scopes";

import { readServices } from "./services-file";

// `npm run keys -- <command>`: the package's command, beside a running `npm run dev` with its local services. What is set stays as it is.
if (process.env.NODE_ENV !== "production") {
  nextEnv.loadEnvConfig(process.cwd(), true, { info: () => undefined, error: console.error });
  const isSet = (name: string) => Boolean(process.env[name]?.trim());
  // The local Redis stands in for the one of REDIS_URL too. Both at once would be refused.
  const hasPlace = (name: string) => isSet(name) || (name.startsWith("UPSTASH_") && isSet("REDIS_URL"));
  const unset = Object.entries(await readServices(".local")).filter(([name]) => !hasPlace(name));
  for (const [name, value] of unset) process.env[name] = value;
  if (unset.some(([name]) => name === "DATABASE_URL")) console.error("Using the local services of `npm run dev`.");
}
// The command reads its arguments where it would find them without this file: node, a script, arguments.
process.argv.splice(2, process.argv[2] === "keys" ? 1 : 0);
process.exitCode = await runFromProcess({ scopes: allScopes });
