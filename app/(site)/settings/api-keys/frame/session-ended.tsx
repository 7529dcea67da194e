import { LogIn } from "lucide-react";

import { Button } from "@/app/components/ui/button";

import { strings } from "../strings";
import { ApiKeysFrame } from "./api-keys-frame";
import { StateCard } from "./state-card";

export function SessionEnded() {
  return (
    <ApiKeysFrame>
      <StateCard role="alert" Icon={LogIn} title={strings.sessionEnded.title} text={strings.sessionEnded.text}>
        <Button asChild>
          <a href="/sign-in?redirect_url=%2Fsettings%2Fapi-keys">{strings.sessionEnded.action}</a>
        </Button>
      </StateCard>
    </ApiKeysFrame>
  );
}
