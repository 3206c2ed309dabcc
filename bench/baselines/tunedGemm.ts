// Matrix products in plain JavaScript, as fast as V8 runs them (measured on Node 20; other patterns in brackets).
//
// - Arithmetic in doubles: V8 never narrows Math.fround chains to single precision, it rounds after each operation
//   (half the speed). A tile and a panel that are Float64Array save the conversions of every load (+10-25 %).
// - The inner loop keeps 8 rows x 4 values of k of A in locals and walks along C's columns: C[8] += A[8, 4] B[4]. All
//   32 locals are loop invariants, so those that don't fit in registers are read from the stack as operands and never
//   written [a classic register tile, 2x3 to 4x4 accumulators over k, has its accumulators spilled and reloaded in
//   every iteration: 5-6.9 GFLOPS where this one reaches 9.3].
// - B is packed so that four k of a column lie together, as doubles; C's tile is column-major with 8 rows.
// - `| 0` after index sums removes overflow checks; the tile and the panel are constants of one closure, so that V8
//   folds their address and length into the code.

/** What happens to the sums as they are stored. MASK keeps those where `aux` (laid out as C) is positive. */
export const STORE = 0;
export const BIAS = 1;
export const BIAS_RELU = 2;
export const MASK = 3;

/** C[m, n] = A B for k <= 16384, with the epilogue `mode`. A's element (i, k) is at i * ars + k * acs, B's (k, j) at
 *  k * brs + j * bcs. */
export type Gemm = (
  m: number,
  n: number,
  k: number,
  a: Float32Array,
  ars: number,
  acs: number,
  b: Float32Array,
  brs: number,
  bcs: number,
  c: Float32Array,
  ldc: number,
  mode: number,
  aux: Float32Array,
) => void;

const ROWS = 8;
/** Doubles in the packed panel: 512 KB stays in a second-level cache. */
const PANEL = 65536;
const COLUMNS = 128;
/** Branches on the sign of an activation are mispredicted half the time, so ReLU is (x + |x|) / 2, and its mask, of a
 *  float y >= 0, is ceil(y * TINY). */
const TINY = 2 ** -129;

