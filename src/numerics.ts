// Deterministic f64 functions: the same bits on every engine, unlike Math.pow and its kin.

/** base^exponent by repeated squaring. Units: exponent a whole number >= 0. */
export function powInteger(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let rest = exponent; rest > 0; ) {
    const odd = rest % 2;
    if (odd) result *= square;
    square *= square;
    // A quotient that is whole stays an integer to engines, which is sooner than to round it.
    rest = (rest - odd) / 2;
  }
  return result;
}

/** A seed's low and high 32 bits, the key of the random generator. Units: seed a safe integer >= 0. */
export function seedWords(seed: number): [low: number, high: number] {
  return [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
}

/** What random numbers are for: one word of the generator's counter, so that no two uses meet. */
export const PURPOSE_INITIALIZE = 1;
export const PURPOSE_SHUFFLE = 2;
export const PURPOSE_DROPOUT = 3;
export const PURPOSE_SPLIT = 16;

/** base^exponent for any exponent >= 0. Units: base > 0.
 *  Error: relative, 2^-53 times about exponent (1 + |log base|) + 4. */
export function power(base: number, exponent: number): number {
  const whole = Math.floor(exponent);
  const result = powInteger(base, whole);
  return exponent > whole ? result * exp((exponent - whole) * log(base)) : result;
}

/** Units: |x| < 700. Error: relative, 3 * 2^-53: x = k log 2 + r, Taylor's series of r. */
export function exp(x: number): number {
  const k = Math.round(x / Math.LN2);
  // log 2 in two parts, the first short, so that k times it is exact.
  const r = x - k * 0.6931471803691238 - k * 1.9082149292705877e-10;
  let sum = 1;
  for (let n = 14; n > 0; n--) sum = 1 + (sum * r) / n;
  const scale = powInteger(2, Math.abs(k));
  return k < 0 ? sum / scale : sum * scale;
}

/** Error: 2^-52 (1 + |log x|): x = m 2^k, log m = 2 artanh((m - 1) / (m + 1)). Units: x > 0, normal. */
export function log(x: number): number {
  let k = 0;
  for (; x > Math.SQRT2; k++) x /= 2;
  for (; x < Math.SQRT1_2; k--) x *= 2;
  const s = (x - 1) / (x + 1);
  let sum = 0;
  for (let n = 23; n > 0; n -= 2) sum = sum * s * s + 2 / n;
  return k * Math.LN2 + sum * s;
}

/** sin(pi x / 2), exact at the ends. Units: x in [0, 1]. Error: relative, 3 * 2^-53: Taylor's series up to a half. */
export function sinQuarter(x: number): number {
  if (x > 0.5) {
    const half = sinQuarter((1 - x) / 2);
    return 1 - 2 * half * half;
  }
  const angle = (Math.PI / 2) * x;
  let sum = 1;
  for (let n = 16; n > 0; n -= 2) sum = 1 - (sum * angle * angle) / (n * (n + 1));
  return angle * sum;
}
