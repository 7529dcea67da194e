import { describe, expect, it, vi } from "vitest";

describe("errors that cross between two copies of their module", () => {
  it("are still recognised, since Next evaluates a module once for each bundle", async () => {
    const [errors, client, verify] = await load();
    vi.resetModules();
    const [otherErrors, otherClient, otherVerify] = await load();
    expect(otherErrors.DomainError).not.toBe(errors.DomainError);
    expect(new errors.DomainError("RATE_LIMITED")).toBeInstanceOf(otherErrors.DomainError);
    expect(new client.CommitOutcomeUnknownError()).toBeInstanceOf(otherClient.CommitOutcomeUnknownError);
    expect(new verify.VerificationUnavailableError()).toBeInstanceOf(otherVerify.VerificationUnavailableError);
    for (const value of [new Error("other"), null, undefined, "DomainError", {}])
      expect(value).not.toBeInstanceOf(errors.DomainError);
  });

  function load() {
    return Promise.all([
      import("@/server/shared/errors"),
      import("@/server/platform/database"),
      import("@/server/gateway/verdict"),
    ]);
  }
});
