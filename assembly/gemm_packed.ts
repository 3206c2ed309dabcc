// The matrix product of a network that only predicts. Its weights never change: they lie in panels from the start, where
// tiles read them in order, and a product packs A alone, if that pays.
import { KC, MC, PADDED, RELU } from "./gemm_blocks";
import { pack_transposed } from "./gemm_pack";
import { column } from "./gemm_column";
import { finish, NO_BOUND, packed_column, ZEROS } from "./gemm_tiles";
import { madd } from "./simd";

/** Up to so many columns, or so many products of numbers, packing A costs more than its tile gains. */
const NARROW: i32 = 24;
const SMALL: u64 = 32768;

/** C = A B (+ bias), then ReLU if asked: the bits of sgemm_nn.
 *  Shapes: A f32[m,k], B f32[k,n] as pack_panels lays it, C f32[m,n], bias f32[n] or 0; k > 0.
 *  Units: see InferKernels in src/runtime/abi.ts.
 *  Error: as sgemm_nn. */
export function sgemm_packed(
  m: i32, n: i32, k: i32, a: usize, lda: i32, b: usize, c: usize, ldc: i32, bias: usize, flags: i32, scratch: usize,
): void {
  const ra = <usize>lda << 2, rc = <usize>ldc << 2;
  const strips = n > NARROW && <u64>m * <u64>n * <u64>k > SMALL ? m & ~3 : 0;
  let ip = bias ? bias : ZEROS, is: usize = 0, js: usize = bias ? 4 : 0;
  for (; k > 0; k -= KC) {
    const kc = min(k, KC);
    const lo = flags & RELU && k <= KC ? ZEROS : NO_BOUND;
    const panelStep = <usize>kc << 5;
    const strip = <usize>((kc + 3) & ~3) << 4;
    let at = a, ct = c, it = ip;
    for (let i = 0; i < strips; i += MC) {
      const mc = min(strips - i, MC);
      let to = scratch;
      for (let r = 0; r < mc; r += 4) {
        pack_transposed(kc, 4, at, ra, to, 16);
        at += ra << 2;
        to += strip;
      }
      // Back to the first: of an address that is a parameter V8 up to 12.4 keeps more copies than there are registers,
      // and the tile takes 1.15 times as long.
      to -= <usize>(mc >> 2) * strip;
      let panel = b, cj = ct, ij = it, left = n;
      for (; left >= 8; left -= 8) {
        packed_column(mc, kc, to, panel, cj, rc, ij, is, lo);
        panel += panelStep;
        cj += 32;
        ij += js << 3;
      }
      column(mc, left, kc, to, 4, 16, strip, panel, <usize>left << 2, 32, cj, rc, ij, is, js, lo, flags & PADDED);
      ct += <usize>mc * rc;
      it += <usize>mc * is;
    }
    let panel = b, left = n;
    if (m - strips == 1) {
      // 32 columns are done sooner as twice 16.
      for (; left >= 24 && left >> 3 != 4; left -= 24) {
        row_24(kc, at, panel, ct, it, js, lo);
        panel += panelStep * 3;
        ct += 96;
        it += js * 24;
      }
    }
    column(m - strips, left, kc, at, ra, 4, ra << 2, panel, 32, panelStep, ct, rc, it, is, js, lo, flags & PADDED);
    a += <usize>kc << 2;
    b += <usize>kc * (<usize>n << 2);
    ip = c;
    is = rc;
    js = 4;
  }
}

/** One row over three panels: six chains, for with fewer each product waits for the one before. */
// @ts-ignore: decorator
@inline
function row_24(kc: i32, x: usize, z: usize, c: usize, ip: usize, js: usize, lo: usize): void {
  const panelStep = <usize>kc << 5;
  let p0 = f32x4.splat(0), p1 = p0, p2 = p0, q0 = p0, q1 = p0, q2 = p0;
  let z1 = z + panelStep, z2 = z1 + panelStep;
  const end = z1;
  do {
    const s = v128.load32_splat(x);
    p0 = madd(s, v128.load(z), p0);
    q0 = madd(s, v128.load(z, 16), q0);
    p1 = madd(s, v128.load(z1), p1);
    q1 = madd(s, v128.load(z1, 16), q1);
    p2 = madd(s, v128.load(z2), p2);
    q2 = madd(s, v128.load(z2, 16), q2);
    x += 4;
    z += 32;
    z1 += 32;
    z2 += 32;
  } while (z != end);
  const i1 = ip + (js << 3), i2 = i1 + (js << 3);
  finish(p0, p1, p2, p2, q0, q1, q2, q2, c, c + 32, c + 64, c + 64, ip, i1, i2, i2, lo);
}

/** Some rows of B to where sgemm_packed reads them: of each KC rows of B in turn 8 columns, then the next 8, and last what
 *  is left, k by k. Nothing is added: a panel is as wide as its columns.
 *  Shapes: from f32[rows,n], row `first` and following of a block of kc; to f32[kc * n], that block. */
export function pack_panels(rows: i32, n: i32, from: usize, first: i32, kc: i32, to: usize): void {
  for (let j = 0; j < n; j += 8) {
    const width = <usize>min(n - j, 8) << 2;
    let x = from + (<usize>j << 2), y = to + <usize>first * width;
    for (let i = 0; i < rows; ++i) {
      memory.copy(y, x, width);
      x += <usize>n << 2;
      y += width;
    }
    to += <usize>kc * width;
  }
}
