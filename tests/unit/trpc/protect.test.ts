import { initTRPC } from "@trpc/server";
import { expect, it } from "vitest";

import { otherOwnerMessage } from "latchkey/shared";
import { createApiKeysRouter, protect } from "latchkey/trpc";

it("what a sign-in of a host throws is not told to the client by a root of the host", async () => {
  const t = initTRPC.create();
  const failing = () => {
    throw new Error("Failed query: select SENSITIVE");
  };
  const router = t.router({
    apiKeys: createApiKeysRouter({ router: t.router, procedure: protect(t.procedure, failing) }),
  });
  const told = await router
    .createCaller({})
    .apiKeys.list()
    .catch((error: unknown) => error);
  expect(told).toMatchObject({
    code: "INTERNAL_SERVER_ERROR",
    message: expect.not.stringContaining("SENSITIVE") as string,
  });
});

it.each(["signed_out", "other_owner"] as const)(
  "a session that is %s is refused, and the client can tell the two apart",
  async (status) => {
    const t = initTRPC.create();
    const identity = { readSession: () => Promise.resolve({ status }) };
    const procedure = protect(t.procedure, () => ({ server: {}, identity }));
    const router = t.router({ apiKeys: createApiKeysRouter({ router: t.router, procedure }) });
    const refusal = await router
      .createCaller({})
      .apiKeys.list()
      .catch((error: unknown) => error);
    const message = status === "other_owner" ? otherOwnerMessage : "Sign in first.";
    expect(refusal).toMatchObject({ code: "UNAUTHORIZED", message });
  },
);
