import { ArrowLeftRight } from "lucide-react";

import { paths, strings } from "../strings";
import { buttonClasses } from "../ui/button";
import { ApiKeysFrame } from "./api-keys-frame";
import { StateCard } from "./state-card";

const { accountSwitched: texts } = strings;

/** For a page that was made for one account, in a browser that now acts for another one. */
export function AccountSwitched() {
  return (
    <ApiKeysFrame>
      <StateCard role="alert" Icon={ArrowLeftRight} title={texts.title} text={texts.text}>
        <a href={paths.page} className={buttonClasses()}>
          {texts.action}
        </a>
      </StateCard>
    </ApiKeysFrame>
  );
}
