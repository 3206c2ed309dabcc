// Single-precision matrix products. A large one is packed into panels that stay in cache and run through one tile
// (Goto & van de Geijn 2008); a small one, or one of few rows or columns, reads A and B where they are.
import { NO_BOUND, row_sweep, tile_1x16, tile_2x16, tile_3x8, tile_4x4, tile_4x8, tile_4x8_strided, ZEROS } from "./gemm_tiles";
import { pack_4, pack_8, pack_transposed } from "./gemm_pack";

// Bits of `flags`, and the block sizes that src/runtime/scratch.ts knows too.
const ACCUMULATE: i32 = 1;
const RELU: i32 = 2;
const PADDED: i32 = 4;
const MC: i32 = 128;
const KC: i32 = 256;
const NC: i32 = 512;
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
  sgemm(m, n, k, a, lda, false, b, ldb, false, c, ldc, bias, flags, scratch);
}

/** As sgemm_nn with C = A B^T. Shapes: A f32[m,k], B f32[n,k]. */
export function sgemm_nt(
  m: i32, n: i32, k: i32, a: usize, lda: i32, b: usize, ldb: i32, c: usize, ldc: i32,
  bias: usize, flags: i32, scratch: usize,
): void {
  sgemm(m, n, k, a, lda, false, b, ldb, true, c, ldc, bias, flags, scratch);
}

/** As sgemm_nn with C = A^T B. Shapes: A f32[k,m], B f32[k,n]. */
export function sgemm_tn(
  m: i32, n: i32, k: i32, a: usize, lda: i32, b: usize, ldb: i32, c: usize, ldc: i32,
  bias: usize, flags: i32, scratch: usize,
): void {
  sgemm(m, n, k, a, lda, true, b, ldb, false, c, ldc, bias, flags, scratch);
}

/** All layouts: K in blocks of KC, added in order; the bias goes into the first, ReLU into the last. */
function sgemm(
  m: i32, n: i32, k: i32, a: usize, lda: i32, transA: bool, b: usize, ldb: i32, transB: bool, c: usize, ldc: i32,
  bias: usize, flags: i32, scratch: usize,
): void {
  if (m <= 0 || n <= 0) return;
  const direct = m <= 8 || n <= 16 || <u64>m * <u64>n * <u64>k <= 32768;
  // Bytes between the rows (r) and the k (s) of A, and between the columns (r) and the k (s) of B.
  const ra: usize = transA ? 4 : <usize>lda << 2;
  const sa = transA ? <usize>lda << 2 : 4;
  const rb = transB ? <usize>ldb << 2 : 4;
  const sb: usize = transB ? 4 : <usize>ldb << 2;
  const rc = <usize>ldc << 2;
  // Rows that fit one block use a packed panel of B at once and never again: no need to keep NC columns of them.
  const nStep = direct || m <= MC ? n : NC;
  for (let jc = 0; jc < n; jc += nStep) {
    const nc = min(n - jc, nStep);
    let pc = 0;
    do {
      const kc = min(k - pc, KC);
      const lo = flags & RELU && pc + kc == k ? ZEROS : NO_BOUND;
      const cj = c + (<usize>jc << 2);
      const bj = b + <usize>jc * rb + <usize>pc * sb;
      const ap = a + <usize>pc * sa;
      // `init` of the block: address, bytes between its rows, bytes between its columns.
      let ip = cj, is = rc, js: usize = 4;
      if (!pc && !(flags & ACCUMULATE)) {
        ip = bias ? bias + (<usize>jc << 2) : ZEROS;
        is = 0;
        js = bias ? 4 : 0;
      }
      if (!direct) {
        packed_block(m, nc, kc, ap, ra, sa, transA, bj, rb, sb, transB, cj, rc, ip, is, js, lo, flags, scratch);
      } else if (!transB) {
        direct_block(m, nc, kc, ap, ra, sa, bj, sb, cj, rc, ip, is, js, lo, flags, scratch);
      } else {
        direct_transposed(m, nc, kc, ap, ra, sa, bj, rb, cj, rc, ip, is, js, lo, flags, scratch);
      }
      pc += KC;
    } while (pc < k);
  }
}

