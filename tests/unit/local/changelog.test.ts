import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { releaseChangelog } from "@/local/changelog";

const release = (changelog: string) => releaseChangelog(changelog, "0.2.0", "2026-12-31");
const older = "## [0.1.0] - 2026-11-25\n\n### Added\n\n- Everything.\n";

describe("a release", () => {
  it("moves what is unreleased below the new version, and leaves an empty Unreleased above", () => {
    expect(release(`# Changelog\n\n## [Unreleased]\n\n### Fixed\n\n- A fault.\n\n${older}`)).toBe(
      `# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-31\n\n### Fixed\n\n- A fault.\n\n${older}`,
    );
  });

  it("is not stopped by a longer number that begins the same", () => {
    expect(release("## [Unreleased]\n\n- One.\n\n## [0.2.01] - 2026-12-30\n")).toContain("## [0.2.0] - 2026-12-31");
  });

  it("works where no version was released before", () => {
    expect(release("## [Unreleased]\n\n- First.\n")).toBe("## [Unreleased]\n\n## [0.2.0] - 2026-12-31\n\n- First.\n");
  });

  it.each([
    ["nothing at all", ""],
    ["headings without entries", "### Added\n\n### Fixed\n\n"],
    ["a bullet without a text", "### Added\n\n-\n- \n\n"],
    ["a comment", "<!-- Add your change here. -->\n\n"],
    ["an entry that is commented out", "<!--\n- A fault.\n-->\n\n"],
    ["a horizontal rule", "---\n\n"],
  ])("is refused where %s stands under Unreleased", (_, section) => {
    expect(() => release(`## [Unreleased]\n\n${section}${older}`)).toThrow("nothing to release");
  });

  it.each([
    ["an empty file", "", "There is no heading"],
    ["no Unreleased", `# Changelog\n\n${older}`, "There is no heading"],
    ["an Unreleased of another level", `### [Unreleased]\n\n- A fault.\n`, "There is no heading"],
    ["two of them", `## [Unreleased]\n\n- One.\n\n## [Unreleased]\n\n- Two.\n`, "There are two headings"],
    ["the version there already", `## [Unreleased]\n\n- One.\n\n## [0.2.0] - 2026-12-30\n`, "0.2.0 already"],
    ["the version there without brackets", `## [Unreleased]\n\n- One.\n\n## 0.2.0\n`, "0.2.0 already"],
  ])("is refused with %s", (_, changelog, message) => {
    expect(() => release(changelog)).toThrow(message);
  });
});

it("the repository's own changelog has the shape that a release needs", () => {
  const own = readFileSync("CHANGELOG.md", "utf8");
  const withEntry = own.replace("## [Unreleased]", "## [Unreleased]\n\n- An entry.");
  expect(releaseChangelog(withEntry, "999.0.0", "2026-12-31")).toContain("\n## [999.0.0] - 2026-12-31\n\n- An entry.");
});
