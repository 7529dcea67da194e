import { expect } from "@playwright/test";

import {
  answerAsPending,
  comeBackTo,
  loseAnswers,
  revokedRowOf,
  rowOf,
  startRevoking,
  textOn,
  whoami,
  withKeys,
} from "../support/settings-page";
import { callProcedure, createKeyOver } from "../support/http-user";
import { test } from "../support/signed-in";
import { storeUses } from "../support/stored-keys";

test.describe("revoking on the settings page", () => {
  test("the focus is on Cancel, comes back to the row, and moves on to the next one when the row is gone", async ({
    openAsNewUser,
  }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Lower", "Upper");
    const confirmation = await startRevoking(page, "Upper");
    await expect(confirmation).toHaveAccessibleName("Revoke “Upper”?");
    await expect(confirmation.getByRole("button", { name: "Cancel" })).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(page.getByRole("button", { name: "Revoke Upper" })).toBeFocused();

    for (const [name, next] of [
      ["Upper", page.getByRole("button", { name: "Revoke Lower" })],
      ["Lower", page.getByRole("heading", { name: "API keys", exact: true })],
    ] as const) {
      await startRevoking(page, name);
      await confirmation.getByRole("button", { name: "Revoke key" }).click();
      await expect(confirmation.getByRole("button", { name: "Done" })).toBeFocused();
      await page.keyboard.press("Enter");
      await expect(next).toBeFocused();
    }
  });

  test("the name is asked for only when the key was used in the last day", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Idle", "Busy");
    await storeUses(session.user, "Busy", [{ hoursAgo: 0, count: 1 }]);
    await page.reload();
    await expect(rowOf(page, "Busy")).toContainText("just now");

    const confirmation = await startRevoking(page, "Idle");
    await expect(confirmation).toContainText("It has never been used.");
    await expect(confirmation.getByRole("textbox")).toBeHidden();
    await page.keyboard.press("Escape");

    await startRevoking(page, "Busy");
    const submit = confirmation.getByRole("button", { name: "Revoke key" });
    await expect(submit).toBeDisabled();
    await confirmation.getByRole("textbox", { name: "Type Busy to confirm" }).fill("Busy");
    await submit.click();
    await expect(confirmation.getByRole("status")).toContainText("No request that starts from now on is accepted.");
  });

  test("nothing is said to be revoked before the server has answered", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Slow");
    let answer = () => {};
    const held = new Promise<void>((resolve) => (answer = resolve));
    await page.route("**/api/trpc/apiKeys.revoke*", async (route) => {
      await held;
      await route.continue();
    });
    const confirmation = await startRevoking(page, "Slow");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("button", { name: "Revoking…" })).toBeDisabled();
    await page.keyboard.press("Escape");
    await expect(confirmation).toBeVisible();
    await expect(confirmation.getByRole("status")).toBeHidden();
    answer();
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
  });

  test("a lost answer is asked for again, and the receipt tells what the server knows", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    const [secret = ""] = await withKeys(session, "Lost answer");
    await loseAnswers(page, "revoke", "after");
    const confirmation = await startRevoking(page, "Lost answer");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
    expect(await whoami(page, secret)).toMatchObject({ code: "api_key_revoked" });
  });

  test("a call that never arrived is told as not revoked, and can be repeated", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    const [secret = ""] = await withKeys(session, "Lost call");
    await loseAnswers(page, "revoke", "before");
    const confirmation = await startRevoking(page, "Lost call");
    const submit = confirmation.getByRole("button", { name: "Revoke key" });
    await submit.click();
    await expect(confirmation.getByRole("alert")).toContainText("was not revoked");
    expect(await whoami(page, secret)).toMatchObject({ status: 200 });
    await page.unroute("**/api/trpc/apiKeys.revoke*");
    await submit.click();
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
  });

  test("an outcome that nobody can tell is never called not revoked", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Unknown");
    await loseAnswers(page, "revoke", "after");
    await loseAnswers(page, "list", "before");
    const confirmation = await startRevoking(page, "Unknown");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("alert")).toContainText("The outcome is not known");
    await expect(confirmation).not.toContainText("ot revoked");
    await page.unroute("**/api/trpc/apiKeys.list*");
    await confirmation.getByRole("button", { name: "Check again" }).click();
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
  });

  test("a pending revocation counts down to its latest moment, and turns effective by itself", async ({
    openAsNewUser,
  }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Pending");
    await answerAsPending(page, "revoke");
    let answer = () => {};
    const held = new Promise<void>((resolve) => (answer = resolve));
    await page.route("**/api/trpc/apiKeys.list*", async (route) => {
      await held;
      await route.continue();
    });
    const confirmation = await startRevoking(page, "Pending");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("status")).toContainText("the key may still work until");
    const secondsLeft = async () => parseInt(await confirmation.getByRole("timer").innerText(), 10);
    const first = await secondsLeft();
    // Of about 65: the answer's own clock is cut to the second.
    expect(first).toBeGreaterThan(55);
    expect(first).toBeLessThanOrEqual(66);
    await expect.poll(secondsLeft).toBeLessThan(first);
    answer();
    await expect(confirmation.getByRole("status")).toContainText("No request that starts from now on is accepted.");
    await expect(confirmation.getByRole("timer")).toBeHidden();
  });

  test("a pending revocation turns effective by itself after the list could not be refreshed", async ({
    openAsNewUser,
  }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Pending");
    await answerAsPending(page, "revoke");
    await loseAnswers(page, "list", "before");
    const confirmation = await startRevoking(page, "Pending");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("timer")).toBeVisible();
    await expect(textOn(page, /^Active$/)).toHaveCount(0);
    await expect(textOn(page, "This list could not be refreshed")).toBeVisible();
    await page.unroute("**/api/trpc/apiKeys.list*");
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
  });

  test("the countdown is of the server's time, however wrong and jumpy this machine's clock is", async ({
    openAsNewUser,
  }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await page.addInitScript(() => {
      const RealDate = Date;
      const skewed = () => RealDate.now() + Number(sessionStorage.getItem("skew") ?? 7_200_000);
      window.Date = class extends RealDate {
        constructor(...args: ConstructorParameters<typeof Date> | []) {
          super(...((args.length > 0 ? args : [skewed()]) as [number]));
        }
        static override now = skewed;
      } as typeof Date;
    });
    await withKeys(session, "Two hours ahead");
    expect(await page.evaluate(() => Date.now())).toBeGreaterThan(Date.now() + 7_000_000);
    await answerAsPending(page, "revoke");
    await loseAnswers(page, "list", "before");
    const confirmation = await startRevoking(page, "Two hours ahead");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    const secondsLeft = async () => parseInt(await confirmation.getByRole("timer").innerText(), 10);
    const first = await secondsLeft();
    expect(first).toBeGreaterThan(50);
    expect(first).toBeLessThanOrEqual(66);
    // A jump of a day back.
    await page.evaluate(() => sessionStorage.setItem("skew", String(-86_400_000)));
    await expect.poll(secondsLeft).toBeLessThan(first);
    expect(await secondsLeft()).toBeGreaterThan(first - 20);
  });

  test("a key that was revoked elsewhere counts as revoked, and leaves the list on focus", async ({
    openAsNewUser,
  }) => {
    const session = await openAsNewUser();
    const { page } = session;
    const [first, second] = [
      await createKeyOver(page.request, session.user, "First"),
      await createKeyOver(page.request, session.user, "Second"),
    ];
    await page.reload();
    const revokeElsewhere = (id: string) => callProcedure(page.request, session.user, "revoke", { id });
    await revokeElsewhere(first.key.id);
    const confirmation = await startRevoking(page, "First");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
    await confirmation.getByRole("button", { name: "Done" }).click();

    await revokeElsewhere(second.key.id);
    await comeBackTo(page);
    await expect(rowOf(page, "Second")).toBeHidden();
    await expect(revokedRowOf(page, "Second")).toBeVisible();
  });

  test("a list that cannot be refreshed says so and keeps showing the keys", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Still here");
    await loseAnswers(page, "list", "before");
    await comeBackTo(page);
    const notice = page.getByRole("alert").filter({ hasText: "This list could not be refreshed" });
    await expect(notice).toBeVisible({ timeout: 20_000 });
    await expect(rowOf(page, "Still here")).toBeVisible();
    await page.unroute("**/api/trpc/apiKeys.list*");
    await notice.getByRole("button", { name: "Try again" }).click();
    await expect(notice).toBeHidden();
  });
});
