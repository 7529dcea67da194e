import { describe, expect, it } from "vitest";

import { describeEvent } from "@/app/(site)/settings/api-keys/history/describe-event";
import { type KeyEvent, keyEventActions } from "@/server/shared/key-event";

const event: KeyEvent = {
  id: "01900000-0000-7000-8000-000000000000",
  at: new Date(0),
  action: "key.created",
  keyId: "key_01890000-0000-7000-8000-000000000000",
  keyName: "Production",
  actor: { kind: "user", id: "user_1" },
  detail: {},
};
const say = (fields: Partial<KeyEvent>, reader: string | null = "user_1") =>
  describeEvent({ ...event, ...fields }, reader);

describe("what has happened, in words", () => {
  it("names the reader as you, and another member by the id", () => {
    expect(say({})).toBe("You created it");
    expect(say({}, "user_2")).toBe("Member user_1 created it");
    expect(say({ actor: { kind: "user", id: "user_1", impersonatedBy: "user_9" } })).toBe(
      "You (user_9 acted for them) created it",
    );
  });

  it.each([
    [{ action: "key.created", detail: { from: "import" } }, "An operator brought it here from another system"],
    [{ action: "key.created", detail: { from: "adopt" } }, "It was taken over from another system on its first use"],
    [{ action: "key.renamed", detail: { from: "A", to: "B" } }, "You renamed it from “A” to “B”"],
    [
      { action: "key.rotated", detail: { endsAt: "2026-01-01T00:00:00.000Z" } },
      "You rotated it and ended the old key at once",
    ],
    [{ action: "key.revoked", detail: { by: "owner" } }, "You revoked it"],
    [
      { action: "key.revoked", detail: { by: "key" }, actor: { kind: "key", id: event.keyId } },
      "The key revoked itself",
    ],
    [
      { action: "key.exposed", detail: { source: "github", url: "https://example.test/a?b=c" } },
      "It was found where it does not belong: example.test",
    ],
    [
      { action: "key.exposed", detail: { source: "github", url: "" } },
      "It was found where it does not belong: in code on GitHub",
    ],
    [{ action: "owner.closed", detail: { reason: "banned" } }, "The account was banned, which ends its keys"],
    [
      { action: "owner.access_changed", detail: { allowed: false } },
      "The plan no longer includes API access, so the keys are refused",
    ],
    [{ action: "member.left", detail: { userId: "user_3" } }, "Member user_3 left the organization"],
  ] as [Partial<KeyEvent>, string][])("%j", (fields, words) => {
    expect(say(fields)).toBe(words);
  });

  it("tells a first use with the end of the old key", () => {
    const fields = { actor: { kind: "key", id: event.keyId } as const, detail: { endsAt: "2026-01-01T00:00:00.000Z" } };
    expect(say({ ...fields, action: "key.rotated" })).toMatch(
      /^The new key was first used\. The old one works until .*202[56]/,
    );
  });

  it("has words for every action, and shows one that it does not know as it is", () => {
    for (const action of keyEventActions) expect(say({ action, detail: {} })).toMatch(/^[A-Z].* /);
    expect(say({ action: "key.polished" as KeyEvent["action"] })).toBe("key.polished");
  });
});
