// A small seeded generator for test data, independent of the project's own.

export interface RandomSource {
  /** Uniform in [low, high). */
  uniform(low?: number, high?: number): number;
  /** A whole number in 0..count-1. */
  integer(count: number): number;
  pick<T>(values: readonly T[]): T;
  /** n floats, exactly representable in f32, uniform in [low, high). */
  floats(n: number, low?: number, high?: number): Float32Array;
}

/** Source: mulberry32 (Tommy Ettinger, public domain algorithm). */
export function randomSource(seed: number): RandomSource {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const uniform = (low = 0, high = 1): number => low + (high - low) * next();
  return {
    uniform,
    integer: (count) => Math.floor(next() * count),
    pick: (values) => values[Math.floor(next() * values.length)],
    floats: (n, low = -1, high = 1) => Float32Array.from({ length: n }, () => uniform(low, high)),
  };
}
