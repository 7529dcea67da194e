import { z } from "zod";

import { findNameProblem, normaliseName } from "./name";

/** What the procedures accept. A form shows the messages beside the field that is refused. */

const id = z.string().regex(/^key_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "This is not the id of a key.");

/** A name is first brought to its normal form, then checked. It gets one message at a time. */
export const nameInput = z
  .string()
  .overwrite(normaliseName)
  .superRefine((text, context) => {
    const message = findNameProblem(text);
    if (message !== null) context.addIssue({ code: "custom", message });
  });

/** Each scope once, in one order. */
export const scopesInput = z
  .array(z.string().max(100))
  .max(100)
  .transform((scopes) => [...new Set(scopes)].sort());

export const keyIdInput = z.strictObject({ id });

/** Written out, so that the types of the package need none of zod. */
export interface CreateInput {
  name: string;
  requestId: string;
  scopes?: string[] | undefined;
  expiresInDays?: number | undefined;
}

export const createInput = z.strictObject({
  name: nameInput,
  /** The client makes one for each key that it wants, and sends the same one on a retry. */
  requestId: z.uuid(),
  /** Absent: all that the app knows. Which it knows is checked by `checkScopes`, since only the app can tell. */
  scopes: scopesInput.optional(),
  /** Absent: the key never expires. */
  expiresInDays: z.int().min(1, "At least 1 day.").max(365, "At most 365 days.").optional(),
}) satisfies z.ZodType<CreateInput>;

/** @throws ZodError for the field `scopes` when one of them is not among those of the app. */
export function checkScopes({ scopes }: CreateInput, known: readonly string[]): void {
  z.object({ scopes: z.array(z.enum(known)).optional() }).parse({ scopes });
}

export const renameInput = z.strictObject({ id, name: nameInput });

/** The shortest grace is longer than a cached value lives, which may not know yet that its secret has an end. */
const graceSeconds = z
  .int()
  .refine((seconds) => seconds === 0 || (seconds >= 300 && seconds <= 604_800), "0, or from 5 minutes to 7 days.");

export const rotateInput = z.strictObject({
  id,
  /** As for `createInput`, and unique together with those. */
  requestId: z.uuid(),
  /** How long the old secret is accepted after the first use of the new one. 0: it is revoked now. */
  graceSeconds,
});
export type RotateInput = z.output<typeof rotateInput>;
/** Written out, as `CreateInput`. */
export interface HistoryInput {
  id?: string | undefined;
  cursor?: string | undefined;
  limit: number;
}

export const historyInput = z
  .strictObject({
    /** Absent: of all keys, and of the owner. */
    id: id.optional(),
    /** `nextCursor` of the page before. */
    cursor: z.uuidv7("This is not a cursor of the history.").optional(),
    limit: z.int().min(1, "At least 1 event.").max(100, "At most 100 events.").default(50),
  })
  .prefault({}) satisfies z.ZodType<HistoryInput>;

export const invalidateCacheInput = z.strictObject({
  keyHash: z.string().regex(/^[0-9a-f]{64}$/, "This is not a SHA-256 in lower-case hexadecimal."),
});
