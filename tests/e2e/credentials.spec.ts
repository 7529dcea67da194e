import { expect, test } from "@playwright/test";

import { withApp } from "../support/app-server";
import { createKeyOver, newHttpUser } from "../support/http-user";
import { sendRaw } from "../support/raw-http";

const whoami = (lines: [string, string][], method = "GET") =>
  sendRaw(`${process.env.BASE_URL}/api/v1/whoami`, method, lines);
/** What a text becomes in a header that is sent as UTF-8: a header carries bytes. */
const asBytes = (text: string) => Buffer.from(text, "utf8").toString("latin1");

test.describe("header lines as they come over the wire", () => {
  test("equal keys count once, in two lines or in two headers", async ({ request }) => {
    const { key, secret } = await createKeyOver(request, await newHttpUser());
    for (const lines of [
      [
        ["X-API-Key", secret],
        ["X-API-Key", secret],
      ],
      [
        ["X-API-Key", ""],
        ["X-API-Key", secret],
      ],
      [
        ["Authorization", `Bearer ${secret}`],
        ["Authorization", `Bearer ${secret}`],
      ],
      [
        ["Authorization", `Bearer ${secret}`],
        ["X-API-Key", secret],
        ["X-API-Key", secret],
      ],
      [
        ["Authorization", "Bearer eyJhbGciOi.x.y"],
        ["X-API-Key", secret],
      ],
      [
        ["Authorization", ""],
        ["X-API-Key", secret],
      ],
    ] satisfies [string, string][][]) {
      const answer = await whoami(lines);
      expect([lines.map(([name]) => name), answer.status]).toEqual([lines.map(([name]) => name), 200]);
      expect(JSON.parse(answer.text)).toMatchObject({ keyId: key.id });
    }
  });

  test("different keys are 400 and neither is chosen, also where Node alone would hide the second line", async ({
    request,
  }) => {
    const [a, b] = [
      await createKeyOver(request, await newHttpUser()),
      await createKeyOver(request, await newHttpUser()),
    ];
    for (const lines of [
      [
        ["X-API-Key", a.secret],
        ["X-API-Key", b.secret],
      ],
      [
        ["X-API-Key", a.secret],
        ["X-API-Key", "nonsense"],
      ],
      [
        ["Authorization", `Bearer ${a.secret}`],
        ["Authorization", `Bearer ${b.secret}`],
      ],
      [
        ["Authorization", `Bearer ${a.secret}`],
        ["Authorization", "Bearer eyJhbGciOi.x.y"],
      ],
      [
        ["Authorization", "Bearer eyJhbGciOi.x.y"],
        ["Authorization", `Bearer ${a.secret}`],
      ],
      [
        ["Authorization", `Bearer ${a.secret}`],
        ["X-API-Key", b.secret],
      ],
      [
        ["Authorization", `Token ${a.secret}`],
        ["X-API-Key", b.secret],
      ],
    ] satisfies [string, string][][])
      for (const method of ["GET", "DELETE"]) {
        const answer = await whoami(lines, method);
        expect(answer.status).toBe(400);
        expect(JSON.parse(answer.text)).toMatchObject({ code: "ambiguous_credentials" });
      }
    for (const { secret } of [a, b]) expect((await whoami([["X-API-Key", secret]])).status).toBe(200);
  });

  test("a key in a wrong form is refused with what to change, and is not in the answer", async ({ request }) => {
    const { secret } = await createKeyOver(request, await newHttpUser());
    for (const [name, value, advice] of [
      ["X-API-Key", `"${secret}"`, "quotes"],
      ["X-API-Key", `Bearer ${secret}`, "remove the word `Bearer`"],
      ["X-API-Key", `${secret}\\r\\n`, "line break"],
      ["X-API-Key", `\u00a0${secret}`, "no-break space"],
      ["X-API-Key", asBytes(`${secret}\u200b`), "invisible space"],
      ["Authorization", `Bearer '${secret}'`, "quotes"],
      ["Authorization", `Bearer ${secret}\\n`, "line break"],
      ["Authorization", asBytes(`Bearer \u00a0${secret}`), "no-break space"],
      ["Authorization", `Bearer Bearer ${secret}`, "`Bearer` once"],
      ["Authorization", `Token ${secret}`, "follow the word `Bearer`"],
      ["Authorization", `Basic ${btoa(`${secret}:`)}`, "follow the word `Bearer`"],
      ["Authorization", secret, "follow the word `Bearer`"],
    ] as const)
      for (const method of ["GET", "DELETE"]) {
        const answer = await whoami([[name, value]], method);
        const problem = JSON.parse(answer.text) as { code: string; detail: string };
        expect({ value, status: answer.status, code: problem.code }).toEqual({
          value,
          status: 401,
          code: "invalid_api_key",
        });
        expect(problem.detail).toContain(advice);
        expect(answer.text).not.toContain(secret.slice(8));
        expect(answer.headers["www-authenticate"]).toContain('error="invalid_token"');
      }
    expect((await whoami([["X-API-Key", secret]])).status).toBe(200);
  });

  test("introspection never says why, and takes its own secret in one line only", async ({ request }) => {
    const { secret } = await createKeyOver(request, await newHttpUser());
    const INTROSPECTION_SECRET = "i".repeat(32);
    const changes = { INTROSPECTION_SECRET, API_KEY_ENVIRONMENT: "test" };
    await withApp(changes, async (origin) => {
      const ask = async (token: string) => {
        const headers = { authorization: `Bearer ${INTROSPECTION_SECRET}` };
        return (
          await request.post(`${origin}/api/v1/introspect`, { headers, form: { token } })
        ).json() as Promise<unknown>;
      };
      expect(await ask(secret)).toMatchObject({ active: true });
      for (const token of [`"${secret}"`, `Bearer ${secret}`, `${secret}\\n`, `\u00a0${secret}`])
        expect(await ask(token)).toEqual({ active: false });
      const bearers: [string, string][] = [
        ["Authorization", `Bearer ${INTROSPECTION_SECRET}`],
        ["Authorization", "Bearer another"],
      ];
      expect((await sendRaw(`${origin}/api/v1/introspect`, "POST", bearers)).status).toBe(401);
    });
  });
});
