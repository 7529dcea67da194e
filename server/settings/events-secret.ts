import { z } from "zod";

/** One secret, or two with a space between them. */
export const eventsSecret = z
  .string()
  .transform((text) => text.split(/\s+/))
  .refine(
    (secrets) => secrets.length <= 2 && secrets.every(isWebhookSecret),
    "must be whsec_ and 24 to 64 bytes as base64; while it is changed two of these, with a space between them",
  )
  .transform((secrets) => secrets.join(" "));

function isWebhookSecret(text: string): boolean {
  const base64 = /^whsec_(.+)$/.exec(text)?.[1] ?? "";
  const bytes = Buffer.from(base64, "base64");
  // Node skips what is no base64: written back it must be the same.
  return bytes.length >= 24 && bytes.length <= 64 && bytes.toString("base64") === base64;
}
