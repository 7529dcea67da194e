const unreleased = "## [Unreleased]";

/**
 * The changelog with everything under "Unreleased" moved below a heading of the new version.
 * @param date of the release, as in 2026-12-31
 * @throws an Error that says why there is nothing to release, or what is wrong with the headings
 */
export function releaseChangelog(changelog: string, version: string, date: string): string {
  const lines = changelog.split("\n");
  const start = lines.findIndex(isUnreleased);
  if (start < 0) throw new Error(`There is no heading "${unreleased}".`);
  if (lines.findLastIndex(isUnreleased) > start) throw new Error(`There are two headings "${unreleased}".`);
  if (lines.some((line) => versionOf(line) === version)) throw new Error(`There is a heading of ${version} already.`);
  const end = lines.findIndex((line, index) => index > start && line.startsWith("## "));
  if (!hasEntry(lines.slice(start + 1, end < 0 ? undefined : end).join("\n")))
    throw new Error(`Under "${unreleased}" is no entry ("- …"): there is nothing to release.`);
  return lines.toSpliced(start + 1, 0, "", `## [${version}] - ${date}`).join("\n");
}

const isUnreleased = (line: string) => line.trimEnd() === unreleased;
const versionOf = (line: string) => /^## \[?([^\]\s]+)/.exec(line)?.[1];
const hasEntry = (section: string) => /^[-*+] +\S/m.test(section.replace(/<!--.*?-->/gs, ""));
