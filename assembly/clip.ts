// Bounds on gradients, before an optimizer's step.
import { map_compact } from "./map";
import { add_lanes, lane_mask } from "./rows";

/** out = sum of x[i]^2, plus out when acc is 1: f64, where no square of an f32 is rounded or overflows.
 *  Shapes: x f32[n], out f64[1].
 *  Error: relative, n * 2^-53; four chains, one a lane. */
export function sum_squares(n: i32, x: usize, out: usize, acc: i32): void {
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  for (; n > 0; n -= 4) {
    let v = v128.load(x);
    if (n < 4) v = v128.and(v, lane_mask(n));
    const low = f64x2.promote_low_f32x4(v);
    const high = f64x2.promote_low_f32x4(v128.shuffle<u64>(v, v, 1, 1));
    a = f64x2.add(a, f64x2.mul(low, low));
    b = f64x2.add(b, f64x2.mul(high, high));
    x += 16;
  }
  store<f64>(out, add_lanes(a, b) + (acc ? load<f64>(out) : 0));
}

class Scale {
  // @ts-ignore: decorator
  @inline
  of(x: v128, factor: v128, _q: v128): v128 {
    return f32x4.mul(x, factor);
  }
}

class Clamp {
  // @ts-ignore: decorator
  @inline
  of(x: v128, limit: v128, _q: v128): v128 {
    return f32x4.pmax(f32x4.pmin(x, limit), f32x4.neg(limit));
  }
}

/** x <- x * limit / (norm + 1e-6) where that factor is under 1; `sum` f64[1] is the norm's square.
 *  Shapes: x f32[n].
 *  Source: torch.nn.utils.clip_grad_norm_. */
export function clip_norm(n: i32, x: usize, sum: usize, limit: f64): void {
  const factor = limit / (sqrt(load<f64>(sum)) + 1e-6);
  if (factor < 1) map_compact<Scale>(n, x, x, factor as f32);
}

/** x <- x within -limit..limit.
 *  Shapes: x f32[n].
 *  Source: torch.nn.utils.clip_grad_value_. */
export function clip_value(n: i32, x: usize, limit: f32): void {
  map_compact<Clamp>(n, x, x, limit);
}
