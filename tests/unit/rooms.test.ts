import { readFileSync } from "node:fs";
import { ESLint, type Linter } from "eslint";
import tseslint from "typescript-eslint";
import { describe, expect, it } from "vitest";

import config from "../../eslint.config.mjs";
import { rooms } from "../../rooms.mjs";

interface Room {
  is: string;
  mayImport: string[];
  instead: string;
}
const all = Object.entries(rooms as Record<string, Room>);

describe("the rooms of the house", () => {
  it("import one way only: no room is imported by one that it imports, however far around", () => {
    const reachable = (room: string, seen = new Set<string>()): Set<string> => {
      for (const next of (rooms as Record<string, Room>)[room]?.mayImport ?? [])
        if (!seen.has(next)) reachable(next, seen.add(next));
      return seen;
    };
    for (const [room] of all) expect([...reachable(room)], room).not.toContain(room);
  });

  it("stand in the README as the lint holds them", () => {
    const readme = readFileSync("README.md", "utf8");
    const rows = [...readme.matchAll(/^\| `([a-z/()-]+)\/` +\| (.+?) +\| (.+?) +\|$/gm)].map(
      ([, room = "", is, may]) => [
        room,
        { is, mayImport: may === "nothing" ? [] : (may ?? "").split(" ").map((name) => name.replace(/^`|\/?`$/g, "")) },
      ],
    );
    expect(Object.fromEntries(rows)).toMatchObject(
      Object.fromEntries(all.map(([room, { is, mayImport }]) => [room, { is, mayImport }])),
    );
  });

  describe("are held by the lint", () => {
    const [block] = (config as Linter.Config[]).filter(({ plugins }) => plugins && "boundaries" in plugins);
    const eslint = new ESLint({
      overrideConfigFile: true,
      overrideConfig: [{ files: ["**/*.ts"], languageOptions: { parser: tseslint.parser } }, block ?? {}],
    });
    const complaints = async (filePath: string, code: string) =>
      (await eslint.lintText(code, { filePath })).flatMap(({ messages }) => messages.map(({ message }) => message));

    it("which refuses an import upwards, relative or by the alias, and says where to go instead", async () => {
      for (const [filePath, code] of [
        ["server/slot/slot.ts", 'import "../keys/create";'],
        ["server/shared/status.ts", 'import "../platform/database";'],
        ["server/keys/create.ts", 'export { parseEnvironment } from "../settings/env";'],
        ["server/http/problem.ts", 'import "../clerk/session";'],
        ["trpc/root.ts", 'import "@/app/strings";'],
        ["app/api/v1/route.ts", 'import "@/server/settings/env";'],
        ["app/api/v1/route.ts", 'import "@/local/stack";'],
        ["app/(site)/settings/api-keys/list/row.ts", 'import "../../../../strings";'],
        ["app/(site)/settings/api-keys/page.ts", 'import "../../../components/menu";'],
        ["app/(site)/settings/api-keys/page.ts", 'import "../../../../server/http/index";'],
      ] as const)
        expect(await complaints(filePath, code), `${filePath}: ${code}`).toEqual([
          expect.stringMatching(/may not import .+\. .+/),
        ]);
    });

    it("and lets one downwards pass", async () => {
      expect(await complaints("server/keys/create.ts", 'import "../outbox/change-and-purge";')).toEqual([]);
      expect(await complaints("app/api/v1/route.ts", 'import "@/server/http/index";')).toEqual([]);
      const inBlock = await complaints("app/(site)/settings/api-keys/page.ts", 'import "../../../../server/latchkey";');
      expect(inBlock).toEqual([]);
    });
  });
});
