// Sums over rows.
import { store_sums } from "./map";

/** out[j] = sum over i of x[i,j], plus out[j] when acc is 1.
 *  Shapes: x f32[rows, n] with leading dimension ldx, out f32[n].
 *  Error: |out - exact| <= rows * 2^-24 * (sum |x| + |out|) to first order; one chain down each column. */
export function column_sums(rows: i32, n: i32, x: usize, ldx: i32, out: usize, acc: i32): void {
  const step = <usize>ldx << 2;
  const end = <usize>rows * step;
  // 16 columns are one cache line of each row, and enough sums to hide the addition's latency. Where fewer are left, the
  // last vector goes several times.
  for (; n > 0; n -= 16) {
    const o3 = <usize>((min(n, 16) - 1) >> 2) << 4;
    const o1 = min<usize>(o3, 16);
    const o2 = min<usize>(o3, 32);
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (let p = x, stop = x + end; p != stop; p += step) {
      s0 = f32x4.add(s0, v128.load(p));
      s1 = f32x4.add(s1, v128.load(p + o1));
      s2 = f32x4.add(s2, v128.load(p + o2));
      s3 = f32x4.add(s3, v128.load(p + o3));
    }
    store_sums(out, s0, acc, n);
    store_sums(out + 16, s1, acc, n - 4);
    store_sums(out + 32, s2, acc, n - 8);
    store_sums(out + 48, s3, acc, n - 12);
    x += 64;
    out += 64;
  }
}