function createGemm(): Gemm {
  const tile = new Float64Array(ROWS * COLUMNS);
  const panel = new Float64Array(PANEL);

  /** tile[8, n] += A[8, 4] panel[4, n], the panel's part at q. Steps k1..k3 are 0 where k ends (the panel holds 0);
   *  where A ends after fewer rows than 8, the last one is repeated. */
  // biome-ignore format: one line a row of A
  function multiply(
    n: number, rows: number, a: Float32Array, pa: number, ars: number,
    k1: number, k2: number, k3: number, q: number,
  ): void {
    const p0 = pa;
    const p1 = rows > 1 ? (p0 + ars) | 0 : p0;
    const p2 = rows > 2 ? (p1 + ars) | 0 : p1;
    const p3 = rows > 3 ? (p2 + ars) | 0 : p2;
    const p4 = rows > 4 ? (p3 + ars) | 0 : p3;
    const p5 = rows > 5 ? (p4 + ars) | 0 : p4;
    const p6 = rows > 6 ? (p5 + ars) | 0 : p5;
    const p7 = rows > 7 ? (p6 + ars) | 0 : p6;
    const a00 = a[p0], a01 = a[(p0 + k1) | 0], a02 = a[(p0 + k2) | 0], a03 = a[(p0 + k3) | 0];
    const a10 = a[p1], a11 = a[(p1 + k1) | 0], a12 = a[(p1 + k2) | 0], a13 = a[(p1 + k3) | 0];
    const a20 = a[p2], a21 = a[(p2 + k1) | 0], a22 = a[(p2 + k2) | 0], a23 = a[(p2 + k3) | 0];
    const a30 = a[p3], a31 = a[(p3 + k1) | 0], a32 = a[(p3 + k2) | 0], a33 = a[(p3 + k3) | 0];
    const a40 = a[p4], a41 = a[(p4 + k1) | 0], a42 = a[(p4 + k2) | 0], a43 = a[(p4 + k3) | 0];
    const a50 = a[p5], a51 = a[(p5 + k1) | 0], a52 = a[(p5 + k2) | 0], a53 = a[(p5 + k3) | 0];
    const a60 = a[p6], a61 = a[(p6 + k1) | 0], a62 = a[(p6 + k2) | 0], a63 = a[(p6 + k3) | 0];
    const a70 = a[p7], a71 = a[(p7 + k1) | 0], a72 = a[(p7 + k2) | 0], a73 = a[(p7 + k3) | 0];
    const end = (n * ROWS) | 0;
    for (let c = 0; c < end; c = (c + ROWS) | 0) {
      const b0 = panel[q], b1 = panel[(q + 1) | 0], b2 = panel[(q + 2) | 0], b3 = panel[(q + 3) | 0];
      q = (q + 4) | 0;
      tile[c] += a00 * b0 + a01 * b1 + a02 * b2 + a03 * b3;
      tile[(c + 1) | 0] += a10 * b0 + a11 * b1 + a12 * b2 + a13 * b3;
      tile[(c + 2) | 0] += a20 * b0 + a21 * b1 + a22 * b2 + a23 * b3;
      tile[(c + 3) | 0] += a30 * b0 + a31 * b1 + a32 * b2 + a33 * b3;
      tile[(c + 4) | 0] += a40 * b0 + a41 * b1 + a42 * b2 + a43 * b3;
      tile[(c + 5) | 0] += a50 * b0 + a51 * b1 + a52 * b2 + a53 * b3;
      tile[(c + 6) | 0] += a60 * b0 + a61 * b1 + a62 * b2 + a63 * b3;
      tile[(c + 7) | 0] += a70 * b0 + a71 * b1 + a72 * b2 + a73 * b3;
    }
  }

  /** The tile's first n columns become 0. `fill` is quicker for many, but costs a call out of JavaScript. */
  function clear(n: number): void {
    const end = (n * ROWS) | 0;
    if (end > 512) tile.fill(0, 0, end);
    else {
      for (let t = 0; t < end; t = (t + ROWS) | 0) {
        tile[t] = 0;
        tile[(t + 1) | 0] = 0;
        tile[(t + 2) | 0] = 0;
        tile[(t + 3) | 0] = 0;
        tile[(t + 4) | 0] = 0;
        tile[(t + 5) | 0] = 0;
        tile[(t + 6) | 0] = 0;
        tile[(t + 7) | 0] = 0;
      }
    }
  }

  /** panel[k / 4][n][4] = B[k, n], zeros past k. */
  function pack(n: number, k: number, b: Float32Array, pb: number, brs: number, bcs: number): void {
    let o = 0;
    let k4 = 0;
    for (; k4 + 3 < k; k4 += 4) {
      let q0 = (pb + k4 * brs) | 0;
      let q1 = (q0 + brs) | 0;
      let q2 = (q1 + brs) | 0;
      let q3 = (q2 + brs) | 0;
      for (let j = 0; j < n; j++) {
        panel[o] = b[q0];
        panel[(o + 1) | 0] = b[q1];
        panel[(o + 2) | 0] = b[q2];
        panel[(o + 3) | 0] = b[q3];
        o = (o + 4) | 0;
        q0 = (q0 + bcs) | 0;
        q1 = (q1 + bcs) | 0;
        q2 = (q2 + bcs) | 0;
        q3 = (q3 + bcs) | 0;
      }
    }
    for (let j = 0; k4 < k && j < n; j++) {
      for (let i = 0; i < 4; i++) panel[o++] = k4 + i < k ? b[pb + (k4 + i) * brs + j * bcs] : 0;
    }
  }

  /** tile[1, n] += A[1, 8] B[8, n] from B itself: packing does not pay for one row. Past k, A counts as 0. */
  // biome-ignore format: a line a pair of steps of k
  function multiplyRow(
    n: number, k: number, a: Float32Array, p: number, acs: number,
    b: Float32Array, q0: number, brs: number, bcs: number,
  ): void {
    const a0 = a[p], a1 = k > 1 ? a[(p + 1 * acs) | 0] : 0;
    const a2 = k > 2 ? a[(p + 2 * acs) | 0] : 0, a3 = k > 3 ? a[(p + 3 * acs) | 0] : 0;
    const a4 = k > 4 ? a[(p + 4 * acs) | 0] : 0, a5 = k > 5 ? a[(p + 5 * acs) | 0] : 0;
    const a6 = k > 6 ? a[(p + 6 * acs) | 0] : 0, a7 = k > 7 ? a[(p + 7 * acs) | 0] : 0;
    let q1 = k > 1 ? (q0 + brs) | 0 : q0, q2 = k > 2 ? (q1 + brs) | 0 : q1;
    let q3 = k > 3 ? (q2 + brs) | 0 : q2, q4 = k > 4 ? (q3 + brs) | 0 : q3;
    let q5 = k > 5 ? (q4 + brs) | 0 : q4, q6 = k > 6 ? (q5 + brs) | 0 : q5;
    let q7 = k > 7 ? (q6 + brs) | 0 : q6;
    for (let j = 0; j < n; j++) {
      tile[j] += a0 * b[q0] + a1 * b[q1] + a2 * b[q2] + a3 * b[q3]
        + (a4 * b[q4] + a5 * b[q5] + a6 * b[q6] + a7 * b[q7]);
      q0 = (q0 + bcs) | 0; q1 = (q1 + bcs) | 0; q2 = (q2 + bcs) | 0; q3 = (q3 + bcs) | 0;
      q4 = (q4 + bcs) | 0; q5 = (q5 + bcs) | 0; q6 = (q6 + bcs) | 0; q7 = (q7 + bcs) | 0;
    }
  }

  /** C's rows (up to 8) of n at p from the tile, through the epilogue; `aux` at x is laid out as C or the bias. */
  // biome-ignore format: one line a row of C
  function storeBlock(
    n: number, rows: number, c: Float32Array, p: number,
    ldc: number, mode: number, aux: Float32Array, x: number,
  ): void {
    let t = 0;
    let p0 = p;
    let p1 = rows > 1 ? (p0 + ldc) | 0 : p0;
    let p2 = rows > 2 ? (p1 + ldc) | 0 : p1;
    let p3 = rows > 3 ? (p2 + ldc) | 0 : p2;
    let p4 = rows > 4 ? (p3 + ldc) | 0 : p3;
    let p5 = rows > 5 ? (p4 + ldc) | 0 : p4;
    let p6 = rows > 6 ? (p5 + ldc) | 0 : p5;
    let p7 = rows > 7 ? (p6 + ldc) | 0 : p6;
    if (mode === STORE) {
      for (let j = 0; j < n; j++) {
        c[p0] = tile[t];
        c[p1] = tile[(t + 1) | 0];
        c[p2] = tile[(t + 2) | 0];
        c[p3] = tile[(t + 3) | 0];
        c[p4] = tile[(t + 4) | 0];
        c[p5] = tile[(t + 5) | 0];
        c[p6] = tile[(t + 6) | 0];
        c[p7] = tile[(t + 7) | 0];
        p0 = (p0 + 1) | 0; p1 = (p1 + 1) | 0; p2 = (p2 + 1) | 0; p3 = (p3 + 1) | 0;
        p4 = (p4 + 1) | 0; p5 = (p5 + 1) | 0; p6 = (p6 + 1) | 0; p7 = (p7 + 1) | 0;
        t = (t + ROWS) | 0;
      }
    } else if (mode === MASK) {
      const d = (x - p) | 0;
      for (let j = 0; j < n; j++) {
        c[p0] = tile[t] * Math.ceil(aux[(p0 + d) | 0] * TINY);
        c[p1] = tile[(t + 1) | 0] * Math.ceil(aux[(p1 + d) | 0] * TINY);
        c[p2] = tile[(t + 2) | 0] * Math.ceil(aux[(p2 + d) | 0] * TINY);
        c[p3] = tile[(t + 3) | 0] * Math.ceil(aux[(p3 + d) | 0] * TINY);
        c[p4] = tile[(t + 4) | 0] * Math.ceil(aux[(p4 + d) | 0] * TINY);
        c[p5] = tile[(t + 5) | 0] * Math.ceil(aux[(p5 + d) | 0] * TINY);
        c[p6] = tile[(t + 6) | 0] * Math.ceil(aux[(p6 + d) | 0] * TINY);
        c[p7] = tile[(t + 7) | 0] * Math.ceil(aux[(p7 + d) | 0] * TINY);
        p0 = (p0 + 1) | 0; p1 = (p1 + 1) | 0; p2 = (p2 + 1) | 0; p3 = (p3 + 1) | 0;
        p4 = (p4 + 1) | 0; p5 = (p5 + 1) | 0; p6 = (p6 + 1) | 0; p7 = (p7 + 1) | 0;
        t = (t + ROWS) | 0;
      }
    } else {
      const slope = mode === BIAS_RELU ? 0.5 : 1;
      const fold = 1 - slope;
      for (let j = 0; j < n; j++) {
        const bias = aux[(x + j) | 0];
        const s0 = tile[t] + bias;
        const s1 = tile[(t + 1) | 0] + bias;
        const s2 = tile[(t + 2) | 0] + bias;
        const s3 = tile[(t + 3) | 0] + bias;
        const s4 = tile[(t + 4) | 0] + bias;
        const s5 = tile[(t + 5) | 0] + bias;
        const s6 = tile[(t + 6) | 0] + bias;
        const s7 = tile[(t + 7) | 0] + bias;
        c[p0] = slope * s0 + fold * Math.abs(s0);
        c[p1] = slope * s1 + fold * Math.abs(s1);
        c[p2] = slope * s2 + fold * Math.abs(s2);
        c[p3] = slope * s3 + fold * Math.abs(s3);
        c[p4] = slope * s4 + fold * Math.abs(s4);
        c[p5] = slope * s5 + fold * Math.abs(s5);
        c[p6] = slope * s6 + fold * Math.abs(s6);
        c[p7] = slope * s7 + fold * Math.abs(s7);
        p0 = (p0 + 1) | 0; p1 = (p1 + 1) | 0; p2 = (p2 + 1) | 0; p3 = (p3 + 1) | 0;
        p4 = (p4 + 1) | 0; p5 = (p5 + 1) | 0; p6 = (p6 + 1) | 0; p7 = (p7 + 1) | 0;
        t = (t + ROWS) | 0;
      }
    }
  }

  /** C's row of n at p from the tile's first n elements, through the epilogue; `aux` at x. */
  function storeRow(n: number, c: Float32Array, p: number, mode: number, aux: Float32Array, x: number): void {
    if (mode === STORE) {
      for (let j = 0; j < n; j++) c[(p + j) | 0] = tile[j];
    } else if (mode === MASK) {
      for (let j = 0; j < n; j++) c[(p + j) | 0] = tile[j] * Math.ceil(aux[(x + j) | 0] * TINY);
    } else {
      const slope = mode === BIAS_RELU ? 0.5 : 1;
      const fold = 1 - slope;
      for (let j = 0; j < n; j++) {
        const sum = tile[j] + aux[(x + j) | 0];
        c[(p + j) | 0] = slope * sum + fold * Math.abs(sum);
      }
    }
  }

  return function gemm(m, n, k, a, ars, acs, b, brs, bcs, c, ldc, mode, aux) {
    const packed = m > 2;
    const k4 = (k + 3) & ~3;
    const block = Math.min(COLUMNS, Math.max(4, Math.floor(PANEL / k4)));
    const auxStride = mode === MASK ? ldc : 0;
    for (let j = 0; j < n; j += block) {
      const columns = Math.min(block, n - j);
      if (packed) pack(columns, k, b, j * bcs, brs, bcs);
      for (let i = 0; packed && i < m; i += ROWS) {
        const rows = Math.min(ROWS, m - i);
        clear(columns);
        for (let l = 0; l < k; l += 4) {
          const left = k - l;
          const k1 = left > 1 ? acs : 0;
          const k2 = left > 2 ? 2 * acs : 0;
          const k3 = left > 3 ? 3 * acs : 0;
          multiply(columns, rows, a, i * ars + l * acs, ars, k1, k2, k3, l * columns);
        }
        storeBlock(columns, rows, c, i * ldc + j, ldc, mode, aux, i * auxStride + j);
      }
      for (let i = 0; !packed && i < m; i++) {
        clear(columns);
        for (let l = 0; l < k; l += 8) {
          multiplyRow(columns, k - l, a, i * ars + l * acs, acs, b, l * brs + j * bcs, brs, bcs);
        }
        storeRow(columns, c, i * ldc + j, mode, aux, i * auxStride + j);
      }
    }
  };
}

export const gemm = createGemm();
