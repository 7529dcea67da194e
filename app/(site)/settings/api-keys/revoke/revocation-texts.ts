import type { FailureCode } from "../call-failure";
import { type OwnerTexts, strings } from "../strings";

/** What the dialog says of the keys that it revokes. */
export interface RevocationTexts {
  title: string;
  text: string;
  recentlyUsed: string;
  confirmWord: string;
  submit: string;
  receiptTitle: string;
  pending: (latest: string) => string;
  notRevoked: string;
  noAnswerNotRevoked: string;
  unknown: string;
  failed: Partial<Record<FailureCode, string>>;
}

export function textsForOne(name: string): RevocationTexts {
  const { title, receiptTitle, ...texts } = strings.revoke;
  return { ...texts, title: title(name), receiptTitle: receiptTitle(name), confirmWord: name };
}

export function textsForAll(count: number, { revokeAll: { title, receiptTitle } }: OwnerTexts): RevocationTexts {
  return { ...strings.revokeAll, title: title(count), receiptTitle: receiptTitle(count) };
}
