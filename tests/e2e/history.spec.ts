import { expect, test } from "@playwright/test";

import { bearerOf, callProcedure, createKeyOver, newHttpUser } from "../support/http-user";
import { sendRaw } from "../support/raw-http";

test("the history is downloaded by who is signed in, as a file of the own keys", async ({ request }) => {
  const [user, other] = [await newHttpUser(), await newHttpUser()];
  const { key } = await createKeyOver(request, user, "=Mine");
  await createKeyOver(request, other, "Theirs");
  await callProcedure(request, user, "revoke", { id: key.id });
  const { result } = await callProcedure(request, user, "history", {});
  expect(result).toMatchObject({
    events: [{ action: "key.revocation_effective" }, { action: "key.revoked" }, { action: "key.created" }],
  });

  const csv = await request.get(`/api/history?format=csv&owner=${user.userId}`, { headers: bearerOf(user) });
  expect(csv.headers()).toMatchObject({
    "cache-control": "no-store",
    "content-disposition": 'attachment; filename="api-key-history.csv"',
    "content-type": "text/csv; charset=utf-8",
    "x-content-type-options": "nosniff",
  });
  const lines = (await csv.text()).split("\r\n");
  expect(lines.map((line) => line.split(",")[2])).toEqual([
    ...["action", "key.revocation_effective", "key.revoked", "key.created", undefined],
  ]);
  expect(lines[3]).toContain(`,'=Mine,user,${user.userId},`);

  const foreign = [
    await request.get(`/api/history?format=csv&owner=${user.userId}`, { headers: bearerOf(other) }),
    await request.get("/api/history?format=csv", {
      headers: { ...bearerOf(other), "X-Expected-Owner": user.userId },
    }),
    await request.get(`/api/history?format=csv&id=${key.id}`, { headers: bearerOf(other) }),
  ];
  expect(foreign.map((answer) => answer.status())).toEqual([401, 401, 404]);
  // Without a session: a program gets no page.
  const signedOut = await sendRaw(`${process.env.BASE_URL}/api/history?format=csv`, "GET");
  expect([signedOut.status, signedOut.text]).toEqual([401, '{"error":"UNAUTHENTICATED"}']);
});
