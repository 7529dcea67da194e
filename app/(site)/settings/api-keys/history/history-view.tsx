"use client";

import { useSuspenseQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useSearchParams } from "next/navigation";
import { useId, useLayoutEffect } from "react";

import { buttonClasses } from "../ui/button";
import { Label } from "../ui/label";
import { Select } from "../ui/select";
import { useApiKeys } from "../../../../../trpc/latchkey/client";
import { noteRenderTime } from "../../../../../trpc/latchkey/server-time";

import { OwnerProvider } from "../owner/use-owner";
import { paths, strings } from "../strings";
import { HistoryFrame } from "./history-frame";
import { HistoryTable } from "./history-table";

const { history: texts } = strings;

/** @param renderedAt when the server made this page, in milliseconds since 1970. */
export function HistoryView({ renderedAt }: { renderedAt: number }) {
  const { queries } = useApiKeys();
  const { owner, canManage, keys } = useSuspenseQuery(queries.list).data;
  const id = useSearchParams().get("key");
  const fieldId = useId();
  useLayoutEffect(() => noteRenderTime(renderedAt), [renderedAt]);
  // The address holds the choice, so that a reload and a link keep it.
  const choose = (chosen: string) =>
    window.history.replaceState(null, "", chosen === "" ? paths.history : `${paths.history}?key=${chosen}`);
  const isListed = keys.some((key) => key.id === id);
  return (
    <OwnerProvider owner={owner} canManage={canManage}>
      <HistoryFrame owner={owner}>
        <div className="mb-4 flex flex-wrap items-end justify-between gap-x-6 gap-y-4">
          <div className="w-full sm:w-72">
            <Label htmlFor={fieldId}>{texts.filter}</Label>
            <Select
              id={fieldId}
              className="mt-1.5"
              value={id ?? ""}
              onChange={(event) => choose(event.target.value)}
              translate="no"
            >
              <option value="" translate="yes">
                {texts.everything}
              </option>
              {id !== null && !isListed && <option value={id}>{id}</option>}
              {keys.map((key) => (
                <option key={key.id} value={key.id}>
                  {`${key.name} · ${key.display}`}
                </option>
              ))}
            </Select>
          </div>
          <div role="group" aria-label={texts.download} className="flex gap-2">
            {(["csv", "ndjson"] as const).map((format) => (
              <a
                key={format}
                href={downloadOf({ format, owner: owner.id, ...(id !== null && { id }) })}
                download
                className={buttonClasses({ variant: "secondary" })}
              >
                <Download aria-hidden />
                <span>{texts.formats[format]}</span>
              </a>
            ))}
          </div>
        </div>
        <HistoryTable key={id} id={id ?? undefined} />
      </HistoryFrame>
    </OwnerProvider>
  );
}

const downloadOf = (query: Record<string, string>) => `${paths.historyFile}?${new URLSearchParams(query).toString()}`;
