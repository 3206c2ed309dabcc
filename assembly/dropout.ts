// Dropout, whose mask is never stored: it is made again from the generator's counter.
import { DROPOUT, generate } from "./philox";

/** y[e] = scale * x[e] where fraction first + e of the sequence (word >> 8) * 2^-24 is at least `rate`, else 0.
 *  Shapes: x, y f32[n]; y may be x; first a multiple of 4: its own position, where a part of a whole is done.
 *  Error: one rounding.
 *  Source: Srivastava et al. 2014, scaled in training. */
export function dropout(
  n: i32, x: usize, y: usize, first: u32, seedLow: u32, seedHigh: u32, purpose: u32, stream: u32, index: u32,
  rate: f32, scale: f32,
): void {
  generate(DROPOUT, n, y, seedLow, seedHigh, purpose, stream, index, first, rate, scale, 0, x);
}
