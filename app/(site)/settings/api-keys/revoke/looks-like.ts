/**
 * Whether two texts look the same to a person. These differences do not count: letter case, kinds and runs of space, the Unicode form,
 * characters that cannot be seen, and quotes and dashes that a keyboard "corrects". Use it to confirm, and never to tell keys apart.
 */
export function looksLike(typed: string, shown: string): boolean {
  return looksOf(typed) === looksOf(shown);
}

/** Whether there is anything to see in it, and so to type. */
export function hasLooks(text: string): boolean {
  return looksOf(text) !== "";
}

function looksOf(text: string): string {
  return text
    .normalize("NFKC")
    .replaceAll(/[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\u2800]/gu, (invisible) =>
      /\s/.test(invisible) ? " " : "",
    )
    .replaceAll(/[‘’‚‛`´′]/g, "'")
    .replaceAll(/[“”„‟″«»]/g, '"')
    .replaceAll(/\p{Dash}+/gu, "-")
    .replaceAll(/\s+/gu, " ")
    .trim()
    .toLowerCase();
}
