"use client";

import { useQuery } from "@tanstack/react-query";

import { formatHour, formatShortDate } from "../time";
import { Button } from "../ui/button";
import { Skeleton } from "../ui/skeleton";
import type { ApiKeyUsage } from "latchkey";
import { useApiKeys } from "../../../../../trpc/latchkey/client";

import { strings } from "../strings";
import { Sparkline } from "./sparkline";

const { usage: texts } = strings;
const numberForm = new Intl.NumberFormat("en-US");

/** How often a key was accepted, by the hour and by the day. */
export function KeyUsage({ id }: { id: string }) {
  const { queries } = useApiKeys();
  const { data, isError, refetch } = useQuery(queries.usage(id));
  if (isError && !data)
    return (
      <p role="alert" className="flex items-center gap-3 text-muted-foreground">
        <span>{texts.failed}</span>
        <Button variant="secondary" size="sm" onClick={() => void refetch()}>
          {strings.tryAgain}
        </Button>
      </p>
    );
  return (
    <div aria-busy={!data}>
      <div className="grid gap-x-10 gap-y-5 sm:grid-cols-2">
        <Period title={texts.last24Hours} end={texts.now} buckets={data?.last24Hours} format={formatHour} />
        {/* Days are counted in UTC, so they are named in UTC. */}
        <Period title={texts.last30Days} end={texts.today} buckets={data?.last30Days} format={formatShortDate} />
      </div>
      <p className="mt-3 text-xs text-muted-foreground">{data ? texts.note : texts.loading}</p>
    </div>
  );
}

interface PeriodProps {
  title: string;
  end: string;
  buckets: ApiKeyUsage["last24Hours"] | undefined;
  format: (start: Date) => string;
}

function Period({ title, end, buckets, format }: PeriodProps) {
  if (!buckets) return <Skeleton className="h-[5.25rem]" />;
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  const peak = buckets.reduce((highest, bucket) => (bucket.count > highest.count ? bucket : highest));
  const [first] = buckets;
  return (
    <figure>
      <figcaption className="flex flex-wrap items-baseline justify-between gap-x-3">
        <span className="font-medium">{title}</span>
        <span className="tabular-nums">{total === 0 ? texts.none : texts.requests(numberForm.format(total))}</span>
      </figcaption>
      {total > 0 && (
        <>
          <Sparkline values={buckets.map(({ count }) => count)} />
          <p className="flex justify-between gap-3 text-xs text-muted-foreground tabular-nums">
            <span>{first && format(first.start)}</span>
            <span>{texts.peak(numberForm.format(peak.count), format(peak.start))}</span>
            <span>{end}</span>
          </p>
        </>
      )}
    </figure>
  );
}
