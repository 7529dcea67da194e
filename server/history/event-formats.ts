import type { KeyEvent } from "../shared/key-event";

/** How a file of events is written. */
interface EventFormat {
  contentType: string;
  /** What stands before the first event. */
  head: string;
  line: (event: KeyEvent) => string;
}

/** A spreadsheet takes what begins so for a formula, and a formula may send the sheet's content elsewhere. With an apostrophe it is text. */
const formula = /^[=+\-@\t\r]/;

export function csvCell(text: string): string {
  const harmless = formula.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

const csvLine = (cells: readonly string[]) => `${cells.map(csvCell).join(",")}\r\n`;

const columns: [name: string, read: (event: KeyEvent) => string | null | undefined][] = [
  ["id", ({ id }) => id],
  ["at", ({ at }) => at.toISOString()],
  ["action", ({ action }) => action],
  ["keyId", ({ keyId }) => keyId],
  ["keyName", ({ keyName }) => keyName],
  ["actorKind", ({ actor }) => actor.kind],
  ["actorId", ({ actor }) => actor.id],
  ["impersonatedBy", ({ actor }) => actor.impersonatedBy],
  ["detail", ({ detail }) => JSON.stringify(detail)],
];

export const eventFormats = {
  /** RFC 4180, in UTF-8. */
  csv: {
    contentType: "text/csv; charset=utf-8",
    head: csvLine(columns.map(([name]) => name)),
    line: (event) => csvLine(columns.map(([, read]) => read(event) ?? "")),
  },
  /** One JSON object a line. */
  ndjson: {
    contentType: "application/x-ndjson",
    head: "",
    line: (event) => `${JSON.stringify(event)}\n`,
  },
} as const satisfies Record<string, EventFormat>;
