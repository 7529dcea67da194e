"use client";

import { CalendarClock, ChevronRight } from "lucide-react";
import { useState } from "react";

import { Time } from "../time";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import type { ApiKeySummary } from "latchkey";

import { CreatorLeft } from "../owner/creator-left";
import { useOwner } from "../owner/use-owner";
import { strings } from "../strings";
import { RotationRow } from "../rotate/rotation-row";
import { KeyDetails } from "./key-details";
import { KeyName } from "./key-name";
import { KeyScopes } from "./key-scopes";
import { Cell, ColumnHead, KeyDisplay, LastUsed, TableFrame } from "./table-parts";
import { useIsExpiring } from "./use-is-expiring";
import type { Standing } from "./use-visited-list";

const { columns } = strings.table;

/** Where the focus goes when the row before it is gone. */
export const revokeButtonId = ({ id }: { id: string }) => `revoke-${id}`;

/** Where the focus goes after a rotation, or after its end. */
export const rotateButtonId = ({ id }: { id: string }) => `rotate-${id}`;

/** A row that can be pointed out. */
export const rowId = ({ id }: { id: string }) => `row-${id}`;

interface KeyTableProps {
  keys: ApiKeySummary[];
  standing: Standing;
  /** Absent: the plan has no access, so no key can be rotated. */
  onRotate: ((key: ApiKeySummary) => void) | undefined;
  onEndSecret: (key: ApiKeySummary) => void;
  onRevoke: (key: ApiKeySummary) => void;
}

/** The keys that are not revoked: active ones, then expired ones. */
export function KeyTable({ keys, ...props }: KeyTableProps) {
  const { texts } = useOwner();
  return (
    <TableFrame caption={texts.caption}>
      <KeyTableHead />
      <tbody className="divide-y">
        {keys.map((key) => (
          <KeyRow key={key.id} apiKey={key} {...props} />
        ))}
      </tbody>
    </TableFrame>
  );
}

export function KeyTableHead() {
  const { canManage } = useOwner();
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
        {canManage && <ColumnHead isHidden>{columns.actions}</ColumnHead>}
      </tr>
    </thead>
  );
}

interface StatusBadgeProps {
  status: ApiKeySummary["status"];
  standing: Standing;
  isExpiring: boolean;
}

/** An expired key stays expired. Any other key may have been revoked since the server was asked. */
function StatusBadge({ status, standing, isExpiring }: StatusBadgeProps) {
  if (status === "expired") return <Badge variant="destructive">{strings.status.expired}</Badge>;
  if (standing !== "checked") return <Badge>{strings.status[standing]}</Badge>;
  return isExpiring ? (
    <Badge variant="warning">{strings.status.expiring}</Badge>
  ) : (
    <Badge variant="success">{strings.status.active}</Badge>
  );
}

function KeyRow({ apiKey, ...props }: { apiKey: ApiKeySummary } & Omit<KeyTableProps, "keys">) {
  const { standing, onRotate, onEndSecret, onRevoke } = props;
  const { name, display, scopes, status, createdAt, lastUsedAt, expiresAt } = apiKey;
  const { canManage } = useOwner();
  const isExpiring = useIsExpiring(apiKey);
  const [isOpen, setOpen] = useState(false);
  const detailsId = `details-${apiKey.id}`;
  const statusBadge = <StatusBadge status={status} standing={standing} isExpiring={isExpiring} />;
  return (
    <>
      <tr
        id={rowId(apiKey)}
        tabIndex={-1}
        className="group/row has-[+.is-of-row-above]:border-b-0! -outline-offset-2 transition-colors hover:bg-muted/60"
      >
        <th scope="row" className="w-full max-w-0 min-w-0 px-4 py-2.5 text-left align-top font-normal">
          <div className="flex items-start gap-1">
            <Button
              variant="ghost"
              size="iconSm"
              className="mt-0.5 -ml-1.5"
              aria-label={strings.table.details(name)}
              aria-expanded={isOpen}
              aria-controls={isOpen ? detailsId : undefined}
              onClick={() => setOpen(!isOpen)}
            >
              <ChevronRight
                aria-hidden
                className={isOpen ? "rotate-90 transition-transform" : "transition-transform"}
              />
            </Button>
            <div className="min-w-0 flex-1">
              <KeyName apiKey={apiKey} />
              <div className="mt-1 flex flex-col gap-1 text-xs text-muted-foreground md:hidden">
                <KeyDisplay display={display} />
                <span className="flex flex-wrap gap-x-3">
                  <span className="whitespace-nowrap">
                    <LastUsed at={lastUsedAt} />
                  </span>
                  <span className="whitespace-nowrap">
                    {expiresAt ? (
                      <>
                        <span>{status === "expired" ? strings.table.expiredAt : strings.table.expiresAt}</span>{" "}
                        <Time value={expiresAt} form={isExpiring ? "remaining" : "date"} />
                      </>
                    ) : (
                      strings.table.neverExpires
                    )}
                  </span>
                </span>
                <span className="mt-0.5 sm:hidden">{statusBadge}</span>
              </div>
            </div>
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
            <span className={isExpiring ? "flex items-center gap-1.5 text-warning" : undefined}>
              {isExpiring && <CalendarClock aria-hidden className="size-3.5" />}
              <Time value={expiresAt} form={isExpiring ? "remaining" : "date"} />
            </span>
          ) : (
            strings.table.never
          )}
        </Cell>
        <Cell from="sm">{statusBadge}</Cell>
        {canManage && (
          <td className="py-2.5 pr-3 pl-1 align-top">
            <span className="flex flex-col items-end gap-1 lg:flex-row lg:justify-end">
              {onRotate && status === "active" && (
                <Button
                  id={rotateButtonId(apiKey)}
                  variant="ghost"
                  size="sm"
                  aria-label={strings.rotate.action(name)}
                  onClick={() => onRotate(apiKey)}
                >
                  {strings.rotate.shortAction}
                </Button>
              )}
              <Button
                id={revokeButtonId(apiKey)}
                variant="destructiveGhost"
                size="sm"
                aria-label={strings.revoke.action(name)}
                onClick={() => onRevoke(apiKey)}
              >
                {strings.revoke.shortAction}
              </Button>
            </span>
          </td>
        )}
      </tr>
      <CreatorLeft
        apiKey={apiKey}
        action={
          onRotate && (
            <Button variant="secondary" size="sm" onClick={() => onRotate(apiKey)}>
              {strings.rotate.submit}
            </Button>
          )
        }
      />
      <RotationRow apiKey={apiKey} standing={standing} onEnd={canManage ? () => onEndSecret(apiKey) : undefined} />
      {isOpen && (
        <tr id={detailsId} className="is-of-row-above bg-muted/40">
          <td colSpan={8} className="px-4 pt-1 pb-4 sm:pl-10">
            <KeyDetails apiKey={apiKey} />
          </td>
        </tr>
      )}
    </>
  );
}
