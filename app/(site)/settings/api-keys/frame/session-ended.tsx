import { LogIn } from "lucide-react";

import { paths, strings } from "../strings";
import { buttonClasses } from "../ui/button";
import { ApiKeysFrame } from "./api-keys-frame";
import { StateCard } from "./state-card";

export function SessionEnded() {
  return (
    <ApiKeysFrame>
      <StateCard role="alert" Icon={LogIn} title={strings.sessionEnded.title} text={strings.sessionEnded.text}>
        {/* Loads this page again. The server then sends whoever is signed out to Clerk's sign-in, wherever that is. */}
        <a href={paths.page} className={buttonClasses()}>
          {strings.sessionEnded.action}
        </a>
      </StateCard>
    </ApiKeysFrame>
  );
}
