import { block_rows, exp_rows, row_dot, row_scale, row_shift, row_sum } from "./rows";
import { store_tail } from "./simd";

/** y = exp(x - max x) / sum exp(x - max x) by rows; the sum in f64.
 *  Shapes: x, y f32[rows, n]; y may be x.
 *  Error: relative <= (7 + |x - max x| / 2) 2^-24, measured against f64, where y is no denormal. */
export function softmax(rows: i32, n: i32, x: usize, ldx: i32, y: usize, ldy: i32): void {
  const stepX = (ldx as usize) << 2;
  const stepY = (ldy as usize) << 2;
  const block = block_rows(n);
  for (; rows > 0; rows -= block) {
    const count = min(block, rows);
    let row = y;
    for (let i = 0; i < count; i++) {
      row_shift(n, x, row);
      x += stepX;
      row += stepY;
    }
    exp_rows(count, n, y, stepY);
    for (let i = 0; i < count; i++) {
      row_scale(n, y, (1.0 / row_sum(n, y)) as f32);
      y += stepY;
    }
  }
}

/** dx = y * (dy - sum(dy * y)) by rows; the sum in f64.
 *  Shapes: y, dy, dx f32[rows, n]; y is softmax's output; dx may be dy.
 *  Error: <= 2.2 * 2^-24 * |y| (|dy| + sum |dy y|), measured against f64. */
export function softmax_backward(
  rows: i32, n: i32, y: usize, ldy: i32, dy: usize, lddy: i32, dx: usize, lddx: i32,
): void {
  const stepY = (ldy as usize) << 2;
  const stepDy = (lddy as usize) << 2;
  const stepDx = (lddx as usize) << 2;
  for (let i = 0; i < rows; i++) {
    const sum = f32x4.splat(row_dot(n, y, dy) as f32);
    let at: usize = 0;
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
