import { describe, expect, it } from "vitest";

import { type OwnerTexts, textsOf } from "@/app/(site)/settings/api-keys/strings";

/** Every text, those with a gap filled. */
function allOf(texts: OwnerTexts): string[] {
  const flatten = (value: unknown): string[] => {
    if (typeof value === "string") return [value];
    if (typeof value === "function") return [1, 5].map((count) => (value as (count: number) => string)(count));
    return Object.values(value as object).flatMap(flatten);
  };
  return flatten(texts);
}

describe("the texts of whose keys these are", () => {
  it("call an organization's keys nobody's own", () => {
    for (const name of ["Acme", null])
      for (const text of allOf(textsOf({ kind: "organization", name })))
        expect(text.replaceAll("your organization", "")).not.toMatch(
          /\b(your? (plan|existing )?keys?|as you|by you|you have|only your)\b/i,
        );
  });

  it("name the organization, and do without a name that nobody can tell", () => {
    expect(textsOf({ kind: "organization", name: "Acme" }).caption).toBe("Keys of Acme");
    expect(textsOf({ kind: "organization", name: null }).caption).toBe("Keys of your organization");
    for (const text of allOf(textsOf({ kind: "organization", name: null })))
      expect(text).toMatch(/^(?!.*null)[A-Za-z]/);
  });

  it("are a person's own while nobody knows the owner", () => {
    expect(textsOf(null)).toBe(textsOf({ kind: "user", name: null }));
  });
});
