import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take a minute or more. Begun last, one of them would run on alone. A new clone knows no durations, and their sizes say nothing. */
const longFiles = ["race/race", "race/restarts", "integration/crash", "integration/upgrade", "command/import/runs"];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => longFiles.some((name) => moduleId.includes(`/${name}`));
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
