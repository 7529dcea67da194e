import type { KeyEvent } from "latchkey";

import { describeGrace } from "../rotate/describe-grace";
import { strings } from "../strings";
import { formatDateTime } from "../time";
import { placeOf } from "./place-of";

const { events: texts } = strings;

type Describe = (event: KeyEvent, who: string) => string;

/** What is not known, such as an action of a newer server, is named as it is. */
const descriptions: Record<KeyEvent["action"], Describe> = {
  "key.created": ({ detail }, who) =>
    detail.from === "import" ? texts.imported : detail.from === "adopt" ? texts.adopted : texts.created(who),
  "key.renamed": ({ detail }, who) => texts.renamed(who, String(detail.from), String(detail.to)),
  "key.rotation_started": ({ detail }, who) => texts.rotationStarted(who, describeGrace(Number(detail.graceSeconds))),
  "key.rotated": ({ actor, detail }, who) =>
    actor.kind === "key" ? texts.activated(formatDateTime(new Date(String(detail.endsAt)))) : texts.rotatedNow(who),
  "key.rotation_cancelled": (_event, who) => texts.rotationCancelled(who),
  "key.grace_ended": (_event, who) => texts.graceEnded(who),
  "key.revoked": ({ detail }, who) =>
    detail.by === "owner" ? texts.revoked(who) : (texts.revokedBy[String(detail.by)] ?? texts.revoked(who)),
  "key.revocation_effective": () => texts.effective,
  "key.expiring": () => texts.expiring,
  "key.exposed": (event) => texts.exposed(placeOf(event)),
  "owner.access_changed": ({ detail }) => (detail.allowed === true ? texts.accessGiven : texts.accessTaken),
  "owner.closed": ({ detail }) => (detail.reason === "banned" ? texts.banned : texts.deleted),
  "owner.reopened": () => texts.reopened,
  "member.left": ({ detail }) => texts.left(String(detail.userId)),
};

/**
 * Says in a sentence what has happened. For the browser only: times are in the reader's zone.
 * @param readerId the user who reads, who is "you". Null: nobody knows.
 */
export function describeEvent(event: KeyEvent, readerId: string | null): string {
  const describe = (descriptions as Partial<Record<string, Describe>>)[event.action];
  return describe ? describe(event, nameActor(event, readerId)) : event.action;
}

function nameActor({ actor: { kind, id, impersonatedBy } }: KeyEvent, readerId: string | null): string {
  if (kind !== "user") return texts.who[kind];
  const who = id === readerId ? texts.who.you : texts.who.user(id ?? "?");
  return impersonatedBy === undefined ? who : texts.who.impersonated(who, impersonatedBy);
}
