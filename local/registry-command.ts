import { writeFileSync } from "node:fs";

import { format } from "prettier";

import { describeRegistry } from "./registry";

// `npm run registry`: writes down which files an app takes along. Run it after a file of them was added, moved or removed.
const file = "registry.json";
writeFileSync(file, await format(JSON.stringify(describeRegistry()), { parser: "json", printWidth: 120 }));
