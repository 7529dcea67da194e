import { expect, type Page } from "@playwright/test";

import { Client } from "pg";
import superjson from "superjson";

import { createKeyOver, type HttpUser } from "../support/http-user";
import { comeBackTo, revokedRowOf, rowOf, startRevoking, whoami } from "../support/settings-page";
import { type SignedIn, test } from "../support/signed-in";

/** Opens the page with keys of these names, the last one on top. */
async function withKeys({ page, user }: SignedIn, ...names: string[]): Promise<string[]> {
  const secrets = [];
  for (const name of names) secrets.push((await createKeyOver(page.request, user, name)).secret);
  await page.reload();
  return secrets;
}

/** Uses reach the database up to a minute late; this one is there at once. */
async function markAsUsed({ userId }: HttpUser, name: string) {
  const database = new Client({ connectionString: process.env.DATABASE_URL });
  await database.connect();
  const statement = `insert into api_key_usage (key_id, hour, count, last_used_at)
    select id, date_trunc('hour', now()), 1, now() from api_keys where owner_id = $1 and name = $2 and revoked_at is null`;
  await database.query(statement, [userId, name]);
  await database.end();
}

/** Lets calls of a procedure fail: before the server has seen them, or after it has answered. */
async function loseAnswers(page: Page, procedure: string, when: "before" | "after") {
  await page.route(`**/api/trpc/apiKeys.${procedure}*`, async (route) => {
    if (when === "after") await route.fetch();
    await route.abort();
  });
}

test.describe("revoking on the settings page", () => {
  test("the focus is on Cancel, comes back to the row, and moves on to the next one when the row is gone", async ({
    openAs,
  }) => {
    const session = await openAs("ada");
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

  test("the name is asked for only when the key was used in the last day", async ({ openAs }) => {
    const session = await openAs("ada");
    const { page } = session;
    await withKeys(session, "Idle", "Busy");
    await markAsUsed(session.user, "Busy");
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

  test("nothing is said to be revoked before the server has answered", async ({ openAs }) => {
    const session = await openAs("ada");
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

  test("a lost answer is asked for again, and the receipt tells what the server knows", async ({ openAs }) => {
    const session = await openAs("ada");
    const { page } = session;
    const [secret = ""] = await withKeys(session, "Lost answer");
    await loseAnswers(page, "revoke", "after");
    const confirmation = await startRevoking(page, "Lost answer");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
    expect(await whoami(page, secret)).toMatchObject({ code: "api_key_revoked" });
  });

  test("a call that never arrived is told as not revoked, and can be repeated", async ({ openAs }) => {
    const session = await openAs("ada");
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

  test("an outcome that nobody can tell is never called not revoked", async ({ openAs }) => {
    const session = await openAs("ada");
    const { page } = session;
    await withKeys(session, "Unknown");
    await loseAnswers(page, "revoke", "after");
    await loseAnswers(page, "effect", "before");
    const confirmation = await startRevoking(page, "Unknown");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("alert")).toContainText("The outcome is not known");
    await expect(confirmation).not.toContainText("ot revoked");
    await page.unroute("**/api/trpc/apiKeys.effect*");
    await confirmation.getByRole("button", { name: "Check again" }).click();
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
  });

  test("a pending revocation counts down to its latest moment, and turns effective by itself", async ({ openAs }) => {
    const session = await openAs("ada");
    const { page } = session;
    await withKeys(session, "Pending");
    // As the server answers while its cache cannot be reached.
    await page.route("**/api/trpc/apiKeys.revoke*", async (route) => {
      const response = await route.fetch();
      const effect = { status: "pending", guaranteedBy: new Date(Date.now() + 65_000) };
      const data = superjson.serialize({ key: null, effect });
      await route.fulfill({ response, json: [{ result: { data } }] });
    });
    let answer = () => {};
    const held = new Promise<void>((resolve) => (answer = resolve));
    await page.route("**/api/trpc/apiKeys.effect*", async (route) => {
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

  test("a key that was revoked elsewhere counts as revoked, and leaves the list on focus", async ({ openAs }) => {
    const session = await openAs("ada");
    const { page } = session;
    await withKeys(session, "First", "Second");
    const other = await page.context().newPage();
    await other.goto("/settings/api-keys");
    const elsewhere = await startRevoking(other, "First");
    await elsewhere.getByRole("button", { name: "Revoke key" }).click();
    await expect(elsewhere.getByRole("status")).toContainText("Effective since");

    const confirmation = await startRevoking(page, "First");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await expect(confirmation.getByRole("status")).toContainText("Effective since");
    await confirmation.getByRole("button", { name: "Done" }).click();

    await elsewhere.getByRole("button", { name: "Done" }).click();
    const again = await startRevoking(other, "Second");
    await again.getByRole("button", { name: "Revoke key" }).click();
    await expect(again.getByRole("status")).toContainText("Effective since");
    await comeBackTo(page);
    await expect(rowOf(page, "Second")).toBeHidden();
    await expect(revokedRowOf(page, "Second")).toBeVisible();
  });

  test("a list that cannot be refreshed says so and keeps showing the keys", async ({ openAs }) => {
    const session = await openAs("ada");
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
