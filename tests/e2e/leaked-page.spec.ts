import { expect, type Page } from "@playwright/test";

import { mintSecret } from "@/server/keys/secret";

import { look } from "../support/look";
import { revokedRowOf, rowOf, whoami, withKeys } from "../support/settings-page";
import { test } from "../support/signed-in";

const place = "https://paste.example.test/raw/4711?view=all";

async function fillReport(page: Page, text: string, url = "") {
  await page.goto("/leaked");
  await page.getByLabel("The key, or text that contains it").fill(text);
  await page.getByLabel("Where you found it").fill(url);
}

const report = (page: Page) => page.getByRole("button", { name: "Report it" }).click();
const answerOn = (page: Page) => page.getByRole("status").filter({ hasText: /./ });

test.describe("a stranger who has found a key", () => {
  for (const javaScriptEnabled of [true, false])
    test(`ends it on a page ${javaScriptEnabled ? "with" : "without"} JavaScript, and learns nothing of it`, async ({
      openAsNewUser,
      browser,
    }) => {
      const session = await openAsNewUser();
      const [secret = ""] = await withKeys(session, "Found");
      const context = await browser.newContext({ javaScriptEnabled });
      const stranger = await context.newPage();
      await fillReport(stranger, `> export API_KEY="${secret}"\n`, place);
      await report(stranger);
      await expect(answerOn(stranger)).toContainText("Thank you. We have your report.");
      expect(await whoami(session.page, secret)).toMatchObject({ status: 401, code: "api_key_revoked" });
      expect(await stranger.content()).not.toContain("Found”");

      // The answer for a key that nobody has is the same, letter for letter.
      const told = await answerOn(stranger).innerText();
      await fillReport(stranger, mintSecret({ prefix: "lk", environment: "test" }));
      await report(stranger);
      await expect(answerOn(stranger)).toHaveText(told.replace(/\n+/g, ""));
      await fillReport(stranger, "lk_test_Ab3d…9xYz");
      await report(stranger);
      await expect(answerOn(stranger)).toContainText("There is no complete key in this text.");
      await context.close();
    });

  test("keeps what was pasted when the report does not get through", async ({ page }) => {
    await fillReport(page, "some text", place);
    await page.route("**/api/v1/leaks", (route) => route.abort());
    await report(page);
    await expect(answerOn(page)).toContainText("Your report did not get through.");
    await expect(page.getByLabel("The key, or text that contains it")).toHaveValue("some text");
    await expect(page.getByLabel("Where you found it")).toHaveValue(place);
  });

  test("sends one report for two clicks that come in one render", async ({ page }) => {
    await fillReport(page, mintSecret({ prefix: "lk", environment: "test" }));
    const sent: string[] = [];
    page.on("request", (request) => request.method() === "POST" && sent.push(new URL(request.url()).pathname));
    await page.getByRole("button", { name: "Report it" }).evaluate((button: HTMLButtonElement) => {
      button.click();
      button.click();
    });
    await expect(answerOn(page)).toContainText("Thank you. We have your report.");
    expect(sent.filter((path) => path === "/api/v1/leaks")).toHaveLength(1);
  });

  test("sees a page that is right in every look", async ({ page }) => {
    await page.goto("/leaked");
    await expect(page.getByRole("button", { name: "Report it" })).toBeVisible();
    await look(page, "leaked-form");
    await page.goto("/leaked#report-received");
    await look(page, "leaked-received");
    await page.goto("/leaked#report-unavailable");
    // The browser scrolls to it, and the header stays where it is: it must not cover the answer.
    const [header, answer] = [await page.getByRole("banner").boundingBox(), await answerOn(page).boundingBox()];
    expect(answer?.y ?? 0).toBeGreaterThanOrEqual((header?.y ?? 0) + (header?.height ?? Infinity));
    await look(page, "leaked-unavailable");
  });

  test("is told nothing by an address that somebody has made up", async ({ page }) => {
    await page.goto("/leaked?report=received#report-__proto__");
    await expect(page.getByRole("button", { name: "Report it" })).toBeVisible();
    await expect(answerOn(page)).toHaveCount(0);
  });
});

test("an owner sees where a key was found, since when it is refused, and creates a replacement", async ({
  openAsNewUser,
}) => {
  const session = await openAsNewUser();
  const { page } = session;
  const [secret = ""] = await withKeys(session, "Exposed");
  const response = await page.request.post("/api/v1/leaks", { data: { credentials: [secret], url: place } });
  expect(response.status()).toBe(202);
  await expect(async () => {
    await page.reload();
    await expect(revokedRowOf(page, "Exposed")).toContainText("Since", { timeout: 1_000 });
  }).toPass();
  await expect(revokedRowOf(page, "Exposed")).toContainText("because it was found");
  const told = revokedRowOf(page, "Exposed").locator("xpath=following-sibling::tr[1]");
  await expect(told).toContainText("This key was found where it does not belong");
  await expect(told).toContainText("Found: paste.example.test. Reported");
  await expect(told).toContainText(place);
  // The address is text alone: no link leads to it.
  await expect(told.getByRole("link")).toHaveCount(0);
  await look(page, "exposed-key");

  await told.getByRole("button", { name: "Create a replacement" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByLabel("Name")).toHaveValue("Exposed");
  await dialog.getByRole("button", { name: "Create key" }).click();
  const replacement = await dialog.getByLabel("Key “Exposed”").inputValue();
  await dialog.getByLabel("I have saved it").check();
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(rowOf(page, "Exposed")).toBeVisible();
  expect(await whoami(page, replacement)).toMatchObject({ status: 200 });
});
