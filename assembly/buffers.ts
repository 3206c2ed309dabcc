import { lane_mask } from "./rows";

/** Index of the first NaN or infinity among x[0..n-1], or -1. */
export function first_non_finite(n: i32, x: usize): i32 {
  if (largest_magnitude(n, x) < Infinity) return -1;
  let i = 0;
  while ((load<i32>(x + ((i as usize) << 2)) & 0x7fffffff) < 0x7f800000) i++;
  return i;
}

/** The largest |x|; infinity or NaN when any element is. 0 when n is 0. From the end: what was written last is still in
 *  the cache. */
export function largest_magnitude(n: i32, x: usize): f32 {
  // Without their signs, as integers, magnitudes have the order of the floats, infinity and NaN above all. Shifted, not
  // masked: an engine would build the mask anew each time.
  let a = i32x4.splat(0);
  let b = i32x4.splat(0);
  x += <usize>(n & ~3) << 2;
  if (n & 3) a = v128.and(i32x4.shl(v128.load(x), 1), lane_mask(n & 3));
  for (n >>= 2; n >= 4; n -= 4) {
    x -= 64;
    a = i32x4.max_u(a, i32x4.max_u(i32x4.shl(v128.load(x), 1), i32x4.shl(v128.load(x, 16), 1)));
    b = i32x4.max_u(b, i32x4.max_u(i32x4.shl(v128.load(x, 32), 1), i32x4.shl(v128.load(x, 48), 1)));
  }
  for (; n > 0; n--) {
    x -= 16;
    a = i32x4.max_u(a, i32x4.shl(v128.load(x), 1));
  }
  a = i32x4.max_u(a, b);
  a = i32x4.max_u(a, v128.shuffle<u64>(a, a, 1, 0));
  a = i32x4.max_u(a, v128.shuffle<u32>(a, a, 1, 0, 3, 2));
  return f32x4.extract_lane(i32x4.shr_u(a, 1), 0);
}

/** x = value over n elements. */
export function fill(n: i32, x: usize, value: f32): void {
  for (; n >= 4; n -= 4) {
    v128.store(x, f32x4.splat(value));
    x += 16;
  }
  for (; n > 0; n--) {
    store<f32>(x, value);
    x += 4;
  }
}

/** y = x with other leading dimensions.
 *  Shapes: x, y f32[rows, n], which do not overlap. */
export function copy_matrix(rows: i32, n: i32, x: usize, ldx: i32, y: usize, ldy: i32): void {
  if (ldx == n && ldy == n) {
    memory.copy(y, x, ((rows * n) as usize) << 2);
    return;
  }
  for (let i = 0; i < rows; i++) {
    let from = x;
    let to = y;
    let left = n;
    for (; left >= 4; left -= 4) {
      v128.store(to, v128.load(from));
      from += 16;
      to += 16;
    }
    for (; left > 0; left--) {
      store<u32>(to, load<u32>(from));
      from += 4;
      to += 4;
    }
    x += (ldx as usize) << 2;
    y += (ldy as usize) << 2;
  }
}
