import { CommandError } from "./keyspace";

const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 63n - 1n;

/** Redis's strict reading of a 64-bit integer: no sign +, no leading zeros, no spaces. */
export function parseInteger(text: string, message = "ERR value is not an integer or out of range"): bigint {
  const value = /^(0|-?[1-9]\d{0,18})$/.test(text) ? BigInt(text) : null;
  if (value === null || !isInteger64(value)) throw new CommandError(message);
  return value;
}

export function isInteger64(value: bigint): boolean {
  return value >= MIN_INTEGER && value <= MAX_INTEGER;
}

/** A decimal double or an infinity. C's hexadecimal floats are not read. */
export function parseDouble(text: string, message = "ERR value is not a valid float"): number {
  const infinity = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinity !== null) return infinity[1] === "-" ? -Infinity : Infinity;
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(value)) throw new CommandError(message);
  return value;
}

/** C's `%.17g`, as Redis 7.0 writes scores. */
export function formatDouble(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [digits = "", exponentText = "0"] = value.toExponential(16).split("e");
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 17) return withoutTrailingZeros(value.toFixed(Math.min(16 - exponent, 100)));
  const sign = exponent < 0 ? "-" : "+";
  return `${withoutTrailingZeros(digits)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

function withoutTrailingZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** INCRBYFLOAT's sum, in x86's 80-bit floats and printed as `%.17Lf` without trailing zeros. */
export function addLongDoubles(left: string, right: string): string {
  const [first, second] = [parseLongDouble(left), parseLongDouble(right)];
  if (first === "infinite" || second === "infinite")
    throw new CommandError("ERR increment would produce NaN or Infinity");
  return formatDyadic(roundToLongDouble(addFractions(first, second)));
}

type Fraction = { numerator: bigint; denominator: bigint };

function parseLongDouble(text: string): Fraction | "infinite" {
  if (/^[+-]?inf(inity)?$/i.test(text)) return "infinite";
  const match = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d{1,4}))?$/i.exec(text);
  const [, sign = "", whole = "", decimals = "", exponentText = "0"] = match ?? [];
  if (match === null || whole + decimals === "") throw new CommandError("ERR value is not a valid float");
  const exponent = Number(exponentText) - decimals.length;
  const digits = BigInt(whole + decimals) * (sign === "-" ? -1n : 1n);
  const scale = 10n ** BigInt(Math.abs(exponent));
  return roundToLongDouble(
    exponent >= 0 ? { numerator: digits * scale, denominator: 1n } : { numerator: digits, denominator: scale },
  );
}

function addFractions(left: Fraction, right: Fraction): Fraction {
  const numerator = left.numerator * right.denominator + right.numerator * left.denominator;
  return { numerator, denominator: left.denominator * right.denominator };
}

/** The nearest fraction with a mantissa of 64 bits, ties to even. */
function roundToLongDouble({ numerator, denominator }: Fraction): Fraction {
  if (numerator === 0n) return { numerator: 0n, denominator: 1n };
  const magnitude = numerator < 0n ? -numerator : numerator;
  let shift = 64 - (bitLength(magnitude) - bitLength(denominator));
  let scaled = divideToEven(magnitude, denominator, shift);
  if (bitLength(scaled) > 64) scaled = divideToEven(magnitude, denominator, --shift);
  const mantissa = numerator < 0n ? -scaled : scaled;
  return shift >= 0
    ? { numerator: mantissa, denominator: 1n << BigInt(shift) }
    : { numerator: mantissa << BigInt(-shift), denominator: 1n };
}

function divideToEven(numerator: bigint, denominator: bigint, shift: number): bigint {
  const top = shift >= 0 ? numerator << BigInt(shift) : numerator;
  const bottom = shift >= 0 ? denominator : denominator << BigInt(-shift);
  const quotient = top / bottom;
  const twice = (top % bottom) * 2n;
  return twice > bottom || (twice === bottom && quotient % 2n === 1n) ? quotient + 1n : quotient;
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}

function formatDyadic({ numerator, denominator }: Fraction): string {
  const scale = 10n ** 17n;
  const units = divideToEven((numerator < 0n ? -numerator : numerator) * scale, denominator, 0);
  const text = withoutTrailingZeros(`${units / scale}.${String(units % scale).padStart(17, "0")}`);
  return numerator < 0n && text !== "0" ? `-${text}` : text;
}
