// Deterministic f64 functions: the same bits on every engine, unlike Math.pow and its kin.

/** base^exponent by repeated squaring. Units: exponent a whole number >= 0. */
export function powInteger(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
    square *= square;
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
