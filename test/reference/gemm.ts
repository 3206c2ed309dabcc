// Matrix products and column sums in f64.

/** A matrix in any layout: element (i, j) is values[i * rowStride + j * columnStride]. */
export interface Strided {
  readonly values: ArrayLike<number>;
  readonly rowStride: number;
  readonly columnStride: number;
}

export const rowMajor = (values: ArrayLike<number>, ld: number): Strided => ({
  values,
  rowStride: ld,
  columnStride: 1,
});
export const transposed = (values: ArrayLike<number>, ld: number): Strided => ({
  values,
  rowStride: 1,
  columnStride: ld,
});

export interface Product {
  /** A B, [m, n] row-major. */
  readonly value: Float64Array;
  /** |A| |B|: what an error bound is relative to. */
  readonly magnitude: Float64Array;
}

export function gemm(m: number, n: number, k: number, a: Strided, b: Strided): Product {
  const value = new Float64Array(m * n);
  const magnitude = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      const left = a.values[i * a.rowStride + p * a.columnStride];
      for (let j = 0, at = p * b.rowStride; j < n; j++, at += b.columnStride) {
        const term = left * b.values[at];
        value[i * n + j] += term;
        magnitude[i * n + j] += Math.abs(term);
      }
    }
  }
  return { value, magnitude };
}

/** A x for one vector. */
export function gemv(m: number, k: number, a: Strided, x: ArrayLike<number>): Float64Array {
  const y = new Float64Array(m);
  for (let i = 0; i < m; i++) {
    let sum = 0;
    for (let p = 0; p < k; p++) sum += a.values[i * a.rowStride + p * a.columnStride] * x[p];
    y[i] = sum;
  }
  return y;
}

export function columnSums(rows: number, n: number, x: ArrayLike<number>): Product {
  const ones = { values: new Float64Array(rows).fill(1), rowStride: 0, columnStride: 1 };
  return gemm(1, n, rows, ones, rowMajor(x, n));
}
