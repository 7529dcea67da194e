import { expect, type Locator, type Page } from "@playwright/test";
import superjson, { type SuperJSONResult } from "superjson";

import { createKeyOver } from "./http-user";
import type { SignedIn } from "./signed-in";

/** Waits until React has taken over what the server rendered. A click before that is lost. */
export async function untilHydrated(page: Page): Promise<void> {
  const button = page.getByRole("button", { name: "Create key", exact: true });
  const isHydrated = () =>
    button.evaluate((element) => Object.keys(element).some((key) => key.startsWith("__reactProps")));
  await expect.poll(isHydrated).toBe(true);
}

/** Opens the create dialog and fills in the name. */
export async function startCreating(page: Page, name: string): Promise<Locator> {
  await page.getByRole("button", { name: "Create key", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  return dialog;
}

/** Creates a key through the page, up to the step that shows its secret. */
export async function createAndReveal(page: Page, name: string): Promise<{ dialog: Locator; secret: string }> {
  const dialog = await startCreating(page, name);
  await dialog.getByRole("button", { name: "Create key" }).click();
  return { dialog, secret: await dialog.getByLabel(`Key “${name}”`).inputValue() };
}

/** Creates a key through the page, says that it is saved, and returns its secret. */
export async function createKey(page: Page, name: string): Promise<string> {
  const { dialog, secret } = await createAndReveal(page, name);
  await dialog.getByLabel("I have saved it").check();
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(rowOf(page, name)).toBeVisible();
  return secret;
}

/**
 * A text that is shown. While the page streams in, the browser holds a hidden copy of what is about to be shown, too; roles do not see
 * it, texts do.
 */
export function textOn(page: Page, text: string | RegExp): Locator {
  return page.getByText(text).filter({ visible: true });
}

/** The row of a key that is not revoked, of a person or of an organization. */
export function rowOf(page: Page, name: string): Locator {
  const named = page.getByRole("rowheader").filter({ hasText: name });
  return tableOf(page).getByRole("row").filter({ has: named });
}

const tableOf = (page: Page) => page.getByRole("table", { name: /^(Your keys|Keys of .+)$/ });

/** The row below it, of a key that is being rotated. */
export function rotationOf(page: Page, name: string): Locator {
  return tableOf(page)
    .getByRole("row")
    .filter({ hasText: `Rotation of ${name}.` });
}

export async function startRotating(page: Page, name: string): Promise<Locator> {
  await page.getByRole("button", { name: `Rotate ${name}`, exact: true }).click();
  return page.getByRole("dialog");
}

/** The row of a revoked key. */
export function revokedRowOf(page: Page, name: string): Locator {
  return page.getByRole("table", { name: "Revoked keys" }).getByRole("row").filter({ hasText: name }).first();
}

export async function startRevoking(page: Page, name: string): Promise<Locator> {
  await page.getByRole("button", { name: `Revoke ${name}`, exact: true }).click();
  return page.getByRole("alertdialog");
}

/** The status of a request with the key, and the problem's code. */
export async function whoami(page: Page, secret: string): Promise<{ status: number; code?: string }> {
  const response = await page.request.get("/api/v1/whoami", { headers: { authorization: `Bearer ${secret}` } });
  return { status: response.status(), ...((await response.json()) as { code?: string }) };
}

/** What the browser tells a page whose tab is looked at again, repeated until the page listens: then it asks for the list anew. */
export async function comeBackTo(page: Page): Promise<void> {
  await expect(async () => {
    await Promise.all([
      page.waitForRequest(/apiKeys\.list/, { timeout: 2_000 }),
      page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true }))),
    ]);
  }).toPass({ timeout: 20_000 });
}

/** Takes the session away while the page is open, until the page has noticed: meanwhile clerk-js may write its cookie back. */
export async function loseSession(page: Page): Promise<void> {
  const told = page.getByRole("alert").filter({ hasText: "You are signed out" });
  await expect(async () => {
    await page.context().clearCookies();
    // clerk-js may notice it first. Then the page asks for no list any more.
    await Promise.race([comeBackTo(page), told.waitFor()]);
    await expect(told).toBeVisible({ timeout: 10_000 });
  }).toPass({ timeout: 40_000 });
}

/** Gives the account keys of these names, the last one on top, and shows them. */
export async function withKeys({ page, user }: SignedIn, ...names: string[]): Promise<string[]> {
  const secrets = [];
  for (const name of names) secrets.push((await createKeyOver(page.request, user, name)).secret);
  await page.reload();
  return secrets;
}

/** Lets calls of a procedure fail: before the server has seen them, or after it has answered. */
export async function loseAnswers(page: Page, procedure: string, when: "before" | "after"): Promise<void> {
  await page.route(`**/api/trpc/apiKeys.${procedure}*`, async (route) => {
    if (when === "after") await route.fetch();
    await route.abort();
  });
}

/** Lets the page crash once the dialog's form is sent, as an extension does that knows nothing of React: the next change finds its form gone. */
export async function crashAfterSubmit(dialog: Locator): Promise<void> {
  await dialog.locator("form").evaluate((form: HTMLFormElement) => {
    form.addEventListener("submit", () => setTimeout(() => form.remove()));
  });
}

/** Answers a revocation as the server does while its cache cannot be reached. */
export async function answerAsPending(page: Page, procedure: "revoke" | "revokeAll"): Promise<void> {
  await page.route(`**/api/trpc/apiKeys.${procedure}*`, async (route) => {
    const response = await route.fetch();
    const [answer] = (await response.json()) as [{ result: { data: SuperJSONResult } }];
    const data = superjson.deserialize<{ key?: object; keys?: object[]; effect: object }>(answer.result.data);
    const effect = { status: "pending", guaranteedBy: new Date(Date.now() + 65_000) };
    const asPending = (key: object) => ({ ...key, effect });
    const pending = {
      ...data,
      ...(data.key && { key: asPending(data.key) }),
      ...(data.keys && { keys: data.keys.map(asPending) }),
      effect,
    };
    await route.fulfill({ response, json: [{ result: { data: superjson.serialize(pending) } }] });
  });
}
