/** As URLs, HTML, and JSON and other source code write a letter. A run of percent signs is one piece, since a letter may have several bytes. */
const escapes = /(?:%[0-9a-f]{2})+|&#(?:x[0-9a-f]{1,6}|\d{1,7});|\\(?:u[0-9a-f]{4}|x[0-9a-f]{2})/gi;
/** Who escapes a text more often does not mean it to be read. Each time costs a pass over the text. */
const mostTimes = 8;

/**
 * Reads a text as it is meant: every escape becomes what it stands for, also where it was escaped several times, and where others in the text
 * are malformed. It never throws.
 * @returns null where the text is escaped too often.
 */
export function decodeEscapes(text: string): string | null {
  let read = text;
  for (let time = 0; time < mostTimes; time++) {
    const before = read;
    read = read.replace(escapes, decodeEscape);
    if (read === before) return read;
  }
  return null;
}

function decodeEscape(escape: string): string {
  // What is no UTF-8 becomes U+FFFD, and the letters beside it are read all the same.
  if (escape.startsWith("%")) return Buffer.from(escape.replaceAll("%", ""), "hex").toString("utf8");
  const isDecimal = /^&#\d/.test(escape);
  const digits = escape.replace(/^(?:&#x?|\\[ux])/i, "").replace(";", "");
  const code = Number.parseInt(digits, isDecimal ? 10 : 16);
  return code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
}
