// Layer and batch normalization in f64.

type Values = ArrayLike<number>;

/** Where the statistics run: of each row, or of each column. */
export type Axis = "row" | "column";

export interface Normalized {
  readonly mean: Float64Array;
  /** Over the count, as normalization takes it. */
  readonly variance: Float64Array;
  /** 1 / sqrt(variance + epsilon). */
  readonly r: Float64Array;
  /** (x - mean) r. */
  readonly h: Float64Array;
}

const lineOf = (axis: Axis, at: number, n: number): number => (axis === "row" ? Math.floor(at / n) : at % n);
const lines = (axis: Axis, rows: number, n: number): number => (axis === "row" ? rows : n);
const lengthOf = (axis: Axis, rows: number, n: number): number => (axis === "row" ? n : rows);

/** Means over each row or column. */
export function means(axis: Axis, rows: number, n: number, values: (at: number) => number): Float64Array {
  const sums = new Float64Array(lines(axis, rows, n));
  for (let at = 0; at < rows * n; at++) sums[lineOf(axis, at, n)] += values(at);
  return sums.map((sum) => sum / lengthOf(axis, rows, n));
}

/** `given`: statistics to take instead of those of x. */
export function normalize(
  axis: Axis,
  rows: number,
  n: number,
  x: Values,
  epsilon: number,
  given?: { readonly mean: Values; readonly variance: Values },
): Normalized {
  const mean = given ? Float64Array.from(given.mean) : means(axis, rows, n, (at) => x[at]);
  const centered = Float64Array.from(x, (value, at) => value - mean[lineOf(axis, at, n)]);
  const variance = given ? Float64Array.from(given.variance) : means(axis, rows, n, (at) => centered[at] ** 2);
  const r = variance.map((value) => 1 / Math.sqrt(value + epsilon));
  return { mean, variance, r, h: centered.map((value, at) => value * r[lineOf(axis, at, n)]) };
}

/** h gamma + beta. */
export function scaleShift(n: number, h: Values, gamma: Values, beta: Values): Float64Array {
  return Float64Array.from(h, (value, at) => value * gamma[at % n] + beta[at % n]);
}

/** dx; `fixed`: the statistics do not depend on x. */
export function normalizeBackward(
  axis: Axis,
  rows: number,
  n: number,
  { h, r }: Pick<Normalized, "h" | "r">,
  gamma: Values,
  dy: Values,
  fixed = false,
): Float64Array {
  const g = Float64Array.from(dy, (value, at) => value * gamma[at % n]);
  const mean = means(axis, rows, n, (at) => (fixed ? 0 : g[at]));
  const slope = means(axis, rows, n, (at) => (fixed ? 0 : g[at] * h[at]));
  return g.map((value, at) => {
    const line = lineOf(axis, at, n);
    return r[line] * (value - mean[line] - h[at] * slope[line]);
  });
}

/** Column sums of dy h and of dy. */
export function parameterGradients(n: number, h: Values, dy: Values): { dgamma: Float64Array; dbeta: Float64Array } {
  const [dgamma, dbeta] = [new Float64Array(n), new Float64Array(n)];
  for (let at = 0; at < dy.length; at++) {
    dgamma[at % n] += dy[at] * h[at];
    dbeta[at % n] += dy[at];
  }
  return { dgamma, dbeta };
}
