import { expect, it } from "vitest";

import { describeGrace } from "@/app/(site)/settings/api-keys/rotate/describe-grace";

it.each([
  [300, "5 minutes"],
  [301, "6 minutes"],
  [3_600, "1 hour"],
  [5_400, "90 minutes"],
  [7_200, "2 hours"],
  [86_400, "24 hours"],
  [90_000, "25 hours"],
  [172_800, "2 days"],
  [604_800, "7 days"],
])("a grace of %d s is %s: never said to be shorter than it is", (seconds, words) => {
  expect(describeGrace(seconds)).toBe(words);
});
