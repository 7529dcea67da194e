import { expect } from "@playwright/test";

import { withApp } from "../support/app-server";
import { createGate } from "../support/gate";
import { createKeyOver, rotateKeyOver } from "../support/http-user";
import { look } from "../support/look";
import {
  answerAsPending,
  comeBackTo,
  crashAfterSubmit,
  loseAnswers,
  loseSession,
  rowOf,
  startCreating,
  startRevoking,
  startRotating,
  textOn,
  untilHydrated,
  whoami,
  withKeys,
} from "../support/settings-page";
import { loseAccess, type SignedIn, test } from "../support/signed-in";
import {
  forgetKeys,
  storeExpiry,
  storePendingEnd,
  storePendingRevocation,
  storeUseOfOldSecret,
  storeUses,
} from "../support/stored-keys";

/** Every state of every page, see `look`. Those of an organization's page are in `organization-states.spec.ts`. */

/** The keys that most states are looked at with. */
async function withSomeKeys(session: SignedIn) {
  const { page, user } = session;
  await forgetKeys(user);
  await withKeys(session, "Nightly backup", "Old laptop", "Analytics dashboard", "Production");
  await storeExpiry(user, "Old laptop", -12);
  await storeExpiry(user, "Analytics dashboard", 3);
  await storeUses(user, "Production", usesOfAMonth());
  await storeUses(user, "Nightly backup", [{ hoursAgo: 50, count: 1 }]);
  await page.reload();
  await expect(textOn(page, "3 of 5 active")).toBeVisible();
}

/** Busier by day than by night. */
function usesOfAMonth() {
  return Array.from({ length: 30 * 24 }, (_, hoursAgo) => ({
    hoursAgo,
    count: Math.round(40 + 35 * Math.sin((hoursAgo / 24) * 2 * Math.PI) + ((hoursAgo * 37) % 17)),
  }));
}

// Four looks at each of several states.
test.setTimeout(180_000);

