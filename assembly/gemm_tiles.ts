// The register tiles of the matrix product: each computes up to 4 rows of C over one block of K.
//
// Every output element is one chain, acc = madd(a, b, acc) from 0 over the block's k in order, then
// C = pmax(acc + init, lo): all tiles give the same bits. `init` is read at ip + i*is and covers bias (is = 0),
// accumulation (ip = C) and nothing (ip = zeros); lo points to 0 for ReLU, else to -Infinity. pmax(v, lo) lets NaN
// pass. A full tile's end has no branch, because what is spilled after a loop is also stored inside it.
//
// V8 up to 12.4 hoists all loads of a basic block to its top, and 8 sums + 2 B + 4 A + 1 fill its 15 registers: a loop
// that is unrolled by hand needs an exit after each k, a mere one (work on the way out costs the older compilers 10 to
// 20 %). V8 unrolls short loops itself, the more often the deeper they stand in other loops: that is why the packed
// tile is inlined into all of sgemm's (81 % of the machine's multiply-add rate without).
//
// Rows past the last are clamped: they compute the last row again and are stored before it at the same place. All of
// `init` is read before the first store, so C may be its own `init`.
// Sums p are a tile's first four columns, q the next four.
// Strides (sa between k of A, ra between rows of A, sb between k of B, rc, is) are in bytes, js between columns of
// `init` too: 4, or 0 where it is zeros.
import { madd } from "./simd";

