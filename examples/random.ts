// Random numbers for the examples that make their own data: the same for a seed on every engine, so nothing but
// arithmetic that all engines round alike.

export interface Random {
  /** Uniform in [low, high). */
  uniform(low?: number, high?: number): number;
  /** Mean 0, variance 1. */
  normal(): number;
}

/** Source: mulberry32 (Tommy Ettinger, public domain algorithm). */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const uniform = (low = 0, high = 1): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return low + ((high - low) * ((t ^ (t >>> 14)) >>> 0)) / 2 ** 32;
  };
  return { uniform, normal: () => irwinHall(uniform) };
}

/** A sum of twelve uniforms has variance 1 and is near enough to normal: no logarithm, no cosine. */
function irwinHall(uniform: () => number): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += uniform();
  return sum;
}
