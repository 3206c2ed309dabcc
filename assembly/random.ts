// Random numbers: the words of Philox (assembly/philox.ts) and what is made of them.
import { generate, NORMAL, UNIFORM, WORDS } from "./philox";

/** out[e] = word first + e of the sequence.
 *  Shapes: out u32[n]; first may be any. */
export function philox_u32(
  n: i32, out: usize, seedLow: u32, seedHigh: u32, purpose: u32, stream: u32, index: u32, first: u32,
): void {
  generate(WORDS, n, out, seedLow, seedHigh, purpose, stream, index, first, 0, 0, 0, 0);
}

/** Uniform in [low, high): out[e] = low + (high - low) * (word e >> 8) * 2^-24, and never high by rounding.
 *  Shapes: out f32[n]. */
export function philox_uniform(
  n: i32, out: usize, seedLow: u32, seedHigh: u32, purpose: u32, stream: u32, index: u32, low: f32, high: f32,
): void {
  const below = reinterpret<f32>(reinterpret<i32>(high) + (high > 0 ? -1 : 1));
  const cap = high == 0 ? -reinterpret<f32>(1) : below;
  generate(UNIFORM, n, out, seedLow, seedHigh, purpose, stream, index, 0, low, high - low, max<f32>(cap, low), 0);
}

/** Normal by Box-Muller, not truncated. Elements 2i and 2i+1 are r cos(2 pi t) and r sin(2 pi t) with
 *  r = sqrt(-2 log((word 2i + 1/2) 2^-32)) and t = (word 2i+1 >> 8) 2^-24, times deviation, plus mean.
 *  Shapes: out f32[n].
 *  Error: <= 7e-7 * deviation, measured against f64.
 *  Source: Box & Muller 1958. */
export function philox_normal(
  n: i32, out: usize, seedLow: u32, seedHigh: u32, purpose: u32, stream: u32, index: u32, mean: f32, deviation: f32,
): void {
  generate(NORMAL, n, out, seedLow, seedHigh, purpose, stream, index, 0, mean, deviation, 0, 0);
}
