import { expect } from "@playwright/test";

import { createAndReveal } from "../support/settings-page";
import { test } from "../support/signed-in";

test.describe("a secret is shown once", () => {
  test("after the dialog is closed it is nowhere in the page, its address, its title or its storage", async ({
    openAsNewUser,
  }) => {
    const { page } = await openAsNewUser();
    const { dialog, secret } = await createAndReveal(page, "Once");
    const whereItIs = () =>
      page.evaluate((text) => {
        const fields = [...document.querySelectorAll("input, textarea")].map(
          (field) => "value" in field && field.value,
        );
        const places = {
          page: document.documentElement.outerHTML + fields.join(),
          address: location.href,
          title: document.title,
          localStorage: JSON.stringify(localStorage),
          sessionStorage: JSON.stringify(sessionStorage),
          cookies: document.cookie,
          history: JSON.stringify(history.state),
        };
        return Object.entries(places).flatMap(([name, content]) => (content.includes(text) ? [name] : []));
      }, secret);
    expect(await whereItIs()).toEqual(["page"]);
    await dialog.getByLabel("I have saved it").check();
    await dialog.getByRole("button", { name: "Done" }).click();
    await expect(dialog).toBeHidden();
    expect(await whereItIs()).toEqual([]);
    expect((await page.context().cookies()).filter(({ value }) => value.includes(secret))).toEqual([]);
    const reloaded = await page.reload();
    expect(await reloaded?.text()).not.toContain(secret);
  });

  test("Escape, a click beside it and Done ask first while it is neither copied nor saved", async ({
    openAsNewUser,
  }) => {
    const { page } = await openAsNewUser();
    const { dialog } = await createAndReveal(page, "Guarded");
    const question = page.getByRole("alertdialog", { name: "Close without copying the key?" });
    const keepOpen = question.getByRole("button", { name: "Keep open" });
    for (const leave of [
      () => page.keyboard.press("Escape"),
      () => page.mouse.click(5, 5),
      () => dialog.getByRole("button", { name: "Done" }).click(),
    ]) {
      await leave();
      await expect(keepOpen).toBeFocused();
      await keepOpen.click();
      await expect(question).toBeHidden();
      await expect(dialog).toBeVisible();
    }
    await page.keyboard.press("Escape");
    await question.getByRole("button", { name: "Close anyway" }).click();
    await expect(dialog).toBeHidden();
    await expect(page.getByRole("button", { name: "Create key", exact: true })).toBeFocused();
  });

  test("the browser asks before the page is left, until it is saved", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    const { dialog } = await createAndReveal(page, "Leaving");
    const asked: string[] = [];
    page.on("dialog", (question) => {
      asked.push(question.type());
      void question.dismiss();
    });
    // Dismissed, so it does not reload; and nothing answers a reload that does not happen.
    await page.evaluate(() => location.reload());
    await expect.poll(() => asked).toEqual(["beforeunload"]);
    await expect(dialog).toBeVisible();
    await dialog.getByLabel("I have saved it").check();
    await page.reload();
    await expect(dialog).toBeHidden();
    expect(asked).toEqual(["beforeunload"]);
  });

  test("a refused clipboard selects the key, says so, and does not count as copied", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    // No permission at all: the browser refuses the page's write.
    await page.context().grantPermissions([]);
    const { dialog, secret } = await createAndReveal(page, "Refused");
    await dialog.getByRole("button", { name: "Copy key" }).click();
    await expect(dialog.getByRole("status").last()).toContainText("did not allow copying");
    expect(await page.evaluate(() => getSelection()?.toString())).toBe(secret);
    await expect(dialog.getByRole("button", { name: "Copy key" })).toHaveText("Copy");
    await page.keyboard.press("Escape");
    await expect(page.getByRole("alertdialog", { name: "Close without copying the key?" })).toBeVisible();
  });

  test("“back” asks first, too, and once it is saved goes back as ever", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    await page.goto("/");
    await page.getByRole("link", { name: "Manage your API keys" }).click();
    const { dialog, secret } = await createAndReveal(page, "Going back");
    await page.goBack();
    await expect(page.getByRole("alertdialog", { name: "Close without copying the key?" })).toBeVisible();
    await page.getByRole("button", { name: "Keep open" }).click();
    await expect(dialog.getByLabel("Key “Going back”")).toHaveValue(secret);
    await dialog.getByLabel("I have saved it").check();
    await dialog.getByRole("button", { name: "Done" }).click();
    await expect(dialog).toBeHidden();
    await expect(page.getByRole("button", { name: "Create key", exact: true })).toBeFocused();
    await page.goBack();
    await expect(page).toHaveURL("/");
  });

  test("the new key can be tried at once, and every snippet holds it", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const { dialog, secret } = await createAndReveal(page, "Tried");
    for (const what of [".env line", "curl command", "JavaScript"]) {
      await dialog.getByRole("button", { name: `Copy ${what}` }).click();
      await expect(dialog.getByRole("button", { name: `Copy ${what}` })).toHaveText("Copied");
      expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(secret);
    }
    // As a program calls: with the key and without the session.
    const called = page.waitForRequest("**/api/v1/whoami");
    await dialog.getByRole("button", { name: "Try it" }).click();
    const headers = await (await called).allHeaders();
    expect(headers).toMatchObject({ authorization: `Bearer ${secret}` });
    expect(headers).not.toHaveProperty("cookie");
    const answer = dialog.getByRole("status").filter({ hasText: "HTTP 200" });
    await expect(answer).toContainText('"name": "Tried"');
    await page.route("**/api/v1/whoami", (route) => route.abort());
    await dialog.getByRole("button", { name: "Try it" }).click();
    await expect(dialog.getByRole("status").filter({ hasText: "The API did not answer" })).toBeVisible();
  });
});
