import { type BrowserContext, test as base, type Page } from "@playwright/test";
import { Client } from "pg";

import { accountPassword, findAccountByEmail } from "@/local/clerk/accounts";

import { callProcedure, type HttpUser, newHttpUser } from "./http-user";

export type AccountName = "ada" | "grace" | "linus";
type StorageState = Awaited<ReturnType<BrowserContext["storageState"]>>;

export interface SignedIn {
  /** The settings page, in a browser context of its own. */
  page: Page;
  /** The same user over HTTP. */
  user: HttpUser;
}

/** The longest timeout that a test of these stories has. */
const longestTestMilliseconds = 180_000;

interface Fixtures {
  /** Opens the settings page for an account that has no active keys, and keeps other tests from that account until the end. */
  openAs: (name: AccountName) => Promise<SignedIn>;
}

/** `test` for stories with the demo accounts. A story with two of them opens them in alphabetical order, so that none waits for another in a circle. */
export const test = base.extend<Fixtures, { states: Map<AccountName, StorageState> }>({
  states: [
    async ({}, provide) => {
      await provide(new Map());
    },
    { scope: "worker" },
  ],

  openAs: async ({ browser, states }, provide, testInfo) => {
    const contexts: BrowserContext[] = [];
    const database = new Client({ connectionString: process.env.DATABASE_URL });
    await database.connect();
    await provide(async (name) => {
      // Three accounts, several workers: each test has an account to itself. The lock goes with the connection.
      const ownTime = testInfo.timeout;
      const start = performance.now();
      // What another test takes of its time is not taken from this one's.
      testInfo.setTimeout(ownTime + longestTestMilliseconds);
      await database.query("select pg_advisory_lock(hashtext($1))", [name]);
      testInfo.setTimeout(ownTime + performance.now() - start);
      const user = await newHttpUser({ userId: accountId(name) });
      const storageState = states.get(name);
      const context = await browser.newContext(storageState && { storageState });
      contexts.push(context);
      await callProcedure(context.request, user, "revokeAll", {});
      const page = await context.newPage();
      await page.goto("/settings/api-keys");
      if (!storageState) {
        await signIn(page, name);
        states.set(name, await context.storageState());
      }
      await page.getByRole("heading", { name: "API keys", exact: true }).waitFor();
      return { page, user };
    });
    await Promise.all(contexts.map((context) => context.close()));
    await database.end();
  },
});

/** From the sign-in page to wherever it leads. */
export async function signIn(page: Page, name: AccountName): Promise<void> {
  await page.getByLabel("Email address").fill(emailOf(name));
  await page.getByRole("button", { name: "Continue", exact: true }).click();
  await page.getByLabel("Password", { exact: true }).fill(accountPassword);
  await page.getByRole("button", { name: "Continue", exact: true }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
}

const emailOf = (name: AccountName) => `${name}@example.test`;

function accountId(name: AccountName): string {
  const account = findAccountByEmail(emailOf(name));
  if (!account) throw new Error(`no account ${name}`);
  return account.id;
}
