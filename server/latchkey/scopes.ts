/**
 * What a key may be allowed to do, as `resource:action`, with the title that the settings page shows. List the scopes of your API here and
 * nowhere else, and name them in `withApiKey(handler, { scopes })`. The settings page loads this file: keep it free of imports.
 */
export const scopeCatalogue = {
  "projects:read": "Read projects",
  "projects:write": "Create and change projects",
  "reports:read": "Read reports",
  "reports:write": "Create and change reports",
} as const;

export type Scope = keyof typeof scopeCatalogue;

export const allScopes = Object.keys(scopeCatalogue) as Scope[];

/** The form offers these before single scopes. */
export const scopePresets: Record<"all" | "readOnly", Scope[]> = {
  all: allScopes,
  readOnly: allScopes.filter((scope) => scope.endsWith(":read")),
};
