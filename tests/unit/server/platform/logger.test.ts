import { inspect } from "node:util";

import { describe, expect, it } from "vitest";

import { createLogger, describeFault, withoutValues } from "@/server/platform/logger";

function logged(write: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  write(createLogger("trace", { write: (line: string) => void lines.push(line) }));
  return lines.join("");
}

describe("logs", () => {
  it("never hold a secret, a hash, a cookie or an authorization header, at the first three depths", () => {
    const names = ["secret", "hash", "keyHash", "token", "password", "authorization", "cookie", "x-api-key"];
    const fields = Object.fromEntries(names.map((name) => [name, "SENSITIVE"]));
    const text = logged((logger) => logger.info({ ...fields, request: { ...fields, headers: fields } }, "hello"));
    expect(text).toContain("hello");
    expect(text).not.toContain("SENSITIVE");
  });

  it("describe an error by its name and code, not by a message that may hold the whole command", () => {
    const cause = Object.assign(new Error("EVAL … slot:SENSITIVE"), { code: "ECONNREFUSED" });
    const fault = new Error("Failed query: select … params: SENSITIVE", { cause });
    const text = logged((logger) => logger.warn({ fault: describeFault(fault) }, "failed"));
    expect(text).toContain("ECONNREFUSED");
    expect(text).not.toContain("SENSITIVE");
  });

  it("of a host that print a fault as a whole show no value of it", () => {
    const cause = Object.assign(new Error("params: SENSITIVE"), { code: "57P01", params: ["SENSITIVE"] });
    const fault = Object.assign(new Error("Failed query: select … params: SENSITIVE", { cause }), {
      query: "SENSITIVE",
    });
    const text = inspect(withoutValues(fault), { depth: 10, showHidden: true });
    expect(text).toContain("57P01");
    expect(text).toContain("logger.test.ts");
    expect(text).not.toContain("SENSITIVE");
  });
});
