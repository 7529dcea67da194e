"use client";

import { CalendarClock } from "lucide-react";

import type { ApiKeySummary } from "@/server/api-keys";

import { Time } from "../../../components/time";
import { Badge } from "../../../components/ui/badge";
import { Button } from "../../../components/ui/button";
import { useIsExpiring } from "./use-is-expiring";
import { KeyName } from "./key-name";
import { KeyScopes } from "./key-scopes";
import { strings } from "./strings";
import { Cell, ColumnHead, KeyDisplay, TableFrame } from "./table-parts";

const { columns } = strings.table;

/** Where the focus goes when the row before it is gone. */
export const revokeButtonId = ({ id }: { id: string }) => `revoke-${id}`;

interface KeyTableProps {
  keys: ApiKeySummary[];
  onRevoke: (key: ApiKeySummary) => void;
}

/** The keys that are not revoked: active ones, then expired ones. */
export function KeyTable({ keys, onRevoke }: KeyTableProps) {
  return (
    <TableFrame caption={strings.table.caption}>
      <KeyTableHead />
      <tbody className="divide-y">
        {keys.map((key) => (
          <KeyRow key={key.id} apiKey={key} onRevoke={onRevoke} />
        ))}
      </tbody>
    </TableFrame>
  );
}

export function KeyTableHead() {
  return (
    <thead>
      <tr>
        <ColumnHead>{columns.name}</ColumnHead>
        <ColumnHead from="md">{columns.key}</ColumnHead>
        <ColumnHead from="lg">{columns.scopes}</ColumnHead>
        <ColumnHead from="lg">{columns.created}</ColumnHead>
        <ColumnHead from="md">{columns.lastUsed}</ColumnHead>
        <ColumnHead from="md">{columns.expires}</ColumnHead>
        <ColumnHead from="sm">{columns.status}</ColumnHead>
        <ColumnHead isHidden>{columns.actions}</ColumnHead>
      </tr>
    </thead>
  );
}

function KeyRow({ apiKey, onRevoke }: { apiKey: ApiKeySummary; onRevoke: KeyTableProps["onRevoke"] }) {
  const { name, display, scopes, status, createdAt, lastUsedAt, expiresAt } = apiKey;
  const isExpiring = useIsExpiring(apiKey);
  const statusBadge =
    status === "expired" ? (
      <Badge variant="destructive">{strings.status.expired}</Badge>
    ) : (
      <Badge variant={isExpiring ? "warning" : "success"}>
        {isExpiring ? strings.status.expiring : strings.status.active}
      </Badge>
    );
  return (
    <tr className="group/row transition-colors hover:bg-muted/60">
      <th scope="row" className="w-full max-w-0 min-w-0 px-4 py-2.5 text-left align-top font-normal">
        <KeyName apiKey={apiKey} />
        <div className="mt-1 flex flex-col gap-1 text-xs text-muted-foreground md:hidden">
          <KeyDisplay display={display} />
          <span className="flex flex-wrap gap-x-3">
            <span className="whitespace-nowrap">
              {lastUsedAt ? (
                <>
                  {strings.table.usedAt} <Time value={lastUsedAt} form="relative" />
                </>
              ) : (
                strings.table.neverUsed
              )}
            </span>
            <span className="whitespace-nowrap">
              {expiresAt ? (
                <>
                  {status === "expired" ? strings.table.expiredAt : strings.table.expiresAt}{" "}
                  <Time value={expiresAt} form={isExpiring ? "relative" : "date"} />
                </>
              ) : (
                strings.table.neverExpires
              )}
            </span>
          </span>
          <span className="mt-0.5 sm:hidden">{statusBadge}</span>
        </div>
      </th>
      <Cell from="md">
        <KeyDisplay display={display} />
      </Cell>
      <Cell from="lg">
        <KeyScopes scopes={scopes} />
      </Cell>
      <Cell from="lg" isQuiet>
        <Time value={createdAt} form="date" />
      </Cell>
      <Cell from="md" isQuiet>
        {lastUsedAt ? <Time value={lastUsedAt} form="relative" /> : strings.table.never}
      </Cell>
      <Cell from="md" isQuiet>
        {expiresAt ? (
          <span className={isExpiring ? "inline-flex items-center gap-1.5 text-warning" : undefined}>
            {isExpiring && <CalendarClock aria-hidden className="size-3.5" />}
            <Time value={expiresAt} form={isExpiring ? "relative" : "date"} />
          </span>
        ) : (
          strings.table.never
        )}
      </Cell>
      <Cell from="sm">{statusBadge}</Cell>
      <td className="py-2.5 pr-3 pl-1 text-right align-top">
        <Button
          id={revokeButtonId(apiKey)}
          variant="destructiveGhost"
          size="sm"
          aria-label={strings.revoke.action(name)}
          onClick={() => onRevoke(apiKey)}
        >
          {strings.revoke.shortAction}
        </Button>
      </td>
    </tr>
  );
}
