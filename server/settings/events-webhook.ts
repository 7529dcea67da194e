import { z } from "zod";

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Where events are sent: https, or http to this machine alone. In production that is refused as well, see `parseEnvironment`. */
export const eventsUrl = z
  .string()
  .refine(isEventsUrl, "must be an https URL without credentials, # or white space; http only to localhost");

/** One secret, or two with a space between them. */
export const eventsSecret = z
  .string()
  .transform((text) => text.split(/\s+/))
  .refine(
    (secrets) => secrets.length <= 2 && secrets.every(isWebhookSecret),
    "must be whsec_ and 24 to 64 bytes as base64; while it is changed two of these, with a space between them",
  )
  .transform((secrets) => secrets.join(" "));

function isEventsUrl(text: string): boolean {
  if (/[\s#]/.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username + password !== "") return false;
  return protocol === "https:" || (protocol === "http:" && loopback.test(hostname));
}

function isWebhookSecret(text: string): boolean {
  const base64 = /^whsec_(.+)$/.exec(text)?.[1] ?? "";
  const bytes = Buffer.from(base64, "base64");
  // Node skips what is no base64: written back it must be the same.
  return bytes.length >= 24 && bytes.length <= 64 && bytes.toString("base64") === base64;
}
