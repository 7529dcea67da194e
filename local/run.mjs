// `npm run dev`, `npm test`, `npm run package` and `npm run keys` on a bare clone: plain JavaScript, since it is what installs them.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Latchkey needs Node.js 20.19 or later; this is ${process.version}.`);
  process.exit(1);
}
process.chdir(root);

if (!isInstalled()) {
  // Not on standard output: a command's result may be read from there.
  console.error("Installing the packages of package-lock.json (npm ci) …");
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts", "--include=dev", "--include=optional"], {
    stdio: ["inherit", 2, "inherit"],
  });
  if (status !== 0) process.exit(status ?? 1);
}

// In this process, so that a signal from the terminal, npm or a supervisor reaches the command itself.
await import("tsx");
const command = ["test", "package", "keys"].find((name) => name === process.argv[2]) ?? "dev";
await import(`./${command}.ts`);

/** Whether what npm says it has installed here is of the current package-lock.json. */
function isInstalled() {
  const wanted = readJson("package-lock.json")?.packages;
  const present = readJson("node_modules/.package-lock.json")?.packages;
  const { dependencies, devDependencies } = readJson("package.json") ?? {};
  if (!wanted || !present) return false;
  const direct = Object.keys({ ...dependencies, ...devDependencies }).map((name) => `node_modules/${name}`);
  const isCurrent = (/** @type {string} */ path) =>
    present[path]?.version === wanted[path]?.version && present[path]?.integrity === wanted[path]?.integrity;
  return direct.every((path) => path in present) && Object.keys(present).every(isCurrent);
}

function readJson(/** @type {string} */ path) {
  try {
    return JSON.parse(readFileSync(join(root, path), "utf8"));
  } catch {
    return undefined;
  }
}
