// The register tiles of the matrix product: each computes up to 4 rows of C over one block of K.
//
// Every output element is one chain, acc = madd(a, b, acc) from 0 over the block's k in order, then
// C = pmax(acc + init, lo): all tiles give the same bits. `init` is read at ip + i*is and covers bias (is = 0),
// accumulation (ip = C) and nothing (ip = zeros); lo points to 0 for ReLU, else to -Infinity. pmax(v, lo) lets NaN
// pass. The end has no branch, because what is spilled after a loop is also stored inside it. Loops are not unrolled
// by hand: V8 up to 12.4 hoists all loads of a basic block to its top, and 8 sums + 2 B + 4 A + 1 fill its 15
// registers. V8 unrolls them itself, with an exit after each k, when they stand deep enough in other loops: that is
// why all tiles are inlined (81 % of the machine's multiply-add rate without, 96 % with).
//
// Rows past the last are clamped: they compute the last row again (or, from a packed panel, padding) and are stored
// before it at the same place. All of `init` is read before the first store, so C may be its own `init`.
// Strides (sa between k of A, ra between rows of A, sb between k of B, ldc, is) are in bytes.
import { madd, store_tail } from "./simd";

/** 16 zeros: the `init` of a product without bias. */
export const ZEROS: usize = memory.data<f32>([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
/** -Infinity: the lower bound of a product without ReLU. */
export const NO_BOUND: usize = memory.data<u32>([0xff800000]);

/** Adds `init`, applies the bound and stores rows 0 to rows - 1 of a 4x8 tile. */
// @ts-ignore: decorator
@inline
function finish_4x8(
  s00: v128, s01: v128, s10: v128, s11: v128, s20: v128, s21: v128, s30: v128, s31: v128,
  c: usize, ldc: usize, ip: usize, is: usize, lo: usize, rows: i32,
): void {
  const i1 = rows > 1 ? ip + is : ip;
  const i2 = rows > 2 ? i1 + is : i1;
  const i3 = rows > 3 ? i2 + is : i2;
  s00 = f32x4.add(s00, v128.load(ip));
  s01 = f32x4.add(s01, v128.load(ip, 16));
  s10 = f32x4.add(s10, v128.load(i1));
  s11 = f32x4.add(s11, v128.load(i1, 16));
  s20 = f32x4.add(s20, v128.load(i2));
  s21 = f32x4.add(s21, v128.load(i2, 16));
  s30 = f32x4.add(s30, v128.load(i3));
  s31 = f32x4.add(s31, v128.load(i3, 16));
  const bound = v128.load32_splat(lo);
  const c1 = rows > 1 ? c + ldc : c;
  const c2 = rows > 2 ? c1 + ldc : c1;
  const c3 = rows > 3 ? c2 + ldc : c2;
  v128.store(c3, f32x4.pmax(s30, bound));
  v128.store(c3, f32x4.pmax(s31, bound), 16);
  v128.store(c2, f32x4.pmax(s20, bound));
  v128.store(c2, f32x4.pmax(s21, bound), 16);
  v128.store(c1, f32x4.pmax(s10, bound));
  v128.store(c1, f32x4.pmax(s11, bound), 16);
  v128.store(c, f32x4.pmax(s00, bound));
  v128.store(c, f32x4.pmax(s01, bound), 16);
}

/** 4x8 tile over packed panels: 4 values of A and 8 of B a k, side by side. */
// @ts-ignore: decorator
@inline
export function tile_4x8(
  kc: i32, a: usize, b: usize, c: usize, ldc: usize, ip: usize, is: usize, lo: usize, rows: i32,
): void {
  let s00 = f32x4.splat(0), s01 = f32x4.splat(0), s10 = f32x4.splat(0), s11 = f32x4.splat(0);
  let s20 = f32x4.splat(0), s21 = f32x4.splat(0), s30 = f32x4.splat(0), s31 = f32x4.splat(0);
  if (kc) {
    const end = b + (<usize>kc << 5);
    do {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      let x = v128.load32_splat(a);
      s00 = madd(x, b0, s00);
      s01 = madd(x, b1, s01);
      x = v128.load32_splat(a, 4);
      s10 = madd(x, b0, s10);
      s11 = madd(x, b1, s11);
      x = v128.load32_splat(a, 8);
      s20 = madd(x, b0, s20);
      s21 = madd(x, b1, s21);
      x = v128.load32_splat(a, 12);
      s30 = madd(x, b0, s30);
      s31 = madd(x, b1, s31);
      a += 16;
      b += 32;
    } while (b != end);
  }
  finish_4x8(s00, s01, s10, s11, s20, s21, s30, s31, c, ldc, ip, is, lo, rows);
}

/** 4x8 tile with any distance between the rows of A; all four rows are there. */
// @ts-ignore: decorator
@inline
export function tile_4x8_strided(
  kc: i32, a: usize, ra: usize, sa: usize, b: usize, sb: usize,
  c: usize, ldc: usize, ip: usize, is: usize, lo: usize,
): void {
  let s00 = f32x4.splat(0), s01 = f32x4.splat(0), s10 = f32x4.splat(0), s11 = f32x4.splat(0);
  let s20 = f32x4.splat(0), s21 = f32x4.splat(0), s30 = f32x4.splat(0), s31 = f32x4.splat(0);
  if (kc) {
    let a1 = a + ra;
    let a2 = a1 + ra;
    let a3 = a2 + ra;
    const end = b + <usize>kc * sb;
    do {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      let x = v128.load32_splat(a);
      s00 = madd(x, b0, s00);
      s01 = madd(x, b1, s01);
      x = v128.load32_splat(a1);
      s10 = madd(x, b0, s10);
      s11 = madd(x, b1, s11);
      x = v128.load32_splat(a2);
      s20 = madd(x, b0, s20);
      s21 = madd(x, b1, s21);
      x = v128.load32_splat(a3);
      s30 = madd(x, b0, s30);
      s31 = madd(x, b1, s31);
      a += sa;
      a1 += sa;
      a2 += sa;
      a3 += sa;
      b += sb;
    } while (b != end);
  }
  finish_4x8(s00, s01, s10, s11, s20, s21, s30, s31, c, ldc, ip, is, lo, 4);
}

/** 3x8 tile for 1 to 3 rows. */
// @ts-ignore: decorator
@inline
export function tile_3x8(
  kc: i32, a: usize, ra: usize, sa: usize, b: usize, sb: usize,
  c: usize, ldc: usize, ip: usize, is: usize, lo: usize, rows: i32,
): void {
  let s00 = f32x4.splat(0), s01 = f32x4.splat(0), s10 = f32x4.splat(0), s11 = f32x4.splat(0);
  let s20 = f32x4.splat(0), s21 = f32x4.splat(0);
  if (kc) {
    let a1 = rows > 1 ? a + ra : a;
    let a2 = rows > 2 ? a1 + ra : a1;
    const end = b + <usize>kc * sb;
    do {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      let x = v128.load32_splat(a);
      s00 = madd(x, b0, s00);
      s01 = madd(x, b1, s01);
      x = v128.load32_splat(a1);
      s10 = madd(x, b0, s10);
      s11 = madd(x, b1, s11);
      x = v128.load32_splat(a2);
      s20 = madd(x, b0, s20);
      s21 = madd(x, b1, s21);
      a += sa;
      a1 += sa;
      a2 += sa;
      b += sb;
    } while (b != end);
  }
  finish_4x8(s00, s01, s10, s11, s20, s21, s20, s21, c, ldc, ip, is, lo, rows);
}

/** 4x4 tile for the last columns: stores `cols` (1 to 4) of them. */
// @ts-ignore: decorator
@inline
export function tile_4x4(
  kc: i32, a: usize, ra: usize, sa: usize, b: usize, sb: usize,
  c: usize, ldc: usize, ip: usize, is: usize, lo: usize, rows: i32, cols: i32,
): void {
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  if (kc) {
    let a1 = rows > 1 ? a + ra : a;
    let a2 = rows > 2 ? a1 + ra : a1;
    let a3 = rows > 3 ? a2 + ra : a2;
    const end = b + <usize>kc * sb;
    do {
      const b0 = v128.load(b);
      s0 = madd(v128.load32_splat(a), b0, s0);
      s1 = madd(v128.load32_splat(a1), b0, s1);
      s2 = madd(v128.load32_splat(a2), b0, s2);
      s3 = madd(v128.load32_splat(a3), b0, s3);
      a += sa;
      a1 += sa;
      a2 += sa;
      a3 += sa;
      b += sb;
    } while (b != end);
  }
  const i1 = rows > 1 ? ip + is : ip;
  const i2 = rows > 2 ? i1 + is : i1;
  const i3 = rows > 3 ? i2 + is : i2;
  const bound = v128.load32_splat(lo);
  s0 = f32x4.pmax(f32x4.add(s0, v128.load(ip)), bound);
  s1 = f32x4.pmax(f32x4.add(s1, v128.load(i1)), bound);
  s2 = f32x4.pmax(f32x4.add(s2, v128.load(i2)), bound);
  s3 = f32x4.pmax(f32x4.add(s3, v128.load(i3)), bound);
  const c1 = rows > 1 ? c + ldc : c;
  const c2 = rows > 2 ? c1 + ldc : c1;
  const c3 = rows > 3 ? c2 + ldc : c2;
  if (cols == 4) {
    v128.store(c3, s3);
    v128.store(c2, s2);
    v128.store(c1, s1);
    v128.store(c, s0);
  } else {
    store_tail(c3, s3, cols);
    store_tail(c2, s2, cols);
    store_tail(c1, s1, cols);
    store_tail(c, s0, cols);
  }
}

/** 2x16 tile for two rows alone. */
// @ts-ignore: decorator
@inline
export function tile_2x16(
  kc: i32, a: usize, ra: usize, sa: usize, b: usize, sb: usize,
  c: usize, ldc: usize, ip: usize, is: usize, lo: usize,
): void {
  let s00 = f32x4.splat(0), s01 = f32x4.splat(0), s02 = f32x4.splat(0), s03 = f32x4.splat(0);
  let s10 = f32x4.splat(0), s11 = f32x4.splat(0), s12 = f32x4.splat(0), s13 = f32x4.splat(0);
  if (kc) {
    let a1 = a + ra;
    const end = b + <usize>kc * sb;
    do {
      const x0 = v128.load32_splat(a), x1 = v128.load32_splat(a1);
      let v = v128.load(b);
      s00 = madd(x0, v, s00);
      s10 = madd(x1, v, s10);
      v = v128.load(b, 16);
      s01 = madd(x0, v, s01);
      s11 = madd(x1, v, s11);
      v = v128.load(b, 32);
      s02 = madd(x0, v, s02);
      s12 = madd(x1, v, s12);
      v = v128.load(b, 48);
      s03 = madd(x0, v, s03);
      s13 = madd(x1, v, s13);
      a += sa;
      a1 += sa;
      b += sb;
    } while (b != end);
  }
  finish_1x16(s10, s11, s12, s13, c + ldc, ip + is, lo);
  finish_1x16(s00, s01, s02, s03, c, ip, lo);
}

/** 1x16 tile for one row alone. */
// @ts-ignore: decorator
@inline
export function tile_1x16(
  kc: i32, a: usize, sa: usize, b: usize, sb: usize, c: usize, ip: usize, lo: usize,
): void {
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  if (kc) {
    const end = b + <usize>kc * sb;
    do {
      const x = v128.load32_splat(a);
      s0 = madd(x, v128.load(b), s0);
      s1 = madd(x, v128.load(b, 16), s1);
      s2 = madd(x, v128.load(b, 32), s2);
      s3 = madd(x, v128.load(b, 48), s3);
      a += sa;
      b += sb;
    } while (b != end);
  }
  finish_1x16(s0, s1, s2, s3, c, ip, lo);
}

// @ts-ignore: decorator
@inline
function finish_1x16(s0: v128, s1: v128, s2: v128, s3: v128, c: usize, ip: usize, lo: usize): void {
  const bound = v128.load32_splat(lo);
  s0 = f32x4.add(s0, v128.load(ip));
  s1 = f32x4.add(s1, v128.load(ip, 16));
  s2 = f32x4.add(s2, v128.load(ip, 32));
  s3 = f32x4.add(s3, v128.load(ip, 48));
  v128.store(c, f32x4.pmax(s0, bound));
  v128.store(c, f32x4.pmax(s1, bound), 16);
  v128.store(c, f32x4.pmax(s2, bound), 32);
  v128.store(c, f32x4.pmax(s3, bound), 48);
}

/** One row of C with n columns, a multiple of 8, where a tile would jump through a B too wide for the first cache: four
 *  rows of B stream by at a time, while the sums, each the same chain as in a tile, wait in `sums` (n floats). */
export function row_sweep(
  n: i32, kc: i32, a: usize, sa: usize, b: usize, sb: usize, c: usize, ip: usize, js: usize, lo: usize, sums: usize,
): void {
  const end = sums + (<usize>n << 2);
  let from = ZEROS;
  let step: usize = 0;
  for (; kc >= 4; kc -= 4) {
    let b0 = b, b1 = b0 + sb, b2 = b1 + sb, b3 = b2 + sb;
    b = b3 + sb;
    const x0 = v128.load32_splat(a);
    a += sa;
    const x1 = v128.load32_splat(a);
    a += sa;
    const x2 = v128.load32_splat(a);
    a += sa;
    const x3 = v128.load32_splat(a);
    a += sa;
    let to = sums;
    do {
      let s0 = madd(x0, v128.load(b0), v128.load(from));
      let s1 = madd(x0, v128.load(b0, 16), v128.load(from, 16));
      s0 = madd(x1, v128.load(b1), s0);
      s1 = madd(x1, v128.load(b1, 16), s1);
      s0 = madd(x2, v128.load(b2), s0);
      s1 = madd(x2, v128.load(b2, 16), s1);
      s0 = madd(x3, v128.load(b3), s0);
      s1 = madd(x3, v128.load(b3, 16), s1);
      v128.store(to, s0);
      v128.store(to, s1, 16);
      b0 += 32;
      b1 += 32;
      b2 += 32;
      b3 += 32;
      from += step;
      to += 32;
    } while (to != end);
    from = sums;
    step = 32;
  }
  step >>= 1;
  for (; kc > 0; --kc) {
    const x = v128.load32_splat(a);
    let b0 = b, to = sums;
    do {
      v128.store(to, madd(x, v128.load(b0), v128.load(from)));
      b0 += 16;
      from += step;
      to += 16;
    } while (to != end);
    from = sums;
    step = 16;
    a += sa;
    b += sb;
  }
  const bound = v128.load32_splat(lo);
  for (const stop = c + (<usize>n << 2); c != stop; c += 16) {
    v128.store(c, f32x4.pmax(f32x4.add(v128.load(from), v128.load(ip)), bound));
    from += step;
    ip += js << 2;
  }
}