/** One block of K with A as it lies and B row-major, sb bytes a row. */
function direct_block(
  m: i32, n: i32, kc: i32, a: usize, ra: usize, sa: usize, b: usize, sb: usize, c: usize, rc: usize,
  ip: usize, is: usize, js: usize, lo: usize, flags: i32, scratch: usize,
): void {
  for (let i = 0; i < m; i += 4) {
    const rows = min(m - i, 4);
    const ai = a + <usize>i * ra;
    const ci = c + <usize>i * rc;
    const ii = ip + <usize>i * is;
    let j = 0;
    if (rows == 4) {
      for (; j + 8 <= n; j += 8) {
        const d = <usize>j << 2;
        tile_4x8_strided(kc, ai, ra, sa, b + d, sb, ci + d, rc, ii + <usize>j * js, is, lo);
      }
    } else {
      if (rows == 1) {
        if (n >= SWEEP) {
          for (const width = n & ~7; j < width; j += NC) {
            const d = <usize>j << 2;
            row_sweep(min(width - j, NC), kc, ai, sa, b + d, sb, ci + d, ii + <usize>j * js, js, lo, scratch);
          }
          j = n & ~7;
        }
        for (; j + 16 <= n; j += 16) {
          const d = <usize>j << 2;
          tile_1x16(kc, ai, sa, b + d, sb, ci + d, ii + <usize>j * js, lo);
        }
      } else if (rows == 2) {
        for (; j + 16 <= n; j += 16) {
          const d = <usize>j << 2;
          tile_2x16(kc, ai, ra, sa, b + d, sb, ci + d, rc, ii + <usize>j * js, is, lo);
        }
      }
      for (; j + 8 <= n; j += 8) {
        const d = <usize>j << 2;
        tile_3x8(kc, ai, ra, sa, b + d, sb, ci + d, rc, ii + <usize>j * js, is, lo, rows);
      }
    }
    for (; j < n; j += 4) {
      const d = <usize>j << 2;
      const cols = flags & PADDED ? 4 : min(n - j, 4);
      tile_4x4(kc, ai, ra, sa, b + d, sb, ci + d, rc, ii + <usize>j * js, is, lo, rows, cols);
    }
  }
}

/** As direct_block for B^T: turns 16 columns at a time, which stay in the first cache. */
function direct_transposed(
  m: i32, n: i32, kc: i32, a: usize, ra: usize, sa: usize, b: usize, rb: usize, c: usize, rc: usize,
  ip: usize, is: usize, js: usize, lo: usize, flags: i32, scratch: usize,
): void {
  for (let j = 0; j < n; j += 16) {
    const cols = min(n - j, 16);
    const step = <usize>((cols + 3) & ~3) << 2;
    for (let t = 0; t < cols; t += 4) {
      pack_transposed(kc, cols - t, b + <usize>(j + t) * rb, rb, scratch + (<usize>t << 2), step);
    }
    const d = <usize>j << 2;
    direct_block(m, cols, kc, a, ra, sa, scratch, step, c + d, rc, ip + <usize>j * js, is, js, lo, flags, scratch);
  }
}

/** One block of K: packs A by MC rows, and each panel of 8 columns of B just before its first use. */
function packed_block(
  m: i32, n: i32, kc: i32, a: usize, ra: usize, sa: usize, transA: bool, b: usize, rb: usize, sb: usize, transB: bool,
  c: usize, rc: usize, ip: usize, is: usize, js: usize, lo: usize, flags: i32, scratch: usize,
): void {
  const kp = <usize>((kc + 3) & ~3);
  const packedA = scratch;
  const packedB = scratch + kp * <usize>((min(m, MC) + 3) & ~3) * 4;
  const panelStep: usize = m <= MC ? 0 : kp << 5;
  for (let ic = 0; ic < m; ic += MC) {
    const mc = min(m - ic, MC);
    for (let i = 0; i < mc; i += 4) {
      const src = a + <usize>(ic + i) * ra;
      const dst = packedA + kp * <usize>i * 4;
      if (transA) pack_4(kc, src, sa, dst, 16);
      else pack_transposed(kc, mc - i, src, ra, dst, 16);
    }
    let ci = c + <usize>ic * rc, ii = ip + <usize>ic * is, panel = packedB;
    for (let j = 0; j < n; j += 8) {
      if (!ic) pack_panel(kc, n - j, b + <usize>j * rb, rb, sb, transB, panel);
      packed_column(mc, n - j, kc, packedA, panel, ci, rc, ii, is, js, lo, flags);
      panel += panelStep;
      ci += 32;
      ii += js << 3;
    }
  }
}

/** Packs up to 8 columns of B, 32 bytes a k. */
function pack_panel(kc: i32, cols: i32, b: usize, rb: usize, sb: usize, transB: bool, dst: usize): void {
  if (transB) {
    pack_transposed(kc, cols, b, rb, dst, 32);
    if (cols > 4) pack_transposed(kc, cols - 4, b + 4 * rb, rb, dst + 16, 32);
  } else if (cols > 4) {
    pack_8(kc, b, sb, dst);
  } else {
    pack_4(kc, b, sb, dst, 32);
  }
}

/** A column of tiles: one panel of B, which stays in the first cache while all of A passes. */
// @ts-ignore: decorator
@inline
function packed_column(
  m: i32, n: i32, kc: i32, packedA: usize, panel: usize, c: usize, rc: usize,
  ip: usize, is: usize, js: usize, lo: usize, flags: i32,
): void {
  const panelA = <usize>((kc + 3) & ~3) << 4;
  if (n >= 8) {
    for (let i = 0; i < m; i += 4) {
      tile_4x8(kc, packedA, panel, c, rc, ip, is, lo, m - i);
      packedA += panelA;
      c += rc << 2;
      ip += is << 2;
    }
    return;
  }
  for (let j = 0; j < n; j += 4) {
    const cols = flags & PADDED ? 4 : min(n - j, 4);
    let a = packedA, ci = c, ii = ip;
    for (let i = 0; i < m; i += 4) {
      tile_4x4(kc, a, 4, 16, panel, 32, ci, rc, ii, is, lo, m - i, cols);
      a += panelA;
      ci += rc << 2;
      ii += is << 2;
    }
    panel += 16;
    c += 16;
    ip += js << 2;
  }
}
