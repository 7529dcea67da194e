import boundaries from "eslint-plugin-boundaries";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

import { rooms } from "./rooms.mjs";
import { textStandsAlone } from "./tests/lint/text-stands-alone.mjs";

// The innermost room of a file counts, so it comes first.
const elements = Object.keys(rooms)
  .sort((a, b) => b.length - a.length)
  // A pattern would read the parentheses of a folder as a group.
  .map((room) => ({ type: room, pattern: room.replace(/[()]/g, "\\$&"), partialMatch: false }));

const directions = {
  default: "allow",
  policies: Object.entries(rooms).flatMap(([room, { mayImport, instead }]) =>
    Object.keys(rooms)
      .filter((other) => other !== room && !mayImport.includes(other))
      .map((other) => ({
        from: { element: { type: room } },
        disallow: { to: { element: { type: other } } },
        message: `${room} may not import ${other}. ${instead}`,
      })),
  ),
};

const forbid = (group, message) => ({ group, message });
const storage = forbid(
  ["drizzle-orm", "drizzle-orm/*", "pg", "@upstash/*"],
  "Postgres and Redis are reached only under server/. Call a verb of server/keys instead.",
);
const frameworks = forbid(
  ["next", "next/*", "react", "react-dom", "@trpc/*", "@clerk/*"],
  "server/ knows nothing of React, Next, tRPC or Clerk, but for server/clerk. Pass what you need as a plain argument.",
);
const alias = forbid(["@/*"], "server/ is made to be taken along: import relatively.");
const blockAlias = forbid(
  ["@/*"],
  "The settings page is taken along as it stands, and other apps have other aliases: import relatively.",
);
const node = forbid(["node:*"], "A browser loads this room: nothing of Node.");
const packages = {
  regex: "^[^.]",
  message: "A worker loads this room: only what lies in server/, and nothing of Node.",
};
/** What Node has and a worker has not. */
const notOfTheWeb = ["Buffer", "process", "global", "require", "module", "__dirname", "setImmediate", "clearImmediate"];
const restrict = (...patterns) => ({ "no-restricted-imports": ["error", { patterns }] });

/** The page's own code loads only what is pure: everything else of server/ may be named as a type. */
const serverInBrowser = {
  "@typescript-eslint/no-restricted-imports": [
    "error",
    {
      patterns: [
        {
          regex: "^latchkey(/(?!shared$).*)?$|/server/latchkey$",
          allowTypeImports: true,
          message: "A client component imports values only from latchkey/shared, the scopes and trpc/latchkey/client.",
        },
      ],
    },
  ],
};

const onlyWriterOfSlots = {
  selector: "MemberExpression[property.name='redis'], Literal[value=/(^|:)ak:/], TemplateElement[value.raw=/(^|:)ak:/]",
  message: "server/slot/slot.ts is the only one that reads and writes slots. Use ctx.slots.",
};
const noEnvironment = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: "server/settings alone reads the environment. Add the setting there and take an option.",
};
const noSyntax = (...entries) => ({ "no-restricted-syntax": ["error", ...entries] });

export default tseslint.config(
  { ignores: [".next/", "dist/", ".local/", "node_modules/", "next-env.d.ts", "test-results/", "playwright-report/"] },
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { project: "./tsconfig.json" } },
    plugins: { "react-hooks": reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_", argsIgnorePattern: "^_" }],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
    },
  },
  { files: ["**/*.mjs"], ...tseslint.configs.disableTypeChecked },
  {
    files: Object.keys(rooms).map((room) => `${room}/**`),
    plugins: { boundaries },
    settings: {
      "boundaries/elements": elements,
      "import/resolver": { typescript: { project: "./tsconfig.json" } },
    },
    rules: { "boundaries/dependencies": ["error", directions] },
  },
  {
    files: ["app/**", "trpc/**", "server/**"],
    ignores: ["server/settings/options.ts"],
    rules: noSyntax(noEnvironment),
  },
  {
    files: ["server/{keys,outbox,owners,leaks,http,clerk}/**"],
    ignores: ["server/http/readiness.ts"],
    rules: noSyntax(noEnvironment, onlyWriterOfSlots),
  },
  { files: ["app/**"], rules: restrict(storage) },
  { files: ["app/(site)/settings/api-keys/**"], rules: restrict(storage, blockAlias) },
  {
    files: ["app/**/*.tsx", "app/(site)/**/*.ts", "trpc/latchkey/*"],
    ignores: ["app/**/page.tsx", "app/**/session-page.tsx", "trpc/latchkey/server.tsx"],
    rules: serverInBrowser,
  },
  { files: ["server/**"], ignores: ["server/latchkey/**"], rules: restrict(frameworks, alias) },
  { files: ["server/latchkey/**", "trpc/**"], rules: restrict(storage, alias) },
  { files: ["server/clerk/**"], rules: restrict(alias) },
  { files: ["server/shared/**"], rules: restrict(frameworks, storage, alias, node) },
  {
    files: ["server/edge/**", "server/gateway/**"],
    rules: {
      ...restrict(packages),
      "no-restricted-globals": [
        "error",
        ...notOfTheWeb.map((name) => ({ name, message: "A worker has no such thing." })),
      ],
    },
  },
  {
    files: ["app/**/*.tsx"],
    plugins: { latchkey: { rules: { "text-stands-alone": textStandsAlone } } },
    rules: { "latchkey/text-stands-alone": "error" },
  },
  // The entry of the command: a composition of its own.
  { files: ["server/command/run-from-process.ts"], rules: { "no-restricted-syntax": "off" } },
);
