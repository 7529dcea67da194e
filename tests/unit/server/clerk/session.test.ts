import { describe, expect, it } from "vitest";

import { isOfAnotherSite, readSession } from "@/server/clerk/session";

type ClerkSession = Parameters<typeof readSession>[0];

const options = { accessFeature: undefined, orgPermission: undefined, appOrigin: "https://app.example" };
const nameOf = () => Promise.resolve(null);
/** As Clerk's `auth()` gives it where the middleware was given no `authorizedParties`, so that it looks at no `azp`. */
const sessionOf = (azp: string | undefined) =>
  ({
    userId: "user_1",
    sessionClaims: { sub: "user_1", azp },
    actor: null,
    has: () => false,
  }) as unknown as ClerkSession;

describe("a session whose token Clerk's middleware has accepted", () => {
  it("is one of this site if the token names it", async () => {
    expect(await readSession(sessionOf("https://app.example"), options, nameOf)).toMatchObject({ status: "signed_in" });
    expect(isOfAnotherSite(sessionOf("https://app.example"), options.appOrigin)).toBe(false);
  });

  it.each(["https://other.example", "https://app.example.evil", "http://app.example", undefined])(
    "is none if it names %s",
    async (azp) => {
      expect(await readSession(sessionOf(azp), options, nameOf)).toEqual({ status: "signed_out" });
      expect(isOfAnotherSite(sessionOf(azp), options.appOrigin)).toBe(true);
    },
  );
});
