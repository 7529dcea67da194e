import { describe, expect, it } from "vitest";

import { identifyKey } from "@/app/(site)/settings/api-keys/identify-key";
import type { ApiKeySummary } from "@/server/keys";
import { mintSecret } from "@/server/keys/secret";
import { displaySecret } from "@/server/shared/secret-format";

const secret = mintSecret({ prefix: "lk", environment: "test" });
const key: ApiKeySummary = {
  id: "key_01890000-0000-7000-8000-000000000000",
  name: "Build",
  display: displaySecret(secret),
  environment: "test",
  scopes: [],
  status: "active",
  createdAt: new Date(0),
  createdBy: "user_1",
  creatorLeft: false,
  rotatedAt: null,
  rotation: null,
  lastUsedAt: null,
  expiresAt: null,
  revokedAt: null,
  revokedBy: null,
  effect: null,
};
const [start, end] = [secret.slice(0, 12), secret.slice(-4)];

describe("which key a pasted text holds", () => {
  it.each(["…", "...", "......", "***", "**************", "•••"])("is told by a display masked with %s", (mask) => {
    expect(identifyKey(`x${start}${mask}${end}x`, [key])).toEqual({ kind: "found", key, secret: "current" });
  });

  it("is told by a whole key, also in pieces", () => {
    for (const text of [secret, `a${secret}b`, `${start}\n${secret.slice(12)}`])
      expect(identifyKey(text, [key])).toEqual({ kind: "found", key, secret: "current" });
  });

  it("is told, with which of its secrets, while the key is being rotated", () => {
    const other = mintSecret({ prefix: "lk", environment: "test" });
    const display = displaySecret(other);
    const waiting = { ...key, rotation: { state: "waiting" as const, display, since: new Date(0), graceSeconds: 300 } };
    expect(identifyKey(other, [waiting])).toEqual({ kind: "found", key: waiting, secret: "waiting" });
    expect(identifyKey(secret, [waiting])).toEqual({ kind: "found", key: waiting, secret: "current" });
    const grace = { state: "grace" as const, display, endsAt: new Date(1), lastUsedAt: null, effect: null };
    const inGrace = { ...key, rotation: grace };
    expect(identifyKey(display, [inGrace])).toEqual({ kind: "found", key: inGrace, secret: "grace" });
  });

  it("is none of these for another key, and no key at all for less than a key", () => {
    expect(identifyKey(mintSecret({ prefix: "lk", environment: "test" }), [key])).toEqual({ kind: "foreign" });
    for (const text of ["", secret.slice(0, -1), `${start}${end}`, `${start}*${end}`])
      expect(identifyKey(text, [key])).toEqual({ kind: "noKey" });
  });

  describe("of another system", () => {
    const imported = (shown: string): ApiKeySummary => ({ ...key, id: "key_imported", display: shown });
    const old = "wm_0123456789abcdef0123456789abcdef01234567";

    it("is told by a whole key of that beginning and end, with anything but letters around it", () => {
      for (const shown of ["wm_01234…", "wm_0123…4567"])
        for (const text of [old, `Authorization: Bearer ${old}`, `"${old}"`, `key=${old}&x=1`, `\\n${old}\\n`])
          expect(identifyKey(text, [key, imported(shown)]), text).toEqual({
            kind: "found",
            key: imported(shown),
            secret: "current",
          });
      expect(identifyKey("wm_0123***4567", [imported("wm_0123…4567")]).kind).toBe("found");
    });

    it("is none for another end, for the beginning alone, and where too little is known of it", () => {
      for (const text of [`${old}0`, old.replace(/^wm_01/, "wm_02"), "wm_0123", "wm_0123 and 4567"])
        expect(identifyKey(text, [imported("wm_0123…4567")]), text).toEqual({ kind: "noKey" });
      expect(identifyKey("production-server-number-1", [imported("prod…")])).toEqual({ kind: "noKey" });
    });

    it("takes nothing from our own keys, which only their checksum tells", () => {
      expect(identifyKey(secret.slice(0, -1), [key])).toEqual({ kind: "noKey" });
    });
  });
});
