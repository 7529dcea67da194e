import { expect } from "@playwright/test";

import { mintSecret } from "@/server/keys/secret";

import { createKeyOver } from "../support/http-user";
import { answerAsPending, loseAnswers, revokedRowOf, rowOf, textOn, whoami, withKeys } from "../support/settings-page";
import { test } from "../support/signed-in";
import { storeUses } from "../support/stored-keys";

test.describe("when a key has leaked", () => {
  test("a pasted text is matched in the browser, sent nowhere, and leads to the key's row and its end", async ({
    openAsNewUser,
  }) => {
    const session = await openAsNewUser();
    const { page } = session;
    const [secret = ""] = await withKeys(session, "Leaked", "Other");
    const requests: string[] = [];
    page.on("request", (request) => requests.push(`${request.url()} ${request.postData() ?? ""}`));
    const field = page.getByRole("textbox", { name: "Key or line that contains it" });
    const answer = page.getByRole("status");

    await field.fill(`curl -H "Authorization: Bearer ${secret}" https://api.example.test`);
    await expect(answer.filter({ hasText: "This is “Leaked”" })).toBeVisible();
    await page.getByRole("button", { name: "Show the row" }).click();
    await expect(rowOf(page, "Leaked")).toBeFocused();

    await field.fill(`key=${secret.slice(0, 12)}…${secret.slice(-4)}`);
    await expect(answer.filter({ hasText: "This is “Leaked”" })).toBeVisible();
    await field.fill(mintSecret({ prefix: "lk", environment: "test" }));
    await expect(answer.filter({ hasText: "none of those listed here" })).toBeVisible();
    await field.fill(`${secret.slice(0, -1)}${secret.endsWith("0") ? "1" : "0"}`);
    await expect(answer.filter({ hasText: "There is no complete key" })).toBeVisible();
    expect(requests.filter((request) => request.includes(secret.slice(8)))).toEqual([]);

    await field.fill(secret);
    await page.getByRole("button", { name: "Revoke key" }).click();
    const confirmation = page.getByRole("alertdialog", { name: "Revoke “Leaked”?" });
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.or(page.getByRole("alertdialog")).getByRole("status")).toContainText("Effective since");
    await page.keyboard.press("Enter");
    await expect(answer.filter({ hasText: "This is “Leaked”. It is revoked" })).toBeVisible();
    await expect(revokedRowOf(page, "Leaked")).toBeVisible();
    expect(await whoami(page, secret)).toMatchObject({ code: "api_key_revoked" });
  });

  test("a key that is wrapped, coloured, escaped or masked in what was pasted is still the person's key", async ({
    openAsNewUser,
  }) => {
    const session = await openAsNewUser();
    const { page } = session;
    const [secret = ""] = await withKeys(session, "Wrapped");
    const [start, end] = [secret.slice(0, 25), secret.slice(25)];
    const field = page.getByRole("textbox", { name: "Key or line that contains it" });
    const answer = page.getByRole("status");
    for (const text of [
      `> Our key is ${start}=\n> ${end} until Friday`,
      `{"log":"401\\n${secret}\\n"}`,
      `\u001b[0m${secret}\u001b[0m`,
      `?next=%3fkey%3d${secret}`,
      `${secret.slice(0, 12)}***${secret.slice(-4)}`,
      `${secret.slice(0, 12)}...${secret.slice(-4)}`,
    ]) {
      await field.fill(text);
      await expect(answer.filter({ hasText: "This is “Wrapped”" })).toBeVisible();
      await field.fill("nothing");
      await expect(answer.filter({ hasText: "There is no complete key" })).toBeVisible();
    }
  });

  test("all keys are revoked with one confirmation and one receipt", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page, user } = session;
    const secrets = await withKeys(session, "One", "Two", "Three");
    const calls: string[] = [];
    page.on("request", (request) => calls.push(new URL(request.url()).pathname));
    await page.getByRole("button", { name: "Revoke all keys" }).click();
    const confirmation = page.getByRole("alertdialog");
    await expect(confirmation).toHaveAccessibleName("Revoke all 3 keys?");
    await expect(confirmation.getByRole("button", { name: "Cancel" })).toBeFocused();
    for (const name of ["One", "Two", "Three"])
      await expect(confirmation.getByText(name, { exact: true })).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(page.getByRole("button", { name: "Revoke all keys" })).toBeFocused();
    for (const secret of secrets) expect(await whoami(page, secret)).toMatchObject({ status: 200 });

    // Now one of them was used: something may depend on it.
    await storeUses(user, "Two", [{ hoursAgo: 0, count: 1 }]);
    await page.reload();
    await page.getByRole("button", { name: "Revoke all keys" }).click();
    const submit = confirmation.getByRole("button", { name: "Revoke all" });
    await expect(submit).toBeDisabled();
    await confirmation.getByRole("textbox", { name: "Type revoke all to confirm" }).fill("revoke all");
    await page.keyboard.press("Enter");
    await expect(confirmation).toHaveAccessibleName("All 3 keys are revoked");
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
    expect(calls.filter((path) => path.includes("revoke"))).toEqual(["/api/trpc/apiKeys.revokeAll"]);
    for (const secret of secrets) expect(await whoami(page, secret)).toMatchObject({ code: "api_key_revoked" });
    await confirmation.getByRole("button", { name: "Done" }).click();
    await expect(page.getByRole("heading", { name: "API keys", exact: true })).toBeFocused();
    await expect(textOn(page, "0 of 5 active")).toBeVisible();
    await expect(page.getByRole("button", { name: "Revoke all keys" })).toBeHidden();
  });

  test("the receipt for all says pending until the last purge is confirmed, beside no row that looks active", async ({
    openAsNewUser,
  }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "One", "Two");
    await answerAsPending(page, "revokeAll");
    await loseAnswers(page, "list", "before");
    await page.getByRole("button", { name: "Revoke all keys" }).click();
    const confirmation = page.getByRole("alertdialog");
    await confirmation.getByRole("button", { name: "Revoke all" }).click();
    await expect(confirmation.getByRole("status")).toContainText("the keys may still work until");
    await expect(confirmation.getByRole("timer")).toBeVisible();
    await expect(textOn(page, /^Active$/)).toHaveCount(0);
    // Asking once, with its repetitions, is not enough.
    await expect(textOn(page, "This list could not be refreshed")).toBeVisible();
    await page.unroute("**/api/trpc/apiKeys.list*");
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
  });

  test("a lost answer is asked for, and one that cannot be had is never called not revoked", async ({
    openAsNewUser,
  }) => {
    const session = await openAsNewUser();
    const { page, user } = session;
    const [secret = ""] = await withKeys(session, "Only");
    await loseAnswers(page, "revokeAll", "before");
    await page.getByRole("button", { name: "Revoke all keys" }).click();
    const confirmation = page.getByRole("alertdialog", { name: "Revoke your only key?" });
    const submit = confirmation.getByRole("button", { name: "Revoke all" });
    await submit.click();
    await expect(confirmation.getByRole("alert")).toContainText("not all of these keys were revoked");
    expect(await whoami(page, secret)).toMatchObject({ status: 200 });
    await page.unroute("**/api/trpc/apiKeys.revokeAll*");

    await loseAnswers(page, "revokeAll", "after");
    await loseAnswers(page, "list", "before");
    await submit.click();
    await expect(confirmation.getByRole("alert")).toContainText("The outcome is not known", { timeout: 20_000 });
    await page.unrouteAll();
    // Made in another tab meanwhile: the receipt speaks of the keys that were confirmed.
    await createKeyOver(page.request, user, "Newer");
    await page.getByRole("button", { name: "Check again" }).click();
    await expect(page.getByRole("alertdialog").getByRole("status")).toContainText("Effective since");
    await page.getByRole("button", { name: "Done" }).click();
    await expect(rowOf(page, "Newer")).toBeVisible();
  });
});
