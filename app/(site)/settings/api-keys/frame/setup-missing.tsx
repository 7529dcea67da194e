"use client";

import { Wrench } from "lucide-react";

import { strings } from "../strings";
import { ApiKeysFrame } from "./api-keys-frame";
import { StateCard } from "./state-card";
import { useClerkAuth } from "./use-clerk-auth";

const { setup: texts } = strings;

/** For the developer who has just taken this page into an app: says what is still missing. */
export function SetupMissing({ lacksMiddleware = false }: { lacksMiddleware?: boolean }) {
  const lacksProvider = useClerkAuth() === null;
  return (
    <ApiKeysFrame>
      <StateCard role="alert" Icon={Wrench} title={texts.title} text={texts.text}>
        <ul className="flex max-w-lg list-disc flex-col gap-1 pl-4 text-left text-[0.8125rem]">
          {lacksProvider && <li>{texts.provider}</li>}
          {lacksMiddleware && <li>{texts.middleware}</li>}
        </ul>
      </StateCard>
    </ApiKeysFrame>
  );
}
