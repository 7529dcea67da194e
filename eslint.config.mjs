import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

import { textStandsAlone } from "./tests/lint/text-stands-alone.mjs";

/** A rule of direction: what a folder may not import, and where to go instead. */
const forbid = (group, message) => ({ group, message });

const outsideServer = forbid(
  ["drizzle-orm", "drizzle-orm/*", "pg", "@upstash/*"],
  "Postgres and Redis are reached only under server/. Call a verb of @/server/api-keys instead.",
);
const standIns = forbid(
  ["@/local/*", "**/local/*"],
  "local/ holds stand-ins for development and tests; nothing that ships may import it.",
);
const transportInDomain = forbid(
  ["@/app/*", "@/trpc/*", "**/app/*", "**/trpc/*", "next", "next/*", "react", "react-dom", "@trpc/*", "@clerk/*"],
  "server/ knows nothing of React, Next, tRPC or Clerk. Pass what you need as a plain argument.",
);
const pagesInTransport = forbid(
  ["@/app/*", "**/app/*"],
  "The direction is app → trpc → server. Move what is shared down.",
);

const onlyWriterOfSlots = {
  selector: "MemberExpression[property.name='redis'], Literal[value=/^ak:/], TemplateElement[value.raw=/^ak:/]",
  message: "server/slot/slot.ts is the only one that reads and writes slots. Use ctx.slots.",
};

const restrict = (...patterns) => ({ "no-restricted-imports": ["error", { patterns }] });
const noEnvironment = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message:
    "Settings are read and checked in server/settings/env.ts only. Add the setting there and take it from getEnvironment().",
};
const noSyntax = (...entries) => ({ "no-restricted-syntax": ["error", ...entries] });

export default tseslint.config(
  { ignores: [".next/", ".local/", "node_modules/", "next-env.d.ts", "test-results/", "playwright-report/"] },
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
  { files: ["app/**", "trpc/**", "server/**"], rules: noSyntax(noEnvironment) },
  {
    files: ["server/api-keys/**", "server/purges/**", "server/gateway/**"],
    ignores: ["server/slot/slot.ts"],
    rules: noSyntax(noEnvironment, onlyWriterOfSlots),
  },
  { files: ["app/**"], rules: restrict(outsideServer, standIns) },
  {
    files: ["app/**/*.tsx"],
    plugins: { latchkey: { rules: { "text-stands-alone": textStandsAlone } } },
    rules: { "latchkey/text-stands-alone": "error" },
  },
  { files: ["trpc/**"], rules: restrict(outsideServer, standIns, pagesInTransport) },
  { files: ["server/**"], rules: restrict(standIns, transportInDomain) },
  // The one place that reads settings, and the entry of `npm run db:migrate`.
  { files: ["server/settings/env.ts", "server/platform/migrate-command.ts"], rules: { "no-restricted-syntax": "off" } },
);
