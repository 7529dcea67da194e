import type { ReactNode } from "react";

import { Time } from "../time";
import { cn } from "../ui/cn";

import { strings } from "../strings";

/** From which width on a column is shown. On narrower screens the name cell holds what it says. */
const shownFrom = { sm: "hidden sm:table-cell", md: "hidden md:table-cell", lg: "hidden lg:table-cell" };
type Width = keyof typeof shownFrom;

export function TableFrame({ caption, children }: { caption: string; children: ReactNode }) {
  return (
    <div className="overflow-hidden rounded-lg border bg-card shadow-xs">
      <table className="w-full text-[0.8125rem]">
        <caption className="sr-only">{caption}</caption>
        {children}
      </table>
    </div>
  );
}

export function ColumnHead({ children, from, isHidden }: { children: string; from?: Width; isHidden?: boolean }) {
  return (
    <th
      scope="col"
      className={cn(
        "h-9 border-b bg-muted/70 px-4 text-left text-xs font-medium whitespace-nowrap text-muted-foreground",
        from && shownFrom[from],
      )}
    >
      {isHidden ? <span className="sr-only">{children}</span> : children}
    </th>
  );
}

export function Cell({ children, from, isQuiet }: { children: ReactNode; from?: Width; isQuiet?: boolean }) {
  return (
    <td
      className={cn(
        "h-12 px-4 py-2.5 align-top leading-7 whitespace-nowrap",
        isQuiet && "text-muted-foreground",
        from && shownFrom[from],
      )}
    >
      {children}
    </td>
  );
}

/** "Used 2 days ago", or that it never was. */
export function LastUsed({ at }: { at: Date | null }) {
  if (!at) return <span>{strings.table.neverUsed}</span>;
  return (
    <>
      <span>{strings.table.usedAt}</span> <Time value={at} form="relative" />
    </>
  );
}

/** The visible characters of a key: enough to match a leaked one to its row. */
export function KeyDisplay({ display }: { display: string }) {
  return (
    <code translate="no" className="font-mono text-xs text-muted-foreground">
      {display}
    </code>
  );
}
