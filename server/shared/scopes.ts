/**
 * What a key may be allowed to do, `resource:action`, with the title the settings page shows. The one place where a host app lists
 * its own: replace these by the resources of your API and name them in `withApiKey(handler, { scopes })`.
 */
export const scopeCatalogue = {
  "projects:read": "Read projects",
  "projects:write": "Create and change projects",
  "reports:read": "Read reports",
  "reports:write": "Create and change reports",
} as const;

export type Scope = keyof typeof scopeCatalogue;

export const allScopes = Object.keys(scopeCatalogue) as [Scope, ...Scope[]];

/** Offered first when a key is created. */
export const scopePresets: Record<"all" | "readOnly", Scope[]> = {
  all: allScopes,
  readOnly: allScopes.filter((scope) => scope.endsWith(":read")),
};
