import { add_lanes, lane_mask, promote_high, row_exp, row_max, row_scale } from "./rows";
import { store_tail } from "./simd";

/** y = exp(x - max x) / sum exp(x - max x) by rows; the sum in f64.
 *  Shapes: x, y f32[rows, n]; y may be x.
 *  Error: <= 3 ulp while x - max x > -87. */
export function softmax(rows: i32, n: i32, x: usize, ldx: i32, y: usize, ldy: i32): void {
  const stepX = (ldx as usize) << 2;
  const stepY = (ldy as usize) << 2;
  for (let i = 0; i < rows; i++) {
    const sum = row_exp(n, x, row_max(n, x), y);
    row_scale(n, y, (1.0 / sum) as f32);
    x += stepX;
    y += stepY;
  }
}

/** dx = y * (dy - sum(dy * y)) by rows; the sum in f64.
 *  Shapes: y, dy, dx f32[rows, n]; y is softmax's output; dx may be dy. */
export function softmax_backward(
  rows: i32, n: i32, y: usize, ldy: i32, dy: usize, lddy: i32, dx: usize, lddx: i32,
): void {
  const stepY = (ldy as usize) << 2;
  const stepDy = (lddy as usize) << 2;
  const stepDx = (lddx as usize) << 2;
  for (let i = 0; i < rows; i++) {
    let a = f64x2.splat(0);
    let b = f64x2.splat(0);
    let at: usize = 0;
    for (let left = n; left > 0; left -= 4) {
      let product = f32x4.mul(v128.load(y + at), v128.load(dy + at));
      if (left < 4) product = v128.and(product, lane_mask(left));
      a = f64x2.add(a, f64x2.promote_low_f32x4(product));
      b = f64x2.add(b, promote_high(product));
      at += 16;
    }
    const sum = f32x4.splat(add_lanes(a, b) as f32);
    at = 0;
    for (let left = n; left > 0; left -= 4) {
      const v = f32x4.mul(v128.load(y + at), f32x4.sub(v128.load(dy + at), sum));
      if (left >= 4) v128.store(dx + at, v);
      else store_tail(dx + at, v, left);
      at += 16;
    }
    y += stepY;
    dy += stepDy;
    dx += stepDx;
  }
}
