// Sums over rows.
import { store_tail } from "./simd";

/** out[j] = sum over i of x[i,j], plus out[j] when acc is 1.
 *  Shapes: x f32[rows, n] with leading dimension ldx, out f32[n].
 *  Error: |out - exact| <= rows * 2^-24 * (sum |x| + |out|) to first order; one chain down each column. */
export function column_sums(rows: i32, n: i32, x: usize, ldx: i32, out: usize, acc: i32): void {
  const step = <usize>ldx << 2;
  const end = <usize>rows * step;
  let j = 0;
  // 16 columns are one cache line of each row, and enough sums to hide the addition's latency.
  for (; j + 16 <= n; j += 16) {
    let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
    for (let p = x, stop = x + end; p != stop; p += step) {
      s0 = f32x4.add(s0, v128.load(p));
      s1 = f32x4.add(s1, v128.load(p, 16));
      s2 = f32x4.add(s2, v128.load(p, 32));
      s3 = f32x4.add(s3, v128.load(p, 48));
    }
    if (acc) {
      s0 = f32x4.add(s0, v128.load(out));
      s1 = f32x4.add(s1, v128.load(out, 16));
      s2 = f32x4.add(s2, v128.load(out, 32));
      s3 = f32x4.add(s3, v128.load(out, 48));
    }
    v128.store(out, s0);
    v128.store(out, s1, 16);
    v128.store(out, s2, 32);
    v128.store(out, s3, 48);
    x += 64;
    out += 64;
  }
  for (; j < n; j += 4) {
    let s = f32x4.splat(0);
    for (let p = x, stop = x + end; p != stop; p += step) s = f32x4.add(s, v128.load(p));
    if (acc) s = f32x4.add(s, v128.load(out));
    if (n - j >= 4) v128.store(out, s);
    else store_tail(out, s, n - j);
    x += 16;
    out += 16;
  }
}
