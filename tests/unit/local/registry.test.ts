import { describe, expect, it } from "vitest";

import { describeRegistry } from "@/local/registry";
import registry from "@/registry.json";
import { fromEnvironment } from "@/server";

const [item] = registry.items;
const targets = item?.files.map(({ target }) => target) ?? [];

describe("registry.json", () => {
  it("is what `npm run registry` writes for the files that exist", () => {
    expect(registry).toEqual(describeRegistry());
  });

  it("names only files that keep their depth, and so their relative imports", () => {
    for (const { path, target } of item?.files ?? [])
      expect(target.split("/").length, path).toBe(path.split("/").length);
  });

  it("names no file that an app has of its own", () => {
    const own = /^(app\/(layout|page|globals)|middleware|proxy|trpc\/[^/]+$|server\/(api|db)\/|app\/api\/trpc\/)/;
    expect(targets.filter((target) => own.test(target))).toEqual([]);
    expect(new Set(targets).size).toBe(targets.length);
  });

  it("asks for packages without a version, so that an app keeps the ones that it has", () => {
    expect(item?.dependencies.filter((name) => !/^(@[a-z-]+\/)?[a-z-]+$/.test(name))).toEqual([]);
    expect(item?.dependencies).toContain("latchkey");
  });

  it("is made of files alone and leaves at most three lines to do by hand", () => {
    expect(new Set(item?.files.map(({ type }) => type))).toEqual(new Set(["registry:file"]));
    expect(item?.docs.split("\n").length).toBeLessThanOrEqual(3);
  });

  it("writes settings that are named as not set until somebody fills them in", () => {
    const settings: Record<string, string> = { ...item?.envVars };
    const refusal = (() => {
      try {
        fromEnvironment(settings);
        return "";
      } catch (error) {
        return String(error);
      }
    })();
    for (const name of Object.keys(settings).filter((setting) => setting !== "APP_ORIGIN"))
      expect(refusal).toContain(`${name} is not set`);
  });
});
