// Error bounds of f32 arithmetic, and comparisons that make one expectation per array.
import { expect } from "vitest";

/** Unit roundoff of f32: the largest relative error of one rounding. */
export const U = 2 ** -24;
/** Half the spacing of denormal floats: the largest absolute error of one rounding that underflows. */
export const TINY = 2 ** -150;

/** Bound factor of n roundings in a row. Source: Higham 2002, Accuracy and Stability, lemma 3.1. */
export function gamma(n: number): number {
  return (n * U) / (1 - n * U);
}

const wide = new Float64Array(1);
const words = new Uint32Array(wide.buffer);

/** The spacing of f32 numbers at |x|, x in f64. */
export function ulp(x: number): number {
  wide[0] = x;
  const exponent = ((words[1] >>> 20) & 0x7ff) - 1023;
  return 2 ** (Math.max(exponent, -126) - 23);
}

/** |actual - expected| in ulps of the expected value; Infinity where one is NaN or infinite and the other is not. */
export function ulpError(actual: number, expected: number): number {
  if (Number.isNaN(expected)) return Number.isNaN(actual) ? 0 : Number.POSITIVE_INFINITY;
  // Beyond the largest float by half its spacing, rounding to nearest gives infinity.
  if (Math.abs(expected) >= 2 ** 128 - 2 ** 103) return actual === Math.sign(expected) * Infinity ? 0 : Infinity;
  if (!Number.isFinite(actual)) return Math.abs(expected) >= 2 ** 128 - 2 ** 105 ? 1 : Number.POSITIVE_INFINITY;
  return Math.abs(actual - expected) / ulp(expected);
}

/** The first element that is off by more than its bound, in words; NaN and infinities must agree. */
export function violation(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  bound: (index: number) => number,
): string | undefined {
  if (actual.length !== expected.length) return `length ${actual.length}, expected ${expected.length}`;
  for (let i = 0; i < expected.length; i++) {
    if (actual[i] === expected[i] || (Number.isNaN(actual[i]) && Number.isNaN(expected[i]))) continue;
    const error = Math.abs(actual[i] - expected[i]);
    if (!(error <= bound(i)))
      return `[${i}] = ${actual[i]}, expected ${expected[i]}, bound ${bound(i)}, error ${error}`;
  }
  return undefined;
}

export function expectWithin(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  bound: (index: number) => number,
  what = "",
): void {
  const found = violation(actual, expected, bound);
  if (found !== undefined) expect.fail(`${what} ${found}`);
}

/** The first element whose bits differ, in words. */
export function bitDifference(actual: Float32Array, expected: Float32Array): string | undefined {
  if (actual.length !== expected.length) return `length ${actual.length}, expected ${expected.length}`;
  const a = new Uint32Array(actual.buffer, actual.byteOffset, actual.length);
  const b = new Uint32Array(expected.buffer, expected.byteOffset, expected.length);
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return `[${i}] = ${actual[i]} (${hex(a[i])}), expected ${expected[i]} (${hex(b[i])})`;
  }
  return undefined;
}

export function expectSameBits(actual: Float32Array, expected: Float32Array, what = ""): void {
  const found = bitDifference(actual, expected);
  if (found !== undefined) expect.fail(`${what} ${found}`);
}

const hex = (word: number): string => `0x${word.toString(16).padStart(8, "0")}`;
