import { describe, expect, it } from "vitest";

import { effectOfKeys } from "@/app/(site)/settings/api-keys/revoke/effect-of-keys";
import type { ApiKeySummary, Effect } from "@/server/keys";

const effective: Effect = { status: "effective", at: new Date(1_000) };
const pending: Effect = { status: "pending", guaranteedBy: new Date(66_000) };
const listOf = (effects: Record<string, Effect | null>) => ({
  keys: Object.entries(effects).map(([id, effect]) => ({ id, effect }) as ApiKeySummary),
});

describe("what a list says of the keys that were to be revoked", () => {
  it("is the weakest effect of them, whatever else it holds", () => {
    expect(effectOfKeys(listOf({ a: effective, b: pending, c: null }), ["a", "b"])).toEqual(pending);
    expect(effectOfKeys(listOf({ a: effective, c: null }), ["a"])).toEqual(effective);
  });

  it("is nothing while one of them is not revoked", () => {
    expect(effectOfKeys(listOf({ a: effective, b: null }), ["a", "b"])).toBeNull();
  });

  it("counts keys as revoked that were revoked too long ago to be listed", () => {
    expect(effectOfKeys(listOf({ a: effective }), ["a", "long ago"])).toEqual(effective);
  });

  it("is nothing when it holds none of them: then nobody knows", () => {
    expect(effectOfKeys(listOf({ c: null }), ["a"])).toBeNull();
  });
});
