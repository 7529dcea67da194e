"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { CloudOff, History } from "lucide-react";

import { formatDateTime } from "../time";
import { Button } from "../ui/button";
import { Skeleton } from "../ui/skeleton";
import { Spinner } from "../ui/spinner";
import type { KeyEvent } from "latchkey";
import { useApiKeys } from "../../../../../trpc/latchkey/client";

import { toCallFailure } from "../call-failure";
import { AccountSwitched } from "../frame/account-switched";
import { SessionEnded } from "../frame/session-ended";
import { StateCard } from "../frame/state-card";
import { ColumnHead, TableFrame } from "../list/table-parts";
import { strings } from "../strings";
import { useDescribeEvent } from "./use-describe-event";

const { history: texts } = strings;

/** The events of the account, or of one key, page by page, newest first. @param id the key's id; absent: all. */
export function HistoryTable({ id }: { id: string | undefined }) {
  const { queries } = useApiKeys();
  const history = useInfiniteQuery(queries.history(id));
  const { data, error, isFetchingNextPage, hasNextPage } = history;
  const failure = error && toCallFailure(error).code;
  if (failure === "SIGNED_OUT") return <SessionEnded />;
  if (failure === "OTHER_OWNER") return <AccountSwitched />;
  if (failure === "API_KEY_NOT_FOUND")
    return <StateCard role="alert" Icon={History} title={strings.failures.API_KEY_NOT_FOUND} text={texts.noSuchKey} />;
  if (!data && error)
    return (
      <StateCard role="alert" Icon={CloudOff} title={texts.failed} text={texts.failedText}>
        <Button variant="secondary" onClick={() => void history.refetch()}>
          {strings.tryAgain}
        </Button>
      </StateCard>
    );
  if (!data) return <Skeleton className="h-64" />;
  const events = data.pages.flatMap((page) => page.events);
  if (events.length === 0) return <StateCard Icon={History} title={texts.none} text={texts.noneText} />;
  return (
    <>
      <TableFrame caption={texts.caption}>
        <thead>
          <tr>
            <ColumnHead>{texts.columns.event}</ColumnHead>
            <ColumnHead from="md">{texts.columns.key}</ColumnHead>
            <ColumnHead from="md">{texts.columns.at}</ColumnHead>
          </tr>
        </thead>
        <tbody className="divide-y">
          {events.map((event) => (
            <EventRow key={event.id} event={event} />
          ))}
        </tbody>
      </TableFrame>
      <div className="mt-4 flex flex-wrap items-center gap-3 text-[0.8125rem] text-muted-foreground">
        {hasNextPage && (
          <Button
            variant="secondary"
            aria-busy={isFetchingNextPage}
            disabled={isFetchingNextPage}
            onClick={() => void history.fetchNextPage()}
          >
            {isFetchingNextPage && <Spinner />}
            <span>{texts.more}</span>
          </Button>
        )}
        <p role="status">{error ? texts.failed : texts.shown(events.length, hasNextPage)}</p>
      </div>
    </>
  );
}

function EventRow({ event }: { event: KeyEvent }) {
  const describe = useDescribeEvent();
  const time = (
    <time dateTime={event.at.toISOString()} className="whitespace-nowrap tabular-nums">
      {formatDateTime(event.at)}
    </time>
  );
  return (
    <tr>
      <td className="w-full px-4 py-2.5 align-top">
        <span className="text-pretty break-words">{describe(event)}</span>
        <span className="mt-1 flex flex-wrap gap-x-3 text-xs text-muted-foreground md:hidden">
          {event.keyName !== null && (
            <span translate="no" className="break-words">
              {event.keyName}
            </span>
          )}
          {time}
        </span>
      </td>
      <td className="hidden max-w-56 px-4 py-2.5 align-top md:table-cell">
        <span translate="no" className="block truncate" title={event.keyName ?? undefined}>
          {event.keyName ?? ""}
        </span>
      </td>
      <td className="hidden px-4 py-2.5 align-top text-muted-foreground md:table-cell">{time}</td>
    </tr>
  );
}
