import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { expect, type Page } from "@playwright/test";
import type { AxeResults, RunOptions } from "axe-core";

const source = readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const colorRules = ["color-contrast", "link-in-text-block"];

interface AxeWindow {
  axe?: { run(options: RunOptions): Promise<AxeResults> };
}

/**
 * Fails on any violation of axe-core's rules (WCAG 2.2 A and AA, and its best practices) in what the page shows now.
 * @param which "colors": the rules on colours alone. No other rule finds something else in another theme.
 */
export async function expectAccessible(page: Page, which: "all" | "colors" = "all"): Promise<void> {
  // While a page is loaded anew its title is still to come.
  await expect(page).toHaveTitle(/\S/);
  // A half-faded text has half its contrast.
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)));
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(await source);
  const options: RunOptions = which === "colors" ? { runOnly: colorRules } : {};
  const results = await page.evaluate((chosen) => (window as AxeWindow).axe?.run(chosen), options);
  // A run without a rule would find nothing.
  expect(results?.passes.length).toBeGreaterThan(0);
  const violations = results?.violations ?? [];
  const found = violations.map(({ id, help, nodes }) => ({ id, help, targets: nodes.map(({ html }) => html) }));
  expect(found).toEqual([]);
}
