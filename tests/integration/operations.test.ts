import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

import { createLatchkey, type Latchkey } from "latchkey";

import { createApiKey, openServer, revokeApiKey } from "@/server/keys";
import { newCaller, newKeyInput } from "@/tests/support/domain";
import { testDatabaseUrl, testRedis } from "@/tests/support/services";

interface Alert {
  alert: string;
  expr: string;
  annotations: { runbook: string };
}
interface Panel {
  id: number;
  title: string;
  gridPos: Record<"x" | "y" | "w" | "h", number>;
  targets: { expr: string }[];
}

const read = (file: string) => readFileSync(`docs/operations${file}`, "utf8");
const { groups } = parse(read("/alerts.yaml")) as { groups: { rules: Alert[] }[] };
const alerts = groups.flatMap(({ rules }) => rules);
const tested = parse(read("/alerts.test.yaml")) as {
  tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
};
const { panels } = JSON.parse(read("/dashboard.json")) as { panels: Panel[] };
const expressions = [
  ...alerts.map(({ expr }) => expr),
  ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
];

describe("the alerts and the dashboard", () => {
  const metricsSecret = "0123456789abcdef0123456789abcdef";
  let latchkey: Latchkey;
  let metrics: string[];

  beforeAll(async () => {
    latchkey = createLatchkey({
      secretFormat: { environment: "test" },
      databaseUrl: await testDatabaseUrl(),
      redis: testRedis("embedded"),
      logLevel: "silent",
      http: { metricsSecret },
    });
    const server = openServer(latchkey.server);
    const caller = newCaller();
    const { key, secret } = await createApiKey(server, caller, newKeyInput());
    await latchkey.verify(secret);
    await revokeApiKey(server, caller, key);
    const response = await latchkey.handler(
      new Request("https://app.example.com/api/metrics", { headers: { authorization: `Bearer ${metricsSecret}` } }),
    );
    metrics = (await response.text()).split("\n").filter((line) => /^[a-z]/.test(line));
  });
  afterAll(() => latchkey.close());

  it("ask only for metrics that the app has", () => {
    const names = new Set(metrics.map((line) => /^\w+/.exec(line)?.[0]));
    const asked = new Set(expressions.flatMap((expr) => expr.match(/\blatchkey_\w+/g) ?? []));
    expect([...asked].filter((name) => !names.has(name)).sort()).toEqual([]);
  });

  it("group only by labels that the metrics have, and count only outcomes of a leak that there are", () => {
    for (const expr of expressions) {
      const name = /latchkey_\w+/.exec(expr)?.[0] ?? "";
      const series = metrics.filter((line) => line.startsWith(`${name}{`)).join("\n");
      for (const [, labels = ""] of expr.matchAll(/by \(([^)]*)\)/g))
        for (const label of labels.split(", ")) expect(series, expr).toContain(`${label}="`);
      for (const [, outcomes = ""] of expr.matchAll(/outcome=~"([^"]*)"/g))
        for (const outcome of outcomes.split("|")) expect(series, expr).toContain(`outcome="${outcome}"`);
    }
  });

  it("have a place of their own on the dashboard", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });

  it("are each explained, and tested for when they fire and when they do not", () => {
    const headings = Array.from(read(".md").matchAll(/^### (\w+)$/gm), ([, name]) => name);
    expect(headings).toEqual(alerts.map(({ alert }) => alert));
    for (const { alert, annotations } of alerts) {
      expect(annotations.runbook).toBe(`docs/operations.md#${alert.toLowerCase()}`);
      const cases = tested.tests.flatMap((test) => test.alert_rule_test).filter(({ alertname }) => alertname === alert);
      expect(cases.some(({ exp_alerts }) => exp_alerts.length > 0)).toBe(true);
      expect(cases.some(({ exp_alerts }) => exp_alerts.length === 0)).toBe(true);
    }
  });
});