test.describe("every state of the settings page", () => {
  test("without keys", async ({ openAsNewUser }) => {
    const { page, user } = await openAsNewUser();
    await forgetKeys(user);
    await page.reload();
    await expect(textOn(page, "No keys yet")).toBeVisible();
    await look(page, "empty");
  });

  test("with keys of every kind", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page, user } = session;
    await withSomeKeys(session);
    await look(page, "keys");

    await page.getByRole("button", { name: "Usage of Production" }).click();
    await expect(textOn(page, "Last 30 days")).toBeVisible();
    await page.getByRole("button", { name: "Usage of Old laptop" }).click();
    await expect(page.getByText("No requests")).toHaveCount(2);
    await look(page, "usage");

    await page.getByRole("button", { name: "Usage of Old laptop" }).click();
    await page.getByRole("button", { name: "Rename Nightly backup" }).click();
    await page.getByRole("textbox", { name: /New name/ }).fill(" ");
    await page.keyboard.press("Enter");
    await expect(textOn(page, "Enter a name.")).toBeVisible();
    await look(page, "rename-refused");
    await page.keyboard.press("Escape");

    await createKeyOver(page.request, user, "Fifth");
    await createKeyOver(page.request, user, "The last one with a name that is as long as names may be");
    await page.reload();
    await page.getByRole("button", { name: "Create key", exact: true }).click();
    await expect(page.getByRole("dialog")).toContainText("the most that are allowed");
    await look(page, "at-the-limit");
  });

  test("with revoked keys, one of them not yet effective", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page, user } = session;
    await withSomeKeys(session);
    for (const name of ["Old laptop", "Production"]) {
      const confirmation = await startRevoking(page, name);
      const field = confirmation.getByRole("textbox");
      if (await field.isVisible()) await field.fill(name);
      await confirmation.getByRole("button", { name: "Revoke key" }).click();
      await confirmation.getByRole("button", { name: "Done" }).click();
    }
    await storePendingRevocation(user, "Nightly backup");
    await page.reload();
    await expect(page.getByText("Taking effect").first()).toBeAttached();
    await look(page, "revoked");
  });

  test("with keys that are being rotated", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page, user } = session;
    await forgetKeys(user);
    await withKeys(session, "Waiting", "Old one quiet", "Old one in use", "Not yet effective");
    await rotateKeyOver(page.request, user, "Waiting", 86_400);
    for (const name of ["Old one quiet", "Old one in use", "Not yet effective"]) {
      const secret = await rotateKeyOver(page.request, user, name, 604_800);
      expect(await whoami(page, secret)).toMatchObject({ status: 200 });
    }
    await storeUseOfOldSecret(user, "Old one quiet", 5);
    await storeUseOfOldSecret(user, "Old one in use", 0);
    await storePendingEnd(user, "Not yet effective");
    await page.reload();
    await expect(textOn(page, "(nothing has used it for an hour)")).toBeVisible();
    await look(page, "rotation");

    const form = await startRotating(page, "Waiting");
    await look(page, "rotate");
    await form.getByText("Ends now", { exact: true }).click();
    await look(page, "rotate-now");
    await form.getByRole("button", { name: "Rotate, end the old key" }).click();
    await expect(form.getByRole("button", { name: "Copy key" })).toBeVisible();
    await look(page, "rotated-now");
    await form.getByLabel("I have saved it").check();
    await form.getByRole("button", { name: "Done" }).click();

    await startRotating(page, "Old one in use");
    await look(page, "rotate-in-grace");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "End it now: the old key of Old one in use" }).click();
    await look(page, "end-old-key");
    await page.getByRole("alertdialog").getByRole("button", { name: "End it now" }).click();
    await expect(page.getByRole("alertdialog").getByRole("status")).toBeVisible();
    await look(page, "end-old-key-receipt");
    await page.getByRole("alertdialog").getByRole("button", { name: "Done" }).click();

    await startRotating(page, "Old one in use");
    await page.getByRole("dialog").getByRole("button", { name: "Rotate key" }).click();
    await expect(page.getByRole("dialog").getByRole("button", { name: "Copy key" })).toBeVisible();
    await look(page, "rotated");
  });

  test("while a key is created and its secret shown", async ({ openAsNewUser }) => {
    const { page, user } = await openAsNewUser();
    await forgetKeys(user);
    await page.reload();
    const form = await startCreating(page, "Production");
    await look(page, "create");
    await form.getByText("Custom", { exact: true }).click();
    for (const name of ["Read projects", "Read reports"]) await form.getByRole("checkbox", { name }).uncheck();
    await form.getByLabel("Name").fill("");
    await form.getByRole("button", { name: "Create key" }).click();
    await expect(form.getByText("Choose at least one permission.")).toBeVisible();
    await form.getByRole("checkbox", { name: "Read reports" }).check();
    await form.getByRole("button", { name: "Create key" }).click();
    await expect(form.getByText("Enter a name.")).toBeVisible();
    await look(page, "create-refused");
    await form.getByLabel("Name").fill("Production");
    await loseAnswers(page, "create", "before");
    await form.getByRole("button", { name: "Create key" }).click();
    await expect(form.getByRole("alert")).toContainText("did not answer");
    await look(page, "create-unanswered");
    await page.unrouteAll();
    await form.getByRole("button", { name: "Create key" }).click();
    await expect(page.getByRole("dialog", { name: "Copy your key now" })).toBeVisible();
    await look(page, "reveal");
    await page.getByRole("button", { name: "Try it" }).click();
    await expect(textOn(page, "HTTP 200")).toBeVisible();
    await look(page, "reveal-tried");
    await page.keyboard.press("Escape");
    await expect(page.getByRole("alertdialog")).toBeVisible();
    await look(page, "reveal-unsaved");
    await page.getByRole("button", { name: "Close anyway" }).click();
  });

  test("while a key is revoked", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withSomeKeys(session);
    let confirmation = await startRevoking(page, "Analytics dashboard");
    await look(page, "revoke");
    await loseAnswers(page, "revoke", "before");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("alert")).toContainText("was not revoked");
    await look(page, "revoke-failed");
    await loseAnswers(page, "list", "before");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("alert")).toContainText("outcome is not known");
    await look(page, "revoke-unknown");
    await page.unrouteAll();
    await confirmation.getByRole("button", { name: "Check again" }).click();
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
    await look(page, "receipt");
    await confirmation.getByRole("button", { name: "Done" }).click();

    confirmation = await startRevoking(page, "Production");
    await confirmation.getByRole("textbox").fill("Production");
    await look(page, "revoke-recently-used");
    await answerAsPending(page, "revoke");
    await loseAnswers(page, "list", "before");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("timer")).toBeVisible();
    await look(page, "receipt-pending");
  });

  test("when a key has leaked", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page, user } = session;
    await withSomeKeys(session);
    const { secret } = await createKeyOver(page.request, user, "Leaked");
    await page.reload();
    const field = page.getByRole("textbox", { name: "Key or line that contains it" });
    await field.fill(`2026-11-25 WARN request failed: Authorization: Bearer ${secret}`);
    await expect(textOn(page, "This is “Leaked”.")).toBeVisible();
    await look(page, "leaked-found");
    await field.fill("lk_test_");
    await expect(textOn(page, "There is no complete key")).toBeVisible();
    await look(page, "leaked-none");
    await page.getByRole("button", { name: "Revoke all keys" }).click();
    const confirmation = page.getByRole("alertdialog");
    await confirmation.getByRole("textbox").fill("revoke all");
    await look(page, "revoke-all");
    await confirmation.getByRole("button", { name: "Revoke all" }).click();
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
    await look(page, "revoke-all-receipt");
  });

  test("without API access", async ({ openAsNewUser }) => {
    const { page: empty } = await openAsNewUser({ hasAccess: false });
    await expect(textOn(empty, "You have no keys")).toBeVisible();
    await look(empty, "no-access");
    const session = await openAsNewUser();
    await withKeys(session, "From before");
    await loseAccess(session);
    await untilHydrated(session.page);
    await session.page.getByRole("button", { name: "Create key", exact: true }).click();
    await expect(session.page.getByRole("dialog")).toBeVisible();
    await look(session.page, "no-access-create");
  });

  test("when something fails", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withSomeKeys(session);
    await loseAnswers(page, "list", "before");
    await comeBackTo(page);
    await expect(textOn(page, "This list could not be refreshed")).toBeVisible({ timeout: 20_000 });
    await expect(rowOf(page, "Production")).toContainText("Not checked");
    await look(page, "refresh-failed");
    await page.unrouteAll();
    // A fault of the page itself: an answer of a shape that it does not know.
    await page.route("**/api/trpc/apiKeys.list*", (route) =>
      route.fulfill({ json: [{ result: { data: { json: {} } } }] }),
    );
    await comeBackTo(page);
    await expect(page.getByRole("alert").filter({ hasText: "Something went wrong" })).toBeVisible();
    await look(page, "crash");
    await page.unrouteAll();
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(textOn(page, "3 of 5 active")).toBeVisible();
  });

  test("while the list is asked for again after coming back", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withSomeKeys(session);
    const answer = createGate();
    await page.route("**/api/trpc/apiKeys.list*", async (route) => {
      await answer.opened;
      await route.continue();
    });
    await comeBackTo(page);
    await expect(rowOf(page, "Production")).toContainText("Checking…");
    await look(page, "checking");
    answer.open();
    await expect(textOn(page, "3 of 5 active")).toBeVisible();
  });

  test("when the page crashes with what is told only once", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withSomeKeys(session);
    const crash = page.getByRole("alert").filter({ hasText: "Something went wrong" });
    const tryAgain = page.getByRole("button", { name: "Try again" });
    const form = await startCreating(page, "Staging");
    await crashAfterSubmit(form);
    await form.getByRole("button", { name: "Create key" }).click();
    await expect(crash).toBeVisible();
    await look(page, "crash-secret");
    await tryAgain.click();
    await form.getByLabel("I have saved it").check();
    await form.getByRole("button", { name: "Done" }).click();

    for (const [name, state] of [
      ["Staging", "crash-receipt"],
      ["Analytics dashboard", "crash-receipt-pending"],
    ] as const) {
      const confirmation = await startRevoking(page, name);
      await crashAfterSubmit(confirmation);
      await confirmation.getByRole("button", { name: "Revoke key" }).click();
      await expect(crash).toBeVisible();
      await expect(page.getByRole("status").filter({ hasText: `“${name}” is revoked` })).toBeVisible();
      await look(page, state);
      await tryAgain.click();
      await answerAsPending(page, "revoke");
    }
  });

  test("when the session has ended", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    await loseSession(page);
    await look(page, "signed-out");
  });

  test("when the keys cannot be loaded, and while they load", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    // A server that reaches no database answers in the place of the run's own, whose origin the sign-in serves.
    const outage = { DATABASE_URL: "postgres://latchkey@127.0.0.1:9/none", APP_ORIGIN: process.env.BASE_URL };
    await withApp(outage, async (origin) => {
      await page.route(/\/settings\/api-keys|\/api\/trpc\//, async (route) => {
        const { pathname, search } = new URL(route.request().url());
        await route.fulfill({ response: await route.fetch({ url: origin + pathname + search }) });
      });
      await page.reload();
      const alert = page.getByRole("alert").filter({ hasText: "Your keys could not be loaded" });
      await expect(alert).toBeVisible();
      await expect(page.getByText("No keys")).toHaveCount(0);
      await look(page, "load-failed");

      await page.unrouteAll();
      const answer = createGate();
      await page.route("**/api/trpc/apiKeys.list*", async (route) => {
        await answer.opened;
        await route.continue();
      });
      await alert.getByRole("button", { name: "Try again" }).click();
      await expect(page.getByRole("status").filter({ hasText: "Loading your keys" })).toBeAttached();
      await look(page, "loading");
      answer.open();
      await expect(textOn(page, /of 5 active/)).toBeVisible();
    });
  });
});

test("every other page", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
  await look(page, "home");
  const missing = await page.goto("/no/such/page");
  expect(missing?.status()).toBe(404);
  await expect(page.getByRole("heading", { name: "There is no such page" })).toBeVisible();
  await look(page, "not-found");
  await page.goto("/sign-in");
  await expect(page.getByLabel("Email address")).toBeVisible();
  await look(page, "sign-in");
});
