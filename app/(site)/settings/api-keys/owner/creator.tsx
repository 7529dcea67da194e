"use client";

import { useClerkAuth } from "../frame/use-clerk-auth";
import { strings } from "../strings";

const { creator: texts } = strings;

/** Who has created a key. A summary has the person's id alone, and Clerk's client knows no names of other members. */
export function Creator({ userId }: { userId: string }) {
  const auth = useClerkAuth();
  if (auth?.userId === userId) return <span>{texts.you}</span>;
  return (
    <code translate="no" title={userId} className="font-mono text-xs">
      {shorten(userId)}
    </code>
  );
}

/** Long enough to find a person among the members. */
function shorten(id: string): string {
  return id.length > 16 ? `${id.slice(0, 9)}…${id.slice(-4)}` : id;
}
