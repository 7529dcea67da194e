import type { ReactNode } from "react";

import type { ApiKeySummary } from "latchkey";

import { strings } from "../strings";
import { Time } from "../time";
import { Notice } from "../ui/notice";

const { left: texts } = strings.creator;

interface CreatorLeftProps {
  apiKey: ApiKeySummary;
  /** What can be done about it. It stands beside the text. */
  action?: ReactNode;
}

/** A row below that of a key whose creator has left the organization, since they may still know the secret. An expired key ends by itself. */
export function CreatorLeft({ apiKey: { creatorLeft, status, rotatedAt }, action }: CreatorLeftProps) {
  if (!creatorLeft || status !== "active") return null;
  return (
    <tr className="is-of-row-above has-[+.is-of-row-above]:border-b-0!">
      <td colSpan={8} className="px-3 pb-3 sm:pr-3 sm:pl-10">
        <Notice variant="warning" title={texts.title} action={action}>
          {rotatedAt ? (
            <>
              <span>{texts.afterRotation}</span> <Time value={rotatedAt} form="dateTime" />
            </>
          ) : (
            texts.text
          )}
        </Notice>
      </td>
    </tr>
  );
}
