import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Adoption, adopt, expectUntouched } from "./adopt";
import { createCallAndRevoke } from "./story";

describe("docs/adopt/without-trpc.md, in a fresh app", () => {
  let adoption: Adoption;
  beforeAll(async () => {
    adoption = await adopt("docs/adopt/without-trpc.md", { then: ["One line by hand", "Protect a route"] });
  });
  afterAll(() => adoption.stop());

  it("leaves the app's own compiler, linter and build as clean as they were, with one line by hand", () => {
    expect(adoption.after).toEqual(adoption.before);
    expectUntouched(adoption, ".env.local", ["One line by hand", 1]);
  });

  it("a key that was created on the page calls the app's route until it is revoked", async () => {
    const { host, services } = adoption;
    const { before, after } = await host.serve("npm start -- -H localhost", () =>
      createCallAndRevoke(services.origin, "/api/reports"),
    );
    expect(before.status).toBe(200);
    expect(after).toMatchObject({ status: 401, body: { code: "api_key_revoked" } });
  });
});
