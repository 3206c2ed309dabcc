// The tiles that read A and B where they lie, or from panels of any width, and the sweep for a single row. What all
// tiles agree on stands in gemm_tiles.ts.
import { finish, finish_rows, ZEROS } from "./gemm_tiles";
import { store_few } from "./map";
import { madd } from "./simd";

/** Four rows of eight columns, from A and B as they lie. */
// @ts-ignore: decorator
@inline
function full_tile(
  kc: i32, a: usize, ra: usize, sa: usize, b: usize, sb: usize, c: usize, rc: usize, ip: usize, is: usize, lo: usize,
): void {
  let p0 = f32x4.splat(0), p1 = p0, p2 = p0, p3 = p0, q0 = p0, q1 = p0, q2 = p0, q3 = p0;
  if (kc) {
    let x = a, x1 = a + ra, x2 = x1 + ra, x3 = x2 + ra, z = b;
    const end = b + <usize>kc * sb;
    do {
      const b0 = v128.load(z), b1 = v128.load(z, 16);
      let s = v128.load32_splat(x);
      p0 = madd(s, b0, p0);
      q0 = madd(s, b1, q0);
      s = v128.load32_splat(x1);
      p1 = madd(s, b0, p1);
      q1 = madd(s, b1, q1);
      s = v128.load32_splat(x2);
      p2 = madd(s, b0, p2);
      q2 = madd(s, b1, q2);
      s = v128.load32_splat(x3);
      p3 = madd(s, b0, p3);
      q3 = madd(s, b1, q3);
      x += sa;
      x1 += sa;
      x2 += sa;
      x3 += sa;
      z += sb;
    } while (z != end);
  }
  finish_rows(p0, p1, p2, p3, q0, q1, q2, q3, c, rc, ip, is, lo);
}

/** Up to three rows of eight columns, or, if `wide`, one or two of 16, the last eight in p2 to q3. */
// @ts-ignore: decorator
@inline
function few_rows_tile(
  m: i32, wide: bool, kc: i32, a: usize, ra: usize, sa: usize, b: usize, sb: usize, panel: usize,
  c: usize, rc: usize, ip: usize, is: usize, js: usize, lo: usize,
): void {
  let p0 = f32x4.splat(0), p1 = p0, p2 = p0, p3 = p0, q0 = p0, q1 = p0, q2 = p0, q3 = p0;
  let x = a, x1 = m > 1 ? a + ra : a, z = b;
  const end = b + <usize>kc * sb;
  const i1 = m > 1 ? ip + is : ip;
  const c1 = m > 1 ? c + rc : c;
  let i2 = ip + (js << 3), i3 = i1 + (js << 3), c2 = c + 32, c3 = c1 + 32;
  if (!wide) {
    i2 = i1;
    c2 = c1;
    let x2 = x1;
    if (m > 2) {
      i2 += is;
      c2 += rc;
      x2 += ra;
    }
    i3 = i2;
    c3 = c2;
    if (kc) {
      do {
        const b0 = v128.load(z), b1 = v128.load(z, 16);
        let s = v128.load32_splat(x);
        p0 = madd(s, b0, p0);
        q0 = madd(s, b1, q0);
        s = v128.load32_splat(x1);
        p1 = madd(s, b0, p1);
        q1 = madd(s, b1, q1);
        s = v128.load32_splat(x2);
        p2 = madd(s, b0, p2);
        q2 = madd(s, b1, q2);
        x += sa;
        x1 += sa;
        x2 += sa;
        z += sb;
      } while (z != end);
    }
    p3 = p2;
    q3 = q2;
  } else {
    if (m > 1) {
      if (kc) {
        do {
          const s0 = v128.load32_splat(x), s1 = v128.load32_splat(x1);
          let v = v128.load(z);
          p0 = madd(s0, v, p0);
          p1 = madd(s1, v, p1);
          v = v128.load(z, 16);
          q0 = madd(s0, v, q0);
          q1 = madd(s1, v, q1);
          v = v128.load(z + panel);
          p2 = madd(s0, v, p2);
          p3 = madd(s1, v, p3);
          v = v128.load(z + panel, 16);
          q2 = madd(s0, v, q2);
          q3 = madd(s1, v, q3);
          x += sa;
          x1 += sa;
          z += sb;
        } while (z != end);
      }
    } else {
      if (kc) {
        do {
          const s = v128.load32_splat(x);
          p0 = madd(s, v128.load(z), p0);
          q0 = madd(s, v128.load(z, 16), q0);
          p2 = madd(s, v128.load(z + panel), p2);
          q2 = madd(s, v128.load(z + panel, 16), q2);
          x += sa;
          z += sb;
        } while (z != end);
      }
      p1 = p0;
      q1 = q0;
      p3 = p2;
      q3 = q2;
    }
  }
  finish(p0, p1, p2, p3, q0, q1, q2, q3, c, c1, c2, c3, ip, i1, i2, i3, lo);
}

