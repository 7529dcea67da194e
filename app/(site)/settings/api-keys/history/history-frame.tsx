import { ChevronLeft } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";

import type { ApiKeyList } from "latchkey";

import { OwnerLabel, OwnerLabelSkeleton } from "../owner/owner-label";
import { paths, strings } from "../strings";

const { history: texts } = strings;

/** The frame of every state of the history's page. `owner`: absent while nobody can tell whose history it is. */
export function HistoryFrame({ owner, children }: { owner?: ApiKeyList["owner"]; children: ReactNode }) {
  return (
    <div className="py-8 sm:py-10">
      <Link
        href={paths.page}
        className="inline-flex min-h-6 items-center gap-1 rounded-sm text-[0.8125rem] text-muted-foreground hover:text-foreground"
      >
        <ChevronLeft aria-hidden className="size-4" />
        <span>{strings.title}</span>
      </Link>
      <div className="mt-3 flex items-center gap-3">
        <h1 className="shrink-0 text-xl font-semibold">{texts.title}</h1>
        {owner ? <OwnerLabel owner={owner} /> : <OwnerLabelSkeleton />}
      </div>
      <p className="mt-1 max-w-xl text-pretty text-muted-foreground">{texts.intro}</p>
      <div className="mt-6">{children}</div>
    </div>
  );
}
