import { commands, entries, fileOf, optionalPeers } from "./entries";

interface Repository {
  version: string;
  dependencies: Record<string, string>;
  [field: string]: unknown;
}

/** Fields that the package has as the repository has them. */
const shared = [
  "name",
  "version",
  "description",
  "keywords",
  "license",
  "author",
  "homepage",
  "bugs",
  "repository",
  "type",
  "engines",
];

/**
 * Makes the package.json of the package.
 * @param repository the repository's own package.json, whose versions are exact.
 * @param packages the names of all packages that the bundle imports. Each is an optional peer, or a dependency of the same major version.
 */
export function createManifest(repository: Repository, packages: readonly string[]) {
  const dependencies = packages.filter((name) => !(name in optionalPeers));
  return {
    ...Object.fromEntries(shared.flatMap((field) => (field in repository ? [[field, repository[field]]] : []))),
    exports: {
      ...Object.fromEntries(Object.keys(entries).map((entry) => [entry, conditionsOf(fileOf(entry))])),
      "./package.json": "./package.json",
    },
    ...(Object.keys(commands).length > 0 && {
      bin: Object.fromEntries(Object.keys(commands).map((name) => [name, `./lib/${name}-command.js`])),
    }),
    files: ["lib", "docs", "CHANGELOG.md", "SECURITY.md"],
    sideEffects: false,
    dependencies: Object.fromEntries(dependencies.map((name) => [name, rangeOf(repository, name)])),
    peerDependencies: optionalPeers,
    peerDependenciesMeta: Object.fromEntries(Object.keys(optionalPeers).map((name) => [name, { optional: true }])),
  };
}

const conditionsOf = (file: string) => ({ types: `./lib/${file}.d.ts`, default: `./lib/${file}.js` });

function rangeOf({ dependencies }: Repository, name: string): string {
  const version = dependencies[name];
  if (version === undefined) throw new Error(`The bundle imports ${name}, which is no dependency of the repository.`);
  return `^${version}`;
}
