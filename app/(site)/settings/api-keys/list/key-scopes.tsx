import { allScopes, scopePresets } from "../../../../../server/latchkey/scopes";

import { strings } from "../strings";

/** Shows what a key may do. A preset is shown as one word. */
export function KeyScopes({ scopes }: { scopes: readonly string[] }) {
  if (scopes.length === 0) return <span className="text-muted-foreground">{strings.table.noScopes}</span>;
  if (isSame(scopes, allScopes)) return <span>{strings.table.allScopes}</span>;
  if (isSame(scopes, scopePresets.readOnly)) return <span>{strings.table.readOnlyScopes}</span>;
  return (
    <ul translate="no" className="flex flex-col font-mono text-xs leading-5 text-muted-foreground first:pt-1">
      {scopes.map((scope) => (
        <li key={scope}>{scope}</li>
      ))}
    </ul>
  );
}

function isSame(scopes: readonly string[], preset: readonly string[]): boolean {
  return scopes.length === preset.length && preset.every((scope) => scopes.includes(scope));
}
