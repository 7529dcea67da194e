import { TRPCClientError } from "@trpc/client";
import { describe, expect, it } from "vitest";

import { describeFailure, toCallFailure } from "@/app/(site)/settings/api-keys/call-failure";
import { strings } from "@/app/(site)/settings/api-keys/strings";
import { otherOwnerMessage } from "latchkey/shared";

/** What tRPC's client throws for an answer with this `data`, such as an app gives whose error formatter is tRPC's own. */
const failureOf = (data: object) =>
  toCallFailure(TRPCClientError.from({ error: { code: -32603, message: "Failed", data } } as never));

const claimsNoChange = /nothing was changed|not created|not renamed/i;
const actions = [{}, strings.createFailed, strings.rename.failed];

describe("a failed call, told by an app that gives tRPC's code alone,", () => {
  it.each([
    ["UNAUTHORIZED", 401, "SIGNED_OUT"],
    // Of a procedure that the host's root lacks, perhaps: it tells nothing of a key.
    ["NOT_FOUND", 404, "OTHER"],
    ["CONFLICT", 409, "CONFLICT"],
    ["FORBIDDEN", 403, "FORBIDDEN"],
    ["TOO_MANY_REQUESTS", 429, "RATE_LIMITED"],
    ["BAD_REQUEST", 400, "BAD_INPUT"],
    ["SERVICE_UNAVAILABLE", 503, "OUTCOME_UNKNOWN"],
    ["PAYLOAD_TOO_LARGE", 413, "OTHER"],
  ])("%s has a meaning that fits", (code, httpStatus, expected) => {
    expect(failureOf({ code, httpStatus }).code).toBe(expected);
  });

  it.each([
    ["SERVICE_UNAVAILABLE", 503],
    ["INTERNAL_SERVER_ERROR", 500],
    ["BAD_GATEWAY", 502],
    ["GATEWAY_TIMEOUT", 504],
    ["TIMEOUT", 408],
    ["CLIENT_CLOSED_REQUEST", 499],
    ["A_CODE_OF_A_LATER_TRPC", 599],
    ["ONE_WITHOUT_A_STATUS", undefined],
  ])("%s never claims that nothing was changed", (code, httpStatus) => {
    for (const texts of actions)
      expect(describeFailure(failureOf({ code, httpStatus }), texts)).not.toMatch(claimsNoChange);
  });
});

describe("a call that is refused to who is not signed in as the page's account", () => {
  const refusedWith = (message: string) => {
    const data = { code: "UNAUTHORIZED", httpStatus: 401 };
    return toCallFailure(TRPCClientError.from({ error: { code: -32001, message, data } } as never)).code;
  };

  it("says so when the session goes on for another account", () => {
    expect(refusedWith(otherOwnerMessage)).toBe("OTHER_OWNER");
  });

  it.each(["Sign in first.", "", "UNAUTHORIZED"])("says that the session has ended after “%s”", (message) => {
    expect(refusedWith(message)).toBe("SIGNED_OUT");
  });
});

describe("a failed call, told with the domain's code,", () => {
  it("has that code's meaning", () => {
    const data = { code: "CONFLICT", httpStatus: 409, domainCode: "API_KEY_LIMIT_REACHED", fieldErrors: null };
    expect(failureOf(data).code).toBe("API_KEY_LIMIT_REACHED");
  });

  it("names the fields that were refused", () => {
    const data = { code: "BAD_REQUEST", httpStatus: 400, domainCode: null, fieldErrors: { name: ["Too long"] } };
    expect(failureOf(data).fieldErrors).toEqual({ name: ["Too long"] });
  });

  it("never claims that nothing was changed after a fault without a code of the domain", () => {
    const data = { code: "INTERNAL_SERVER_ERROR", httpStatus: 500, domainCode: null, fieldErrors: null };
    for (const texts of actions) expect(describeFailure(failureOf(data), texts)).not.toMatch(claimsNoChange);
  });
});

it("a call without an answer of the procedures never claims that nothing was changed", () => {
  for (const error of [new Error("offline"), TRPCClientError.from(new Error("Failed to fetch")), null])
    for (const texts of actions) expect(describeFailure(toCallFailure(error), texts)).not.toMatch(claimsNoChange);
});
