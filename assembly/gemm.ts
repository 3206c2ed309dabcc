// Single-precision matrix products. A large one is packed into panels that stay in cache and run through one tile
// (Goto & van de Geijn 2008); a small one, or one of few rows or columns, reads A and B where they are.
import { ACCUMULATE, KC, MC, NC, PADDED, RELU } from "./gemm_blocks";
import { column, row_sweep } from "./gemm_column";
import { pack_columns, pack_rows } from "./gemm_pack";
import { NO_BOUND, packed_column, packing_tile, ZEROS } from "./gemm_tiles";

/** From so many columns on, row_sweep computes a single row. Fused sums follow each other more slowly: there the few
 *  chains of a tile are slower than the sweep sooner. */
const SWEEP: i32 = ASC_FEATURE_RELAXED_SIMD ? 64 : 192;

/** C = A B (+ bias or + C), then ReLU if asked.
 *  Shapes: A f32[m,k], B f32[k,n], C f32[m,n], bias f32[n] or 0.
 *  Units: see Sgemm in src/runtime/abi.ts.
 *  Error: |C - exact| <= (min(k, 256) + ceil(k / 256) + 1) * 2^-24 * (sum |a b| + |init|) to first order. */
export function sgemm_nn(
  m: i32, n: i32, k: i32, a: usize, lda: i32, b: usize, ldb: i32, c: usize, ldc: i32,
  bias: usize, flags: i32, scratch: usize,
): void {
  sgemm(m, n, k, a, lda << 2, 4, b, 4, ldb << 2, c, ldc << 2, bias, flags, scratch);
}

/** As sgemm_nn with C = A B^T. Shapes: A f32[m,k], B f32[n,k]. */
export function sgemm_nt(
  m: i32, n: i32, k: i32, a: usize, lda: i32, b: usize, ldb: i32, c: usize, ldc: i32,
  bias: usize, flags: i32, scratch: usize,
): void {
  sgemm(m, n, k, a, lda << 2, 4, b, ldb << 2, 4, c, ldc << 2, bias, flags, scratch);
}

/** As sgemm_nn with C = A^T B. Shapes: A f32[k,m], B f32[k,n]. */
export function sgemm_tn(
  m: i32, n: i32, k: i32, a: usize, lda: i32, b: usize, ldb: i32, c: usize, ldc: i32,
  bias: usize, flags: i32, scratch: usize,
): void {
  sgemm(m, n, k, a, 4, lda << 2, b, 4, ldb << 2, c, ldc << 2, bias, flags, scratch);
}

/** All layouts: K in blocks of KC, added in order; the bias goes into the first, ReLU into the last.
 *  Units: bytes between the rows (ra) and the k (sa) of A, the columns (rb) and the k (sb) of B, the rows (rc) of C. */
function sgemm(
  m: i32, n: i32, k: i32, a: usize, ra: usize, sa: usize, b: usize, rb: usize, sb: usize, c: usize, rc: usize,
  bias: usize, flags: i32, scratch: usize,
): void {
  if (m <= 0 || n <= 0) return;
  const packed = m > 8 && n > 16 && <u64>m * <u64>n * <u64>k > 32768;
  // Rows that fit one block use a packed panel of B at once and never again: no need to keep NC columns of them.
  const nStep = packed && m > MC ? NC : n;
  for (let jc = 0; jc < n; jc += nStep) {
    const nc = min(n - jc, nStep);
    let pc = 0;
    do {
      const kc = min(k - pc, KC);
      const lo = flags & RELU && pc + kc == k ? ZEROS : NO_BOUND;
      const cj = c + (<usize>jc << 2);
      // `init` of the block: address, bytes between its rows, bytes between its columns.
      let ip = cj, is = rc, js: usize = 4;
      if (!pc && !(flags & ACCUMULATE)) {
        ip = bias ? bias + (<usize>jc << 2) : ZEROS;
        is = 0;
        js = bias ? 4 : 0;
      }
      block(
        m, nc, kc, a + <usize>pc * sa, ra, sa, b + <usize>jc * rb + <usize>pc * sb, rb, sb, cj, rc, ip, is, js, lo,
        flags, packed, scratch,
      );
      pc += KC;
    } while (pc < k);
  }
}

/** One block of K, from A and B as they lie, or packed, A by MC rows; B, which is always packed when transposed, a few
 *  columns at a time, just before their first use: they stay in the first cache while all rows pass. */
// @ts-ignore: decorator
@inline
function block(
  m: i32, n: i32, kc: i32, a: usize, ra: usize, sa: usize, b: usize, rb: usize, sb: usize, c: usize, rc: usize,
  ip: usize, is: usize, js: usize, lo: usize, flags: i32, packed: bool, scratch: usize,
): void {
  const padded = flags & PADDED;
  if (!packed && sb != 4) {
    if (m == 1 && n >= SWEEP) {
      do {
        const width = min(n & ~7, NC);
        const d = <usize>width << 2;
        row_sweep(width, kc, a, sa, b, sb, c, ip, js, lo, scratch);
        n -= width;
        b += d;
        c += d;
        ip += <usize>width * js;
      } while (n >= 8);
    }
    column(m, n, kc, a, ra, sa, ra << 2, b, sb, 32, c, rc, ip, is, js, lo, padded);
    return;
  }
  // A transposed layout is known by its k lying apart in A, or side by side in B. Where they do both, as in a matrix of
  // one column, either packing is right.
  const kp = <usize>((kc + 3) & ~3);
  let panels = scratch;
  let strip = ra << 2, panelStep: usize = 0, width = 16, mStep = m;
  if (packed) {
    panels += kp * <usize>((min(m, MC) + 3) & ~3) << 2;
    strip = kp << 4;
    width = 8;
    mStep = MC;
    if (m > MC) panelStep = kp << 5;
  }
  for (let ic = 0; ic < m; ic += mStep) {
    const mc = min(m - ic, mStep);
    let at = a, rt = ra, st = sa;
    if (packed) {
      pack_rows(mc, kc, a, ra, sa, scratch);
      a += <usize>MC * ra;
      at = scratch;
      rt = 4;
      st = 16;
    }
    let panel = panels, bj = b, cj = c, ij = ip;
    for (let j = 0; j < n; j += width) {
      const cols = min(n - j, width);
      const step = <usize>((cols + 3) & ~3) << 2;
      // Whole strips of whole panels take the packed tile.
      const rows = packed && cols == 8 ? mc & ~3 : 0;
      let first = 0;
      if (!ic) {
        if (rows && sb != 4) {
          first = 4;
          packing_tile(kc, at, bj, sb, panel, cj, rc, ij, is, lo);
        } else {
          pack_columns(cols, kc, bj, rb, sb, panel, step);
        }
      }
      if (rows > first) {
        const d = <usize>first;
        packed_column(rows - first, kc, at + kp * d * 4, panel, cj + d * rc, rc, ij + d * is, is, lo);
      }
      if (rows < mc) {
        const d = <usize>rows;
        const cd = cj + d * rc, id = ij + d * is;
        column(mc - rows, cols, kc, at + kp * d * 4, rt, st, strip, panel, step, 32, cd, rc, id, is, js, lo, padded);
      }
      panel += panelStep;
      bj += <usize>width * rb;
      cj += <usize>width << 2;
      ij += <usize>width * js;
    }
    c += <usize>mStep * rc;
    ip += <usize>mStep * is;
  }
}
