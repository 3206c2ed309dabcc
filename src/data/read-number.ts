// Numbers as they stand in cells.

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
/** What both sides of a quotient have exactly in f64: so many digits, and the powers of ten for so many places. */
const DIGITS = 15;
const POWERS = Float64Array.of(1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15);

export type DecimalSign = "." | ",";

/** Undefined for what is no finite number. */
export function readNumber(cell: string, decimal: DecimalSign = "."): number | undefined {
  const text = decimal === "," ? cell.replace(",", ".") : cell;
  const value = NUMBER.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  return Number.isFinite(value) ? value : undefined;
}

/** The same bits, sooner, for a few digits with or without places: a quotient of exact numbers is rounded once. NaN for
 *  all else, which may be a number too. Source: Clinger 1990. */
export function readPlain(cell: string, decimal: DecimalSign = "."): number {
  const point = decimal.charCodeAt(0);
  const start = cell.charCodeAt(0) === 45 ? 1 : 0;
  let [whole, digits, before] = [0, 0, -1];
  for (let i = start; i < cell.length; i++) {
    const code = cell.charCodeAt(i);
    if (code >= 48 && code <= 57) {
      whole = 10 * whole + code - 48;
      digits++;
    } else if (code === point && before < 0) before = digits;
    else return Number.NaN;
  }
  if (digits === 0 || digits > DIGITS) return Number.NaN;
  const value = before < 0 ? whole : whole / POWERS[digits - before];
  return start > 0 ? -value : value;
}
