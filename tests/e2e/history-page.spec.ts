import { readFile } from "node:fs/promises";

import { expect, type Page } from "@playwright/test";

import { callProcedure, rotateKeyOver } from "../support/http-user";
import { look } from "../support/look";
import { loseAnswers, revokedRowOf, rowOf, startRevoking, textOn, whoami, withKeys } from "../support/settings-page";
import { type SignedIn, test } from "../support/signed-in";

const historyUrl = "/settings/api-keys/history";
const events = (page: Page) => page.getByRole("table", { name: "What has happened" }).locator("tbody").getByRole("row");

async function renameOver({ page, user }: SignedIn, id: string, name: string) {
  expect((await callProcedure(page.request, user, "rename", { id, name })).status).toBe(200);
}

async function idOf({ page, user }: SignedIn, name: string): Promise<string> {
  const { result } = await callProcedure(page.request, user, "list");
  const { keys } = result as { keys: { id: string; name: string; status: string }[] };
  return keys.find((key) => key.name === name && key.status === "active")?.id ?? "";
}

async function save(page: Page, name: "CSV" | "NDJSON"): Promise<string> {
  const started = page.waitForEvent("download");
  await page.getByRole("link", { name }).click();
  return readFile(await (await started).path(), "utf8");
}

test.setTimeout(180_000);

test.describe("the history on the settings page", () => {
  test("an opened row tells what was done to the key, and what is done to it now", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page, user } = session;
    await withKeys(session, "Production");
    const fresh = await rotateKeyOver(page.request, user, "Production", 3_600);
    await page.reload();
    await page.getByRole("button", { name: "Usage of Production" }).click();
    const history = page.getByRole("region", { name: "History of Production" });
    await expect(history.getByRole("listitem")).toHaveText([
      /^You started a rotation: .* for 1 hour/,
      /^You created it/,
    ]);
    await whoami(page, fresh);
    await expect(history.getByRole("listitem").first()).toContainText(
      "The new key was first used. The old one works until",
    );
    await page.getByRole("button", { name: "Rename Production" }).click();
    await page.getByRole("textbox", { name: "New name for Production" }).fill("Renamed");
    await page.keyboard.press("Enter");
    const renamed = page.getByRole("region", { name: "History of Renamed" });
    await expect(renamed.getByRole("listitem").first()).toContainText("You renamed it from “Production” to “Renamed”");

    await renamed.getByRole("link", { name: "All history" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "History" })).toBeVisible();
    await expect(page.getByLabel("Show", { exact: true })).toHaveValue(/^key_/);
    await expect(events(page)).toHaveCount(4);
    await page.getByRole("link", { name: "API keys" }).first().click();
    await expect(rowOf(page, "Renamed")).toBeVisible();
  });

  test("a revoked key keeps its history, with the moment from which it was refused", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "Ended");
    const confirmation = await startRevoking(page, "Ended");
    await confirmation.getByRole("button", { name: "Revoke key" }).click();
    await confirmation.getByRole("button", { name: "Done" }).click();
    await revokedRowOf(page, "Ended").getByRole("link", { name: "History of Ended" }).click();
    await expect(events(page)).toHaveText([
      /^From now on no request with it was accepted/,
      /^You revoked it/,
      /^You created it/,
    ]);
  });

  test("the page goes back event by event, keeps its choice, and every download has all of it", async ({
    openAsNewUser,
  }) => {
    const session = await openAsNewUser();
    const { page } = session;
    await withKeys(session, "First", "Second");
    const id = await idOf(session, "First");
    for (let round = 1; round <= 60; round++) await renameOver(session, id, `Name ${round}`);
    await page.goto(`${historyUrl}?key=${id}`);
    await expect(events(page)).toHaveCount(50);
    await expect(textOn(page, "50 events so far")).toBeVisible();
    await page.getByRole("button", { name: "Show older events" }).click();
    await expect(events(page)).toHaveCount(61);
    await expect(textOn(page, "61 events, and none before")).toBeVisible();
    await expect(events(page).first()).toContainText("You renamed it from “Name 59” to “Name 60”");
    await expect(events(page).last()).toContainText("You created it");

    const csv = await save(page, "CSV");
    expect(csv.trim().split("\r\n")).toHaveLength(62);
    const lines = (await save(page, "NDJSON")).trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { keyId: string }).keyId)).toEqual(Array(61).fill(id));

    await page.getByLabel("Show", { exact: true }).selectOption({ label: "All keys, and the account" });
    await expect(page).toHaveURL(new RegExp(`${historyUrl}$`));
    await expect(events(page).filter({ hasText: "Second" }).first()).toBeHidden();
    await page.getByRole("button", { name: "Show older events" }).click();
    await expect(events(page).filter({ hasText: "Second" }).first()).toBeVisible();
    await page.reload();
    await expect(page.getByLabel("Show", { exact: true })).toHaveValue("");
    expect((await save(page, "NDJSON")).trim().split("\n").length).toBeGreaterThan(61);
  });

  test("a key of somebody else, or none at all, has no history", async ({ openAsNewUser }) => {
    const { page } = await openAsNewUser();
    for (const key of ["key_01890000-0000-7000-8000-000000000000", "nonsense"]) {
      await page.goto(`${historyUrl}?key=${key}`);
      await expect(page.getByRole("alert").filter({ hasText: /no longer exists|could not be loaded/ })).toBeVisible();
      await expect(events(page)).toHaveCount(0);
    }
  });

  test("every state of it, for everybody", async ({ openAsNewUser }) => {
    const session = await openAsNewUser();
    const { page, user } = session;
    await withKeys(session, "Nightly backup", "Production");
    await rotateKeyOver(page.request, user, "Production", 86_400);
    await renameOver(
      session,
      await idOf(session, "Nightly backup"),
      "A name of a key that is as long as a name may be, so it wraps",
    );
    await page.reload();
    await page.getByRole("button", { name: "Usage of Production" }).click();
    await expect(page.getByRole("region", { name: "History of Production" }).getByRole("listitem")).toHaveCount(2);
    await look(page, "history-row");
    await page.goto(historyUrl);
    await expect(events(page).first()).toBeVisible();
    await look(page, "history");
    await loseAnswers(page, "history", "before");
    await page.reload();
    await expect(page.getByRole("alert").filter({ hasText: "could not be loaded" })).toBeVisible({ timeout: 30_000 });
    await look(page, "history-failed");
  });
});
