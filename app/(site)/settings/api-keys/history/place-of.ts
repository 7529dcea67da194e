import type { KeyEvent } from "latchkey";

import { strings } from "../strings";

const { places } = strings.exposed;

/** Where a key was found, in words: the host of the address, else the kind of place, else who has found it. */
export function placeOf({ detail: { url, location, source } }: KeyEvent): string {
  if (typeof url === "string" && url !== "") return URL.canParse(url) && new URL(url).host ? new URL(url).host : url;
  if (typeof location === "string" && location !== "") return location;
  return places[String(source)] ?? places.unknown;
}
