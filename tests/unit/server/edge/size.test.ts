import { gzipSync } from "node:zlib";

import { EdgeVM } from "@edge-runtime/vm";
import { ESLint, type Linter } from "eslint";
import tseslint from "typescript-eslint";
import { describe, expect, it } from "vitest";

import config from "@/eslint.config.mjs";
import { bundleForEdge } from "@/tests/support/edge";

describe("the code that a worker loads", () => {
  it("is below 10 kB, compressed", async () => {
    const code = await bundleForEdge("server/edge/index.ts", "esm");
    expect(gzipSync(code).byteLength).toBeLessThan(10_000);
    expect(code).not.toMatch(/node:|\brequire\(|\bimport\b/);
  });

  it("runs where there is neither process nor Buffer", async () => {
    const vm = new EdgeVM();
    expect(vm.evaluate("[typeof process, typeof Buffer, typeof setImmediate].join()")).toBe(
      "undefined,undefined,undefined",
    );
    vm.evaluate(await bundleForEdge("server/edge/index.ts", "iife"));
    const answer = vm.evaluate<Promise<string>>(`(async () => {
      const verifier = bundled.createEdgeVerifier({
        redis: { url: "https://redis.example.com", token: "token" },
        origin: "https://app.example.com",
        introspectionSecret: "${"i".repeat(32)}",
      });
      const handle = verifier.withApiKey(() => new Response());
      const headers = { authorization: "Basic " + btoa("lk_live_x:") };
      return [(await verifier.verify("lk_live_x")).reason, (await handle(new Request("https://a.example", { headers }), {})).status].join();
    })()`);
    expect(await answer).toBe("malformed,401");
  });

  it("is kept from Node and from packages by the lint", async () => {
    const code =
      'import { hash } from "node:crypto";\nimport { z } from "zod";\nexport const all = [hash, z, Buffer, process, setImmediate];\n';
    const blocks = (config as Linter.Config[]).filter(({ rules }) => rules && "no-restricted-globals" in rules);
    const eslint = new ESLint({
      overrideConfigFile: true,
      overrideConfig: [{ files: ["**/*.ts"], languageOptions: { parser: tseslint.parser } }, ...blocks],
    });
    for (const room of ["edge", "gateway"]) {
      const [result] = await eslint.lintText(code, { filePath: `server/${room}/verifier.ts` });
      const rules = result?.messages.map(({ ruleId }) => ruleId);
      expect(rules, room).toEqual([
        ...Array<string>(2).fill("no-restricted-imports"),
        ...Array<string>(3).fill("no-restricted-globals"),
      ]);
    }
  });
});
