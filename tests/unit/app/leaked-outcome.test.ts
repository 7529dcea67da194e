import { expect, it } from "vitest";

import { isOutcome, strings } from "@/app/(site)/leaked/strings";

it("an address tells only outcomes that the page has words for", () => {
  for (const outcome of Object.keys(strings.outcomes)) expect(isOutcome(outcome)).toBe(true);
  for (const other of ["__proto__", "constructor", "toString", "", "Received", ["received"], undefined])
    expect(isOutcome(other)).toBe(false);
});
