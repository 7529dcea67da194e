import { describe, expect, it } from "vitest";

import { parseSlotPayload, type SlotPayload } from "@/server/gateway/slot-payload";

const hash = "0123456789abcdef".repeat(4);
const payload: SlotPayload = {
  v: 2,
  hash,
  keyId: "key_0190aaaa-0000-7000-8000-00000000000a",
  ownerId: "user_1",
  createdBy: "user_2",
  name: "",
  environment: "test",
  scopes: ["reports:read"],
  createdAt: 1_795_000_000_000,
  expiresAt: null,
  secret: "current",
  endsAt: null,
  access: { allowed: null, until: null },
  requestsPerMinute: null,
};
const parse = (value: unknown) => parseSlotPayload(JSON.stringify(value), hash);

/** For each field what it must not be; JSON has no others. */
const wrong: Record<keyof SlotPayload, unknown[]> = {
  v: [0, 1, 3, "2", true],
  hash: ["", hash.slice(1), `${hash}0`, hash.toUpperCase(), "f".repeat(64), [hash]],
  keyId: [
    "",
    "key_",
    `${payload.keyId}0`,
    `x${payload.keyId}`,
    payload.keyId.toUpperCase(),
    payload.keyId.replace("-7", "_7"),
    1,
  ],
  ownerId: ["", 1, ["user_1"]],
  createdBy: ["", 1, ["user_2"]],
  name: [1, ["a"]],
  environment: ["", "Live", "prod", ["live"]],
  scopes: ["reports:read", {}, [1], ["a", null], { length: 0 }],
  createdAt: ["1", -1, 1.5, 8.64e15 + 1, 1e300, "2026-01-01T00:00:00Z"],
  expiresAt: ["1", -1, 1.5, 8.64e15 + 1, false],
  secret: ["", "waiting", "revoked", "previous", ["current"]],
  endsAt: ["1", -1, 1.5, 8.64e15 + 1, false, 1_795_000_000_000],
  access: [true, [], {}, { allowed: true }, { until: 1 }, { allowed: 1, until: null }, { allowed: true, until: "1" }],
  requestsPerMinute: [0, -1, 1.5, "60", true],
};

describe("the value of a slot", () => {
  it("is understood as it was written", () => {
    expect(parse(payload)).toEqual(payload);
    const full = {
      ...payload,
      environment: "live",
      expiresAt: 1,
      access: { allowed: true, until: 2 },
      requestsPerMinute: 1,
    };
    expect(parse(full)).toEqual(full);
    expect(parse({ ...payload, scopes: [] })).toMatchObject({ scopes: [] });
    const previous = { ...payload, secret: "previous", endsAt: 1_795_000_000_000 };
    expect(parse(previous)).toEqual(previous);
  });

  it("is not believed as a version before wrote it, which knew no end of a secret", () => {
    const { secret: _secret, endsAt: _endsAt, ...known } = payload;
    expect(parse({ ...known, v: 1 })).toBeNull();
    expect(parse({ ...payload, v: 1 })).toBeNull();
  });

  it.each(Object.entries(wrong))("is not believed with another %s", (field, values) => {
    const nullable = ["expiresAt", "endsAt", "requestsPerMinute"].includes(field);
    for (const value of nullable ? values : [...values, null])
      expect.soft(parse({ ...payload, [field]: value }), JSON.stringify(value)).toBeNull();
  });

  it.each(Object.keys(payload))("is not believed without %s, even if every object has one", (field) => {
    const prototype = Object.prototype as Record<string, unknown>;
    prototype[field] = payload[field as keyof SlotPayload];
    try {
      expect(parse({ ...payload, [field]: undefined })).toBeNull();
      expect(parse({ ...payload, [field]: undefined, another: 1 })).toBeNull();
    } finally {
      Reflect.deleteProperty(prototype, field);
    }
  });

  it.each(["allowed", "until"])("is not believed without %s of the access, even if every object has one", (field) => {
    const prototype = Object.prototype as Record<string, unknown>;
    prototype[field] = null;
    try {
      expect(parse({ ...payload, access: { ...payload.access, [field]: undefined } })).toBeNull();
      expect(parse({ ...payload, access: { ...payload.access, [field]: undefined, another: 1 } })).toBeNull();
    } finally {
      Reflect.deleteProperty(prototype, field);
    }
  });

  it("is not believed with a field more", () => {
    expect(parse({ ...payload, admin: true })).toBeNull();
    expect(parse({ ...payload, access: { ...payload.access, plan: "pro" } })).toBeNull();
    const text = JSON.stringify(payload);
    expect(parseSlotPayload(text.replace("{", '{"__proto__":{"ownerId":"user_2"},'), hash)).toBeNull();
  });

  it.each(["", "{", "null", "1", '"text"', "[]", "[1]", "{}"])("is not believed when it is %j", (text) => {
    expect(parseSlotPayload(text, hash)).toBeNull();
  });

  it("is not believed for another secret", () => {
    expect(parseSlotPayload(JSON.stringify(payload), "f".repeat(64))).toBeNull();
  });
});
