/** Redis's glob: `*`, `?`, `[a-z]`, `[^a]` and `\` for the next character as it is. */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  while (p < pattern.length && t < text.length) {
    if (pattern[p] === "*") {
      while (pattern[p + 1] === "*") p++;
      if (p + 1 === pattern.length) return true;
      const rest = pattern.slice(p + 1);
      for (; t < text.length; t++) if (matchesGlob(rest, text.slice(t))) return true;
      return false;
    }
    if (pattern[p] === "[") {
      const set = readSet(pattern, p, text.charAt(t));
      if (!set.matches) return false;
      p = set.last;
    } else if (pattern[p] !== "?") {
      if (pattern[p] === "\\" && p + 1 < pattern.length) p++;
      if (pattern[p] !== text[t]) return false;
    }
    p++;
    t++;
  }
  while (t === text.length && pattern[p] === "*") p++;
  return p === pattern.length && t === text.length;
}

/** The set that opens at `start`: whether it has the character, and where its last character stands. */
function readSet(pattern: string, start: number, character: string): { matches: boolean; last: number } {
  let at = start + 1;
  const isNegated = pattern[at] === "^";
  if (isNegated) at++;
  let isMember = false;
  for (; at < pattern.length && pattern[at] !== "]"; at++) {
    if (pattern[at] === "\\" && at + 1 < pattern.length) {
      at++;
      isMember ||= pattern[at] === character;
    } else if (pattern[at + 1] === "-" && at + 2 < pattern.length) {
      const [low = "", high = ""] = [pattern.charAt(at), pattern.charAt(at + 2)].sort();
      isMember ||= character >= low && character <= high;
      at += 2;
    } else {
      isMember ||= pattern[at] === character;
    }
  }
  return { matches: isMember !== isNegated, last: Math.min(at, pattern.length - 1) };
}
