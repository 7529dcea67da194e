"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import Link from "next/link";

import { Time } from "../time";
import { Button } from "../ui/button";
import { Skeleton } from "../ui/skeleton";
import type { ApiKeySummary } from "latchkey";
import { useApiKeys } from "../../../../../trpc/latchkey/client";

import { strings } from "../strings";
import { historyOf } from "./history-of";
import { useDescribeEvent } from "./use-describe-event";
import { versionOf } from "./version-of";

const { history: texts } = strings;

/** The last events of a key, in its opened row. */
export function KeyHistory({ apiKey }: { apiKey: ApiKeySummary }) {
  const { queries } = useApiKeys();
  const describe = useDescribeEvent();
  const { data, isError, refetch } = useQuery({
    ...queries.latestEvents(apiKey.id, versionOf(apiKey)),
    placeholderData: keepPreviousData,
  });
  return (
    <section aria-label={texts.of(apiKey.name)} className="mt-5">
      <div className="mb-1.5 flex flex-wrap items-baseline justify-between gap-x-4">
        <h2 className="font-medium">{texts.title}</h2>
        <Link href={historyOf(apiKey)} prefetch={false} className="rounded-sm text-xs underline underline-offset-4">
          {texts.all}
        </Link>
      </div>
      {data ? (
        <ol className="flex flex-col gap-1.5">
          {data.events.map((event) => (
            <li key={event.id} className="flex flex-wrap justify-between gap-x-4">
              <span className="min-w-0 text-pretty break-words">{describe(event)}</span>
              <span className="text-xs leading-5 text-muted-foreground">
                <Time value={event.at} form="relative" />
              </span>
            </li>
          ))}
        </ol>
      ) : isError ? (
        <p role="alert" className="flex items-center gap-3 text-muted-foreground">
          <span>{texts.failed}</span>
          <Button variant="secondary" size="sm" onClick={() => void refetch()}>
            {strings.tryAgain}
          </Button>
        </p>
      ) : (
        <Skeleton className="h-12" />
      )}
    </section>
  );
}
