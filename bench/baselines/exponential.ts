// exp in plain JavaScript, faster than Math.exp by what a float does not need.

const LOG2E = Math.LOG2E;
const LN2 = Math.LN2;
/** Adding and subtracting it rounds a double to an integer. */
const ROUND = 6755399441055744;
/** 2^n lies at n + 256. */
const powersOfTwo = Float64Array.from({ length: 512 }, (_, i) => 2 ** (i - 256));

/** exp(x): 2^n e^r, |r| <= ln(2) / 2, a polynomial of degree 6 (relative error 2e-7); 0 and Infinity past a float. */
export function exponential(x: number): number {
  const n = x * LOG2E + ROUND - ROUND;
  if (!(n > -150)) return n < 0 ? 0 : Number.NaN;
  if (n > 129) return Number.POSITIVE_INFINITY;
  const r = x - n * LN2;
  const r2 = r * r;
  const high = 1 / 24 + r * (1 / 120) + r2 * (1 / 720);
  return powersOfTwo[(n + 256) | 0] * (1 + r + r2 * (0.5 + r * (1 / 6) + r2 * high));
}
