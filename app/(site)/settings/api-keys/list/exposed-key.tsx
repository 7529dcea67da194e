"use client";

import { useQuery } from "@tanstack/react-query";

import type { ApiKeySummary, KeyEvent } from "latchkey";
import { useApiKeys } from "../../../../../trpc/latchkey/client";

import { placeOf } from "../history/place-of";
import { versionOf } from "../history/version-of";
import { strings } from "../strings";
import { Time } from "../time";
import { Button } from "../ui/button";
import { Notice } from "../ui/notice";

const { exposed: texts } = strings;

interface ExposedKeyProps {
  apiKey: ApiKeySummary;
  /** Absent: the reader may not create keys. */
  onReplace: ((key: ApiKeySummary) => void) | undefined;
}

/** A row below that of a key that ended because somebody had found it: where, when, and what to do now. */
export function ExposedKey({ apiKey, onReplace }: ExposedKeyProps) {
  const { queries } = useApiKeys();
  const { revokedBy } = apiKey;
  const { data: found } = useQuery({
    ...queries.exposure(apiKey.id, versionOf(apiKey)),
    enabled: revokedBy === "leak",
  });
  if (revokedBy !== "leak") return null;
  return (
    <tr className="is-of-row-above">
      <td colSpan={8} className="px-3 pb-3 sm:px-4">
        <Notice
          variant="warning"
          title={texts.title}
          action={
            onReplace && (
              <Button variant="secondary" size="sm" className="ml-auto" onClick={() => onReplace(apiKey)}>
                {texts.replace}
              </Button>
            )
          }
        >
          {found && <Found event={found} />}
          <span className="block">{texts.advice}</span>
        </Notice>
      </td>
    </tr>
  );
}

/** The address is text and no link, since nobody shall follow it by accident, and a browser shall not load from it. */
function Found({ event }: { event: KeyEvent }) {
  const { url } = event.detail;
  return (
    <span className="block">
      <span>{texts.foundAt(placeOf(event))}</span> <Time value={event.at} form="dateTime" />
      {typeof url === "string" && (
        <span translate="no" className="mt-0.5 block font-mono text-xs break-all">
          {url}
        </span>
      )}
    </span>
  );
}
