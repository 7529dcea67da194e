"use client";

import Link from "next/link";
import { Fragment } from "react";

import { Time } from "../time";
import { Badge } from "../ui/badge";
import type { ApiKeySummary, Effect } from "latchkey";

import { historyOf } from "../history/history-of";
import { useOwner } from "../owner/use-owner";
import { strings } from "../strings";
import { useSecondsUntil } from "../use-seconds-until";
import { ExposedKey } from "./exposed-key";
import { rowId } from "./key-table";
import { Cell, ColumnHead, KeyDisplay, TableFrame } from "./table-parts";

const { revoked: texts } = strings;

interface RevokedKeysProps {
  keys: ApiKeySummary[];
  /** Creates a key like that one. Absent: the reader may not create keys. */
  onReplace: ((key: ApiKeySummary) => void) | undefined;
}

/** Lists the revoked keys, and from when on each was no longer accepted. */
export function RevokedKeys({ keys, onReplace }: RevokedKeysProps) {
  return (
    <section aria-labelledby="revoked-keys" className="mt-10">
      <h2 id="revoked-keys" className="text-[0.9375rem] font-semibold">
        {texts.title}
      </h2>
      <p className="mt-0.5 mb-3 text-[0.8125rem] text-muted-foreground">{texts.intro}</p>
      <TableFrame caption={texts.caption}>
        <thead>
          <tr>
            <ColumnHead>{texts.columns.name}</ColumnHead>
            <ColumnHead from="md">{texts.columns.key}</ColumnHead>
            <ColumnHead from="md">{texts.columns.revoked}</ColumnHead>
            <ColumnHead from="sm">{texts.columns.effective}</ColumnHead>
          </tr>
        </thead>
        <tbody className="divide-y">
          {keys.map((key) => (
            <Fragment key={key.id}>
              <RevokedRow apiKey={key} />
              <ExposedKey apiKey={key} onReplace={onReplace} />
            </Fragment>
          ))}
        </tbody>
      </TableFrame>
    </section>
  );
}

function RevokedRow({ apiKey }: { apiKey: ApiKeySummary }) {
  const { name, display, revokedAt, revokedBy, effect } = apiKey;
  const by = { ...texts.by, ...useOwner().texts.revokedBy };
  const when = revokedAt && (
    <>
      <Time value={revokedAt} form="relative" /> {revokedBy && <span>{by[revokedBy]}</span>}
    </>
  );
  return (
    <tr id={rowId(apiKey)} tabIndex={-1} className="has-[+.is-of-row-above]:border-b-0! -outline-offset-2">
      <th scope="row" className="w-full max-w-0 min-w-0 px-4 py-2.5 text-left align-top font-normal">
        <span className="flex items-baseline gap-3 leading-7">
          <span className="truncate text-muted-foreground">{name}</span>
          <Link
            href={historyOf(apiKey)}
            prefetch={false}
            aria-label={strings.history.of(name)}
            className="rounded-sm text-xs text-muted-foreground underline underline-offset-4 hover:text-foreground"
          >
            {strings.history.title}
          </Link>
        </span>
        <span className="mt-1 flex flex-col gap-1 text-xs text-muted-foreground md:hidden">
          <KeyDisplay display={display} />
          <span>
            <span>{texts.revokedAt}</span> {when}
          </span>
          {effect && (
            <span className="mt-0.5 sm:hidden">
              <EffectCell effect={effect} />
            </span>
          )}
        </span>
      </th>
      <Cell from="md">
        <KeyDisplay display={display} />
      </Cell>
      <Cell from="md" isQuiet>
        {when}
      </Cell>
      <Cell from="sm">{effect && <EffectCell effect={effect} />}</Cell>
    </tr>
  );
}

function EffectCell({ effect }: { effect: Effect }) {
  if (effect.status === "pending") return <PendingCell guaranteedBy={effect.guaranteedBy} />;
  return (
    <span className="text-muted-foreground">
      <span>{texts.since}</span> <Time value={effect.at} form="dateTime" />
    </span>
  );
}

/** Says until when something that is revoked may still work. */
export function PendingCell({ guaranteedBy }: { guaranteedBy: Date }) {
  const seconds = useSecondsUntil(guaranteedBy);
  return (
    <span className="flex flex-col items-start gap-1">
      {seconds === 0 ? (
        <Badge>{strings.status.revoked}</Badge>
      ) : (
        <Badge variant="warning">{strings.status.pending}</Badge>
      )}
      <span className="text-xs leading-4 whitespace-normal text-muted-foreground">
        {seconds === 0 ? (
          texts.pastDeadline
        ) : (
          <>
            <span>{texts.pendingUntil}</span> <Time value={guaranteedBy} form="time" /> <span>{texts.atTheLatest}</span>
            {seconds !== null && <span className="tabular-nums">{` · ${strings.effect.secondsLeft(seconds)}`}</span>}
          </>
        )}
      </span>
    </span>
  );
}
