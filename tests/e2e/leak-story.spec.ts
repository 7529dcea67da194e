import { expect, type Page } from "@playwright/test";

import { withApp } from "../support/app-server";
import { startEventReceiver } from "../support/event-receiver";
import { startGithubSender } from "../support/github-sender";
import { runLatchkey } from "../support/latchkey-command";
import { createKey, revokedRowOf, whoami } from "../support/settings-page";
import { test } from "../support/signed-in";

const place = "https://github.com/octo/repo/blob/main/config.yml#L7";
const historyOf = (page: Page) => page.getByRole("table", { name: "What has happened" });

test("the night a key leaks: GitHub reports it, it is refused within a second, the team is told, and the operator finds it", async ({
  openAsNewUser,
}) => {
  test.setTimeout(120_000);
  const { page, user } = await openAsNewUser();
  const [github, receiver] = [await startGithubSender(), await startEventReceiver()];
  const ofExposure = () => receiver.received.filter(({ type }) => type === "api_key.exposed");
  receiver.answer = ({ type }) => (type === "api_key.exposed" && ofExposure().length <= 2 ? 503 : 204);
  const secret = await createKey(page, "Deploy");
  expect(await whoami(page, secret)).toMatchObject({ status: 200 });

  // The report comes to another process than the one that has the key in its answers.
  const settings = {
    API_KEY_ENVIRONMENT: "test",
    GITHUB_SECRET_SCANNING: "on",
    GITHUB_SECRET_SCANNING_KEYS_URL: github.keysUrl,
    EVENTS_WEBHOOK_URL: receiver.url,
    EVENTS_WEBHOOK_SECRET: receiver.secret,
  };
  await withApp(settings, async (origin) => {
    const body = JSON.stringify([{ token: secret, type: "latchkey_api_key", url: place, source: "content" }]);
    const headers = github.headersFor(body);
    const reportedAt = Date.now();
    const answer = await fetch(`${origin}/api/v1/leaks/github`, { method: "POST", headers, body });
    expect(await answer.json()).toMatchObject([{ label: "true_positive" }]);
    await expect.poll(async () => (await whoami(page, secret)).code).toBe("api_key_revoked");

    // The row says where and since when, and the history who and why.
    await page.reload();
    const told = revokedRowOf(page, "Deploy").locator("xpath=following-sibling::tr[1]");
    await expect(told).toContainText("Found: github.com. Reported");
    await expect(told).toContainText(place);
    await revokedRowOf(page, "Deploy").getByRole("link", { name: "History of Deploy" }).click();
    await expect(historyOf(page)).toContainText("It was found where it does not belong: github.com");
    await expect(historyOf(page)).toContainText("It was revoked because somebody had found it");

    // The receiver has failed twice, and verifies what it takes.
    await expect.poll(() => ofExposure().length, { timeout: 40_000 }).toBe(3);
    const [first, ...again] = ofExposure();
    expect(again.map((attempt) => [attempt.id, attempt.body])).toEqual(again.map(() => [first?.id, first?.body]));
    expect(first?.data).toMatchObject({
      action: "key.exposed",
      ownerId: user.userId,
      actor: { kind: "reporter", id: "github" },
      detail: { source: "github", location: "content", url: place, action: "revoke" },
    });
    const revocation = () => receiver.received.find(({ type }) => type === "api_key.revocation_effective");
    await expect.poll(() => revocation()?.data.keyId).toBe(first?.data.keyId);
    const { at } = revocation()?.data.detail as { at: string };
    test
      .info()
      .annotations.push({ type: "effective", description: `${Date.parse(at) - reportedAt} ms after it was sent` });
    expect(JSON.stringify(receiver.received)).not.toContain(secret.slice(-20));
  });

  const { DATABASE_URL = "" } = process.env;
  const line = `2026-11-27T03:12:44Z GET /v1/reports \u001b[33mAuthorization: Bearer ${secret}\u001b[0m 200\n`;
  const found = await runLatchkey(["find"], { DATABASE_URL, API_KEY_ENVIRONMENT: "test" }, line);
  expect(found).toMatchObject({ code: 0, errors: "" });
  expect(found.output).toContain("Deploy");
  expect(found.output).toContain(user.userId);
  expect(found.output).toContain("leak");
  expect(found.output).not.toContain(secret.slice(-20));
  await Promise.all([github.stop(), receiver.stop()]);
});
