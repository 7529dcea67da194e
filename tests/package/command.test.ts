import { execFile } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { verifyApiKey } from "@/server/keys";
import { useTestServer } from "@/tests/support/domain";
import { followIncidentPage } from "@/tests/support/incident";
import { settingsOf } from "@/tests/support/operator";
import { commandOf, createPackageHost, type PackageHost, plainEnvironment } from "@/tests/support/package-host";

let plain: PackageHost;
let withClerk: PackageHost;
beforeAll(async () => {
  [plain, withClerk] = [await createPackageHost(), await createPackageHost("@clerk/nextjs")];
});
afterAll(() => Promise.all([plain, withClerk].map((host) => host.remove())));

describe("the command of the package", () => {
  const server = useTestServer("embedded");

  const run = (host: PackageHost, args: string[], settings: Record<string, string> = {}) =>
    new Promise<{ code: number | null; output: string }>((resolve) => {
      const env = plainEnvironment({ ...settingsOf(server()), ...settings });
      const options = { cwd: host.folder, env };
      const child = execFile(process.execPath, [commandOf(host), ...args], options, (_fault, output, errors) =>
        resolve({ code: child.exitCode, output: output + errors }),
      );
    });

  it("has every command, and names them in its help", async () => {
    const { code, output } = await run(plain, ["--help"]);
    expect(code).toBe(0);
    const names = Array.from(output.matchAll(/^ {2}([a-z-]+) .*$/gm), ([, name]) => name);
    expect(names).toEqual(["doctor", "find", "revoke", "revoke-owner", "migrate", "import", "export", "help"]);
  });

  it("follows docs/incident.md", async () => {
    const { followed, leaked } = await followIncidentPage(server(), [process.execPath, commandOf(plain)]);
    for (const { line, code, errors } of followed) expect({ line, code, errors }).toMatchObject({ line, code: 0 });
    expect(await verifyApiKey(server(), leaked.secret)).toEqual({ valid: false, reason: "revoked" });
  });

  it("misses Clerk's settings only in an app that has Clerk", async () => {
    const production = { NODE_ENV: "production" };
    expect(await run(plain, ["doctor"], production)).toMatchObject({ code: 0 });
    const { code, output } = await run(withClerk, ["doctor"], production);
    expect(code).toBe(1);
    expect(output).toContain("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY is not set");
  });
});
