// Floats to measure elementwise kernels on.
import { LONG } from "./long.ts";
import type { RandomSource } from "./random.ts";

/** Zeros, denormals, the ends of the range, infinities and NaN. */
export const SPECIAL = [
  0,
  -0,
  2 ** -149,
  -(2 ** -149),
  1e-39,
  -1e-39,
  2 ** -126,
  -(2 ** -126),
  1,
  -1,
  1e4,
  -1e4,
  3.4028234663852886e38,
  -3.4028234663852886e38,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
];

/** Floats spread evenly over all 2^32 bit patterns: both signs, denormals and NaN included. */
export function bitPatterns(count: number): Float32Array {
  const words = new Uint32Array(count);
  const step = 2 ** 32 / count;
  for (let i = 0; i < count; i++) words[i] = Math.floor((i + 0.5) * step);
  return new Float32Array(words.buffer);
}

/** The whole range: bit patterns (even by exponent), values (even) where elementary functions bend, special values. */
export function wholeRange(random: RandomSource): Float32Array {
  const patterns = bitPatterns(LONG ? 2 ** 24 : 2 ** 17);
  const count = LONG ? 2 ** 22 : 2 ** 16;
  const wide = random.floats(count, -110, 110);
  const narrow = random.floats(count, -4, 4);
  const all = new Float32Array(patterns.length + 2 * count + SPECIAL.length);
  all.set(patterns);
  all.set(wide, patterns.length);
  all.set(narrow, patterns.length + count);
  all.set(SPECIAL, patterns.length + 2 * count);
  return all;
}
