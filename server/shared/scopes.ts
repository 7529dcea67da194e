/**
 * What a key may be allowed to do, as `resource:action`, with the title that the settings page shows. A host app lists its scopes here and
 * nowhere else: replace these with the resources of your API, and name them in `withApiKey(handler, { scopes })`.
 */
export const scopeCatalogue = {
  "projects:read": "Read projects",
  "projects:write": "Create and change projects",
  "reports:read": "Read reports",
  "reports:write": "Create and change reports",
} as const;

export type Scope = keyof typeof scopeCatalogue;

export const allScopes = Object.keys(scopeCatalogue) as [Scope, ...Scope[]];

/** The form offers these before single scopes. */
export const scopePresets: Record<"all" | "readOnly", Scope[]> = {
  all: allScopes,
  readOnly: allScopes.filter((scope) => scope.endsWith(":read")),
};
