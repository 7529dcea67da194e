import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { expect, type Page } from "@playwright/test";
import type { AxeResults } from "axe-core";

const source = readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Fails on any violation of axe-core's rules (WCAG 2.2 A and AA, and its best practices) in what the page shows now. */
export async function expectAccessible(page: Page): Promise<void> {
  // A half-faded text has half its contrast.
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)));
  await page.evaluate(await source);
  const { violations } = await page.evaluate(() =>
    (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  const found = violations.map(({ id, help, nodes }) => ({ id, help, targets: nodes.map(({ html }) => html) }));
  expect(found).toEqual([]);
}
