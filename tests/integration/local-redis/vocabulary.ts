// What the fuzz's commands are made of: ordinary values, the edges of each kind, and wrong ones.

export const KEYS_BY_TYPE = {
  string: ["s1", "s2", "s3", "n1", "n2", "n3", "f1", "\0\xff\r\n", "s[1]", ""],
  hash: ["h1", "h2", "h3"],
  list: ["l1", "l2"],
  set: ["m1", "m2"],
  zset: ["z1", "z2", "z3"],
} as const;
export const ALL_KEYS: string[] = [...Object.values(KEYS_BY_TYPE).flat(), "missing1", "missing2"];

/** All its members have one score, without which Redis leaves the answer of BYLEX open. No other command writes it. */
export const LEX_KEY = "x1";

export const INTEGERS = [
  "0",
  "1",
  "-1",
  "7",
  "100",
  "-42",
  "9223372036854775807",
  "-9223372036854775808",
  "9007199254740993",
  "9223372036854775808",
];
export const NOT_INTEGERS = ["", "abc", "1.5", " 1", "01", "+1", "1e3", "-0", "99999999999999999999"];
export const DECIMALS = [
  "0",
  "1",
  "-1.5",
  "3.14",
  "0.1",
  "0.2",
  "1e3",
  "-2.5e-3",
  "10000000000.1",
  ".5",
  "5.",
  "123456789.987654321",
  "1e17",
  "1e-17",
];
export const TEXTS = [
  "",
  "v",
  "hello world",
  "caf\xc3\xa9",
  "\0\x01\x02",
  "\xff\xfe",
  "a\r\nb",
  "E",
  "P",
  "\x01\x01",
  "null",
  "true",
  '{"a":1}',
  "x".repeat(60),
];
export const MEMBERS = ["a", "b", "c", "d", "e", "1", "2", "10", "\0", "\xff", ""];
export const SCORES = [
  "0",
  "1",
  "-1",
  "2.5",
  "0.1",
  "1e5",
  "3",
  "1e20",
  "1e-7",
  "0.00001234",
  "0",
  "inf",
  "-inf",
  "+inf",
  "nan",
  "abc",
  "",
  "123456.789",
  "-0",
];
export const SCORE_BOUNDS = ["-inf", "+inf", "0", "1", "(1", "2.5", "(2.5", "(inf", "5", "abc", "(", "(-inf"];
export const LEX_BOUNDS = ["-", "+", "[a", "(a", "[c", "(d", "[", "(", "b", "[\xff"];
export const INDEXES = [
  "0",
  "1",
  "2",
  "-1",
  "-2",
  "-100",
  "100",
  "5",
  "abc",
  "9223372036854775807",
  "-9223372036854775808",
];
export const PATTERNS = [
  "*",
  "s*",
  "?1",
  "[hs]1",
  "[^s]*",
  "[a-m]1",
  "s\\[1]",
  "s[[]1[]]",
  "*1*",
  "",
  "missing?",
  "[m-a]*",
  "[",
  "[^",
  "**1",
  "\\",
  "s1",
];
export const SHA_OF_NOTHING = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

/** Expiries that cannot fall into the run: relative ones of 1,000 s and more, absolute ones in the year 2096 or the past. */
export const FAR_MILLISECONDS = 4_000_000_000_000;
