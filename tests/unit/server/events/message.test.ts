import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

import { keyEventActions } from "@/server/shared/key-event";
import { bodyOf, createSigner } from "@/server/events/message";

const event = {
  id: "019b0000-0000-7000-8000-000000000000",
  at: new Date(Date.UTC(2026, 0, 1)),
  action: "key.exposed",
  keyId: "key_019b0000-0000-7000-8000-000000000001",
  keyName: "Production",
  actor: { kind: "reporter", id: "github" },
  detail: { source: "github" },
  ownerId: "user_1",
} as const;

it("a message is told as the contract says: api_key. for key., the row, and the owner", () => {
  expect(JSON.parse(bodyOf(event))).toEqual({
    type: "api_key.exposed",
    timestamp: "2026-01-01T00:00:00.000Z",
    data: { ...event, at: "2026-01-01T00:00:00.000Z" },
  });
  expect(JSON.parse(bodyOf({ ...event, action: "owner.closed" }))).toMatchObject({ type: "owner.closed" });
  expect(JSON.parse(bodyOf({ ...event, action: "member.left" }))).toMatchObject({ type: "member.left" });
});

it("a signature is that of the specification, one for each secret", () => {
  const keys = [Buffer.alloc(24, 1), Buffer.alloc(64, 2)];
  const sign = createSigner(keys.map((key) => `whsec_${key.toString("base64")}`).join(" "));
  const at = new Date(1_767_225_600_999);
  const signatures = keys.map(
    (key) => `v1,${createHmac("sha256", key).update(`the-id.1767225600.{"ä":1}`).digest("base64")}`,
  );
  expect(sign("the-id", at, '{"ä":1}')).toEqual({
    "webhook-id": "the-id",
    "webhook-timestamp": "1767225600",
    "webhook-signature": signatures.join(" "),
  });
});

it("docs/events.md lists every type that is sent, and no other", () => {
  const page = readFileSync("docs/events.md", "utf8");
  const listed = [...page.matchAll(/^\| `([a-z_]+\.[a-z_]+)`/gm)].map(([, type]) => type);
  expect(listed).toEqual(keyEventActions.map((action) => action.replace("key.", "api_key.")));
});