/** Up to four rows of up to four columns. */
// @ts-ignore: decorator
@inline
function narrow_tile(
  m: i32, n: i32, kc: i32, a: usize, ra: usize, sa: usize, b: usize, sb: usize, c: usize, rc: usize,
  ip: usize, is: usize, lo: usize, padded: i32,
): void {
  let p0 = f32x4.splat(0), p1 = p0, p2 = p0, p3 = p0;
  if (kc) {
    let x = a, z = b;
    let x1 = m > 1 ? a + ra : a;
    let x2 = m > 2 ? x1 + ra : x1;
    let x3 = m > 3 ? x2 + ra : x2;
    const end = b + <usize>kc * sb;
    do {
      const b0 = v128.load(z);
      p0 = madd(v128.load32_splat(x), b0, p0);
      p1 = madd(v128.load32_splat(x1), b0, p1);
      p2 = madd(v128.load32_splat(x2), b0, p2);
      p3 = madd(v128.load32_splat(x3), b0, p3);
      x += sa;
      x1 += sa;
      x2 += sa;
      x3 += sa;
      z += sb;
    } while (z != end);
  }
  const i1 = m > 1 ? ip + is : ip;
  const i2 = m > 2 ? i1 + is : i1;
  const i3 = m > 3 ? i2 + is : i2;
  const c1 = m > 1 ? c + rc : c;
  const c2 = m > 2 ? c1 + rc : c1;
  const c3 = m > 3 ? c2 + rc : c2;
  const bound = v128.load32_splat(lo);
  p0 = f32x4.pmax(f32x4.add(p0, v128.load(ip)), bound);
  p1 = f32x4.pmax(f32x4.add(p1, v128.load(i1)), bound);
  p2 = f32x4.pmax(f32x4.add(p2, v128.load(i2)), bound);
  p3 = f32x4.pmax(f32x4.add(p3, v128.load(i3)), bound);
  if (n >= 4 || padded) {
    v128.store(c3, p3);
    v128.store(c2, p2);
    v128.store(c1, p1);
    v128.store(c, p0);
  } else {
    store_few(c3, p3, n);
    store_few(c2, p2, n);
    store_few(c1, p1, n);
    store_few(c, p0, n);
  }
}

/** C, or some columns of it, 4 rows at a time, in the largest tiles that rows and columns allow.
 *  Units: strip, bytes from 4 rows of A to the next 4; panel, bytes from 8 columns of B to the next 8. Where that is not
 *  32, the columns past the last 8 are a panel of their width. */
export function column(
  m: i32, n: i32, kc: i32, a: usize, ra: usize, sa: usize, strip: usize, b: usize, sb: usize, panel: usize,
  c: usize, rc: usize, ip: usize, is: usize, js: usize, lo: usize, padded: i32,
): void {
  for (; m > 0; m -= 4) {
    let y = b, ct = c, it = ip;
    let left = n;
    if (m > 3) {
      for (; left >= 8; left -= 8) {
        full_tile(kc, a, ra, sa, y, sb, ct, rc, it, is, lo);
        y += panel;
        ct += 32;
        it += js << 3;
      }
    }
    for (; left >= 8; left -= 8) {
      const wide = m < 3 && left >= 16;
      few_rows_tile(m, wide, kc, a, ra, sa, y, sb, panel, ct, rc, it, is, js, lo);
      if (wide) {
        left -= 8;
        y += panel;
        ct += 32;
        it += js << 3;
      }
      y += panel;
      ct += 32;
      it += js << 3;
    }
    const st = panel == 32 ? sb : <usize>left << 2;
    for (; left > 0; left -= 4) {
      narrow_tile(m, left, kc, a, ra, sa, y, st, ct, rc, it, is, lo, padded);
      y += 16;
      ct += 16;
      it += js << 2;
    }
    a += strip;
    c += rc << 2;
    ip += is << 2;
  }
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
