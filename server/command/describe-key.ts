import type { KeyForOperator, SecretForOperator } from "../keys/find-for-operator";
import type { Effect } from "../shared/effect";
import { publicIdPattern } from "../shared/public-id";
import { acceptedShapeOf, displayAcceptedSecret, displaySecret, type SecretFormat } from "../shared/secret-format";
import { looksAsOwner, type Mention } from "./scan-text";

/** Text of somebody else's, for a terminal: without what could move its cursor or turn its text around. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}

/** An id as it was given. What has not its form may be anything, so only its beginning is shown. */
function shownId(id: string): string {
  return publicIdPattern.test(id) || id.length <= 16 ? printable(id) : `${printable(id.slice(0, 12))}…`;
}

/** What is known of a key, and of the secret that it was found by, as lines for a person. */
export function describeKey(key: KeyForOperator, secret: SecretForOperator | null): string {
  const { id, name, ownerId, display, environment, scopes, status, createdAt, createdBy, expiresAt } = key;
  const rows: [string, string | null][] = [
    ["owner", ownerId],
    ["name", name],
    ["display", `${display} (${environment})`],
    ["found", secret && describeSecret(secret)],
    ["status", status],
    ["scopes", scopes.join(" ") || "none"],
    ["created", `${createdAt.toISOString()} by ${createdBy}`],
    ["last used", key.lastUsedAt?.toISOString() ?? "never"],
    ["expires", expiresAt?.toISOString() ?? "never"],
    ["revoked", key.revokedAt && `${key.revokedAt.toISOString()}, by: ${key.revokedBy ?? "unknown"}`],
    ["effect", key.effect && describeEffect(key.effect)],
  ];
  const lines = rows.flatMap(([title, text]) => (text ? [`  ${title.padEnd(10)}${printable(text)}\n`] : []));
  return `${id}\n${lines.join("")}`;
}

const stateWords: Record<SecretForOperator["state"], string> = {
  current: "its current secret",
  waiting: "its new secret, which waits for its first use",
  previous: "its previous secret",
  revoked: "a secret of it that has ended already",
};

function describeSecret({ state, display, endsAt, lastUsedAt, effect }: SecretForOperator): string {
  const accepted = state === "previous" && endsAt ? `, accepted until ${endsAt.toISOString()}` : "";
  const end = effect ? `, ${describeEffect(effect)}` : accepted;
  return `${stateWords[state]}, ${display}${end}, last used ${lastUsedAt?.toISOString() ?? "never"}`;
}

export function describeEffect(effect: Effect): string {
  return effect.status === "effective"
    ? `effective: no request that starts after ${effect.at.toISOString()} is accepted`
    : `pending: no request that starts after ${effect.guaranteedBy.toISOString()} is accepted`;
}

/** What names something that is not known. At most one of them is there. */
export interface Shown {
  id?: string;
  ownerId?: string;
  display?: string;
}

/** What may be shown of something that is not known. */
export function shownOf(mention: Mention, format: SecretFormat): Shown {
  if (mention.kind === "id") return { id: shownId(mention.id) };
  // What has another form may be a secret that somebody has mistyped.
  if (mention.kind === "owner") return looksAsOwner(mention.ownerId) ? { ownerId: mention.ownerId } : {};
  const shape = acceptedShapeOf(mention.secret, format);
  return { display: shape ? displayAcceptedSecret(mention.secret, shape) : displaySecret(mention.secret) };
}
