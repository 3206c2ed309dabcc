// Small products, for the loss is ours. A matrix is flat and row-major.

export type Matrix = Float32Array;

/** a b^T: each row of the one with each row of the other. Shapes: a [n, k], b [m, k], the result [n, m]. */
export function dots(a: Matrix, b: Matrix, k: number): Matrix {
  const [n, m] = [a.length / k, b.length / k];
  const result = new Float32Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let sum = 0;
      for (let at = 0; at < k; at++) sum += a[i * k + at] * b[j * k + at];
      result[i * m + j] = sum;
    }
  }
  return result;
}

/** Shapes: [n, k] becomes [k, n]. */
export function transposed(matrix: Matrix, k: number): Matrix {
  const n = matrix.length / k;
  return matrix.map((_, at) => matrix[(at % n) * k + Math.floor(at / n)]);
}

/** Rows of length 1, and how a gradient by them becomes one by the rows as they were. */
export function normalize(matrix: Matrix, k: number) {
  const lengths = Float64Array.from({ length: matrix.length / k }, (_, i) => {
    const row = matrix.subarray(i * k, (i + 1) * k);
    // A row of zeros has no direction; it stays what it is.
    return Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
  });
  const rows = matrix.map((value, at) => value / lengths[Math.floor(at / k)]);
  const backward = (gradient: Matrix): Matrix => {
    const along = lengths.map((_, i) => dots(row(rows, i, k), row(gradient, i, k), k)[0]);
    return gradient.map((value, at) => {
      const i = Math.floor(at / k);
      return (value - along[i] * rows[at]) / lengths[i];
    });
  };
  return { rows, backward };
}

function row(matrix: Matrix, i: number, k: number): Matrix {
  return matrix.subarray(i * k, (i + 1) * k);
}
