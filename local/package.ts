import { packPackage } from "./package/pack";

// `npm run package` makes the package that other apps install, see CONTRIBUTING.md.
const { tarball, packedBytes, unpackedBytes, entryBytes } = await packPackage();
const kilobytes = (bytes: number) => `${(bytes / 1_000).toFixed(1)} kB`;
console.log(`${tarball}: ${kilobytes(packedBytes)} packed, ${kilobytes(unpackedBytes)} unpacked`);
for (const [entry, bytes] of Object.entries(entryBytes)) console.log(`- ${entry}: ${kilobytes(bytes)}`);
