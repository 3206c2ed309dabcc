// What softmax, the losses and the metrics share about one row. Not among the module's exports.
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

/** Largest of x[0..n-1], NaN passed over; -Infinity when there is none. */
export function row_max(n: i32, x: usize): f32 {
  let top = f32x4.splat(-Infinity);
  let j = 0;
  for (; j <= n - 4; j += 4) top = f32x4.pmax(top, v128.load(x + ((j as usize) << 2)));
  if (j < n) {
    top = f32x4.pmax(top, v128.bitselect(v128.load(x + ((j as usize) << 2)), top, lane_mask(n - j)));
  }
  top = f32x4.pmax(top, v128.shuffle<u64>(top, top, 1, 0));
  top = f32x4.pmax(top, v128.shuffle<u32>(top, top, 1, 0, 3, 2));
  return f32x4.extract_lane(top, 0);
}

/** y = exp(x - shift) over n elements; the result is their sum in f64: four lanes down the row, then the lanes. */
export function row_exp(n: i32, x: usize, shift: f32, y: usize): f64 {
  const s = f32x4.splat(shift);
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  for (let left = n; left > 0; left -= 4) {
    let e = exp_ps(f32x4.sub(v128.load(x), s));
    if (left >= 4) {
      v128.store(y, e);
    } else {
      e = v128.and(e, lane_mask(left));
      store_tail(y, e, left);
    }
    a = f64x2.add(a, f64x2.promote_low_f32x4(e));
    b = f64x2.add(b, promote_high(e));
    x += 16;
    y += 16;
  }
  return add_lanes(a, b);
}

/** y *= factor over n elements. */
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
