import { findProblems } from "./package/check";
import { packPackage } from "./package/pack";

// `npm run package` makes the package that other apps install, see CONTRIBUTING.md.
const packed = await packPackage();
const kilobytes = (bytes: number) => `${(bytes / 1_000).toFixed(1)} kB`;
console.log(`${packed.tarball}: ${kilobytes(packed.packedBytes)} packed, ${kilobytes(packed.unpackedBytes)} unpacked`);
for (const [entry, bytes] of Object.entries(packed.entryBytes)) console.log(`- ${entry}: ${kilobytes(bytes)}`);

const problems = await findProblems(packed);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log("publint and attw find nothing, for ES modules alone.");
