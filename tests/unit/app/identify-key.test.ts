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
    expect(identifyKey(`x${start}${mask}${end}x`, [key])).toEqual({ kind: "found", key });
  });

  it("is told by a whole key, also in pieces", () => {
    for (const text of [secret, `a${secret}b`, `${start}\n${secret.slice(12)}`])
      expect(identifyKey(text, [key])).toEqual({ kind: "found", key });
  });

  it("is none of these for another key, and no key at all for less than a key", () => {
    expect(identifyKey(mintSecret({ prefix: "lk", environment: "test" }), [key])).toEqual({ kind: "foreign" });
    for (const text of ["", secret.slice(0, -1), `${start}${end}`, `${start}*${end}`])
      expect(identifyKey(text, [key])).toEqual({ kind: "noKey" });
  });
});
