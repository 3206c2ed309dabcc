// What softmax, the losses and the metrics share about rows. Not among the module's exports.
//
// exp of a row depends on its maximum, the sum on all exps, the scale on the sum: row by row, a processor waits. So
// blocks of rows that fit into the first cache take one of these steps after the other.
import { exp_ps } from "./math";
import { store_tail } from "./simd";

/** All ones in the lanes below `count`, zeros in the others. */
// @ts-ignore: decorator
@inline
export function lane_mask(count: i32): v128 {
  return i32x4.gt_s(i32x4.splat(count), i32x4(0, 1, 2, 3));
}

/** The two f64 lanes of a + b, where a holds the sums of lanes 0 and 1 and b those of lanes 2 and 3, added up. */
// @ts-ignore: decorator
@inline
export function add_lanes(a: v128, b: v128): f64 {
  const pair = f64x2.add(a, b);
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
}

/** Lanes 2 and 3 as f64. */
// @ts-ignore: decorator
@inline
export function promote_high(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<u64>(x, x, 1, 1));
}

/** How many rows of n elements are one block. */
// @ts-ignore: decorator
@inline
export function block_rows(n: i32): i32 {
  return max(2048 / max(n, 1), 1);
}

/** Largest of x[0..n-1] in all lanes, NaN passed over; -Infinity when there is none. */
// @ts-ignore: decorator
@inline
export function row_max(n: i32, x: usize): v128 {
  let top = f32x4.splat(-Infinity);
  for (; n >= 4; n -= 4) {
    top = f32x4.pmax(top, v128.load(x));
    x += 16;
  }
  if (n > 0) top = f32x4.pmax(top, v128.bitselect(v128.load(x), top, lane_mask(n)));
  top = f32x4.pmax(top, v128.shuffle<u64>(top, top, 1, 0));
  return f32x4.pmax(top, v128.shuffle<u32>(top, top, 1, 0, 3, 2));
}

/** y = x - max x over n elements; the result is the maximum. */
// @ts-ignore: decorator
@inline
export function row_shift(n: i32, x: usize, y: usize): f32 {
  const top = row_max(n, x);
  for (; n >= 4; n -= 4) {
    v128.store(y, f32x4.sub(v128.load(x), top));
    x += 16;
    y += 16;
  }
  if (n > 0) store_tail(y, f32x4.sub(v128.load(x), top), n);
  return f32x4.extract_lane(top, 0);
}

/** y = exp(y) by rows, in place. Units: step in bytes. */
export function exp_rows(rows: i32, n: i32, y: usize, step: usize): void {
  for (; rows > 0; rows--) {
    let to = y;
    for (let left = n; left > 0; left -= 4) {
      const e = exp_ps(v128.load(to));
      if (left >= 4) v128.store(to, e);
      else store_tail(to, e, left);
      to += 16;
    }
    y += step;
  }
}

/** Sum of n elements in f64: four lanes down the row, then the lanes. */
// @ts-ignore: decorator
@inline
export function row_sum(n: i32, y: usize): f64 {
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  for (; n > 0; n -= 4) {
    let e = v128.load(y);
    if (n < 4) e = v128.and(e, lane_mask(n));
    a = f64x2.add(a, f64x2.promote_low_f32x4(e));
    b = f64x2.add(b, promote_high(e));
    y += 16;
  }
  return add_lanes(a, b);
}

/** Sum of x * y over n elements: products in f32, added up in f64. */
export function row_dot(n: i32, x: usize, y: usize): f64 {
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  for (; n > 0; n -= 4) {
    let product = f32x4.mul(v128.load(x), v128.load(y));
    if (n < 4) product = v128.and(product, lane_mask(n));
    a = f64x2.add(a, f64x2.promote_low_f32x4(product));
    b = f64x2.add(b, promote_high(product));
    x += 16;
    y += 16;
  }
  return add_lanes(a, b);
}

/** y *= factor over n elements. */
// @ts-ignore: decorator
@inline
export function row_scale(n: i32, y: usize, factor: f32): void {
  const f = f32x4.splat(factor);
  for (; n >= 4; n -= 4) {
    v128.store(y, f32x4.mul(v128.load(y), f));
    y += 16;
  }
  for (; n > 0; n--) {
    store<f32>(y, load<f32>(y) * factor);
    y += 4;
  }
}

/** Sum of the weights, 1 each without, from that of `running` on. */
export function sum_weights(rows: i32, weights: usize, running: usize): f64 {
  let sum: f64 = running ? load<f64>(running, 32) : 0;
  if (!weights) return sum + (rows as f64);
  for (let i = 0; i < rows; i++) sum += load<f32>(weights + ((i as usize) << 2)) as f64;
  return sum;
}