/** 16 zeros: the `init` of a product without bias. */
export const ZEROS: usize = memory.data<f32>([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
/** -Infinity: the lower bound of a product without ReLU. */
export const NO_BOUND: usize = memory.data<u32>([0xff800000]);

/** Adds `init`, applies the bound and stores four rows of eight columns, the last row first. */
// @ts-ignore: decorator
@inline
export function finish(
  p0: v128, p1: v128, p2: v128, p3: v128, q0: v128, q1: v128, q2: v128, q3: v128,
  c0: usize, c1: usize, c2: usize, c3: usize, i0: usize, i1: usize, i2: usize, i3: usize, lo: usize,
): void {
  p0 = f32x4.add(p0, v128.load(i0));
  q0 = f32x4.add(q0, v128.load(i0, 16));
  p1 = f32x4.add(p1, v128.load(i1));
  q1 = f32x4.add(q1, v128.load(i1, 16));
  p2 = f32x4.add(p2, v128.load(i2));
  q2 = f32x4.add(q2, v128.load(i2, 16));
  p3 = f32x4.add(p3, v128.load(i3));
  q3 = f32x4.add(q3, v128.load(i3, 16));
  const bound = v128.load32_splat(lo);
  v128.store(c3, f32x4.pmax(p3, bound));
  v128.store(c3, f32x4.pmax(q3, bound), 16);
  v128.store(c2, f32x4.pmax(p2, bound));
  v128.store(c2, f32x4.pmax(q2, bound), 16);
  v128.store(c1, f32x4.pmax(p1, bound));
  v128.store(c1, f32x4.pmax(q1, bound), 16);
  v128.store(c0, f32x4.pmax(p0, bound));
  v128.store(c0, f32x4.pmax(q0, bound), 16);
}

/** The same for rows that lie rc and is bytes apart. */
// @ts-ignore: decorator
@inline
export function finish_rows(
  p0: v128, p1: v128, p2: v128, p3: v128, q0: v128, q1: v128, q2: v128, q3: v128,
  c: usize, rc: usize, ip: usize, is: usize, lo: usize,
): void {
  const c1 = c + rc, c2 = c1 + rc, c3 = c2 + rc;
  const i1 = ip + is, i2 = i1 + is, i3 = i2 + is;
  finish(p0, p1, p2, p3, q0, q1, q2, q3, c, c1, c2, c3, ip, i1, i2, i3, lo);
}

/** A column of 4x8 tiles over packed panels: 4 values of A and 8 of B a k, side by side. Units: m, a multiple of 4.
 *  Four k a round: V8 would unroll a loop of one k, but keeps more address arithmetic, and leaves one of two as it is. */
// @ts-ignore: decorator
@inline
export function packed_column(
  m: i32, kc: i32, a: usize, b: usize, c: usize, rc: usize, ip: usize, is: usize, lo: usize,
): void {
  const strip = <usize>((kc + 3) & ~3) << 4;
  const last = b + (<usize>(kc - 1) << 5);
  for (; m > 0; m -= 4) {
    let s = addresses(a);
    let p0 = s, p1 = s, p2 = s, p3 = s, q0 = s, q1 = s, q2 = s, q3 = s, b0 = s, b1 = s;
    let x = a, z = b;
    do {
      b0 = v128.load(z), b1 = v128.load(z, 16);
      s = v128.load32_splat(x), p0 = madd(s, b0, p0), q0 = madd(s, b1, q0);
      s = v128.load32_splat(x, 4), p1 = madd(s, b0, p1), q1 = madd(s, b1, q1);
      s = v128.load32_splat(x, 8), p2 = madd(s, b0, p2), q2 = madd(s, b1, q2);
      s = v128.load32_splat(x, 12), p3 = madd(s, b0, p3), q3 = madd(s, b1, q3);
      if (z == last) break;
      b0 = v128.load(z, 32), b1 = v128.load(z, 48);
      s = v128.load32_splat(x, 16), p0 = madd(s, b0, p0), q0 = madd(s, b1, q0);
      s = v128.load32_splat(x, 20), p1 = madd(s, b0, p1), q1 = madd(s, b1, q1);
      s = v128.load32_splat(x, 24), p2 = madd(s, b0, p2), q2 = madd(s, b1, q2);
      s = v128.load32_splat(x, 28), p3 = madd(s, b0, p3), q3 = madd(s, b1, q3);
      x += 32;
      z += 64;
      if (z > last) break;
      b0 = v128.load(z), b1 = v128.load(z, 16);
      s = v128.load32_splat(x), p0 = madd(s, b0, p0), q0 = madd(s, b1, q0);
      s = v128.load32_splat(x, 4), p1 = madd(s, b0, p1), q1 = madd(s, b1, q1);
      s = v128.load32_splat(x, 8), p2 = madd(s, b0, p2), q2 = madd(s, b1, q2);
      s = v128.load32_splat(x, 12), p3 = madd(s, b0, p3), q3 = madd(s, b1, q3);
      if (z == last) break;
      b0 = v128.load(z, 32), b1 = v128.load(z, 48);
      s = v128.load32_splat(x, 16), p0 = madd(s, b0, p0), q0 = madd(s, b1, q0);
      s = v128.load32_splat(x, 20), p1 = madd(s, b0, p1), q1 = madd(s, b1, q1);
      s = v128.load32_splat(x, 24), p2 = madd(s, b0, p2), q2 = madd(s, b1, q2);
      s = v128.load32_splat(x, 28), p3 = madd(s, b0, p3), q3 = madd(s, b1, q3);
      x += 32;
      z += 64;
    } while (z <= last);
    a += strip;
    finish_rows(p0, p1, p2, p3, q0, q1, q2, q3, c, rc, ip, is, lo);
    c += rc << 2;
    ip += is << 2;
  }
}

/** Zeros. V8 adds the offset of a load to all lanes to the memory's start, in a register of its own, and again at every
 *  load that no equal one comes before on all ways: with these seven, none in a loop over x + 0 to 28 needs that. */
// @ts-ignore: decorator
@inline
function addresses(x: usize): v128 {
  let s = v128.load32_splat(x, 4);
  s = v128.and(s, v128.load32_splat(x, 8));
  s = v128.and(s, v128.load32_splat(x, 12));
  s = v128.and(s, v128.load32_splat(x, 16));
  s = v128.and(s, v128.load32_splat(x, 20));
  s = v128.and(s, v128.load32_splat(x, 24));
  s = v128.and(s, v128.load32_splat(x, 28));
  return v128.and(s, f32x4.splat(0));
}

/** The first tile of such a column, from B's rows as they lie, which it packs on the way: they come from afar, and the
 *  products hide the wait. */
// @ts-ignore: decorator
@inline
export function packing_tile(
  kc: i32, a: usize, b: usize, sb: usize, panel: usize, c: usize, rc: usize, ip: usize, is: usize, lo: usize,
): void {
  let s = addresses(a);
  let p0 = s, p1 = s, p2 = s, p3 = s, q0 = s, q1 = s, q2 = s, q3 = s, b0 = s, b1 = s;
  const end = panel + (<usize>kc << 5);
  do {
    b0 = v128.load(b), b1 = v128.load(b, 16);
    v128.store(panel, b0);
    v128.store(panel, b1, 16);
    s = v128.load32_splat(a), p0 = madd(s, b0, p0), q0 = madd(s, b1, q0);
    s = v128.load32_splat(a, 4), p1 = madd(s, b0, p1), q1 = madd(s, b1, q1);
    s = v128.load32_splat(a, 8), p2 = madd(s, b0, p2), q2 = madd(s, b1, q2);
    s = v128.load32_splat(a, 12), p3 = madd(s, b0, p3), q3 = madd(s, b1, q3);
    a += 16;
    b += sb;
    panel += 32;
  } while (panel != end);
  finish_rows(p0, p1, p2, p3, q0, q1, q2, q3, c, rc, ip, is, lo);
}
