// Losses with their gradients in f64. Heads are fused: cross-entropies take logits.
import { sigmoid, softmax } from "./activations.ts";

export const LOSS_KINDS = [
  "cross-entropy",
  "binary-cross-entropy",
  "mean-squared-error",
  "mean-absolute-error",
  "huber",
] as const;
export type LossKind = (typeof LOSS_KINDS)[number];

export interface LossResult {
  /** Sum of weight * row loss. */
  readonly sum: number;
  /** Sum of weights. */
  readonly weight: number;
  /** d(sum / weight) / dz, [rows, n]. */
  readonly gradient: Float64Array;
}

/** One element's part of the row loss, and its derivative by z. */
type Term = (z: number, target: number) => { loss: number; slope: number };

const squared: Term = (z, t) => ({ loss: (z - t) ** 2, slope: 2 * (z - t) });
const absolute: Term = (z, t) => ({ loss: Math.abs(z - t), slope: Math.sign(z - t) });
const huber =
  (delta: number): Term =>
  (z, t) => {
    const d = z - t;
    const inside = Math.abs(d) <= delta;
    return {
      loss: inside ? 0.5 * d * d : delta * (Math.abs(d) - 0.5 * delta),
      slope: inside ? d : delta * Math.sign(d),
    };
  };
const binaryCrossEntropy: Term = (z, t) => ({
  loss: Math.max(z, 0) - z * t + Math.log1p(Math.exp(-Math.abs(z))),
  slope: sigmoid(z) - t,
});

/** Shapes: z, targets [rows, n]; weights [rows] or absent (all ones). `delta` is huber's. */
export function loss(
  kind: LossKind,
  rows: number,
  n: number,
  z: ArrayLike<number>,
  targets: ArrayLike<number>,
  weights?: ArrayLike<number>,
  delta = 1,
): LossResult {
  if (kind === "cross-entropy") return crossEntropy(rows, n, z, targets, weights);
  const term = {
    "binary-cross-entropy": binaryCrossEntropy,
    "mean-squared-error": squared,
    "mean-absolute-error": absolute,
    huber: huber(delta),
  }[kind];
  return byRows(rows, n, weights, (row, gradient) => {
    let sum = 0;
    for (let j = row * n; j < (row + 1) * n; j++) {
      const { loss, slope } = term(z[j], targets[j]);
      sum += loss / n;
      gradient[j] = slope / n;
    }
    return sum;
  });
}

/** Row loss sum_j t_j (logsumexp(z) - z_j); target rows of any sum. */
function crossEntropy(
  rows: number,
  n: number,
  z: ArrayLike<number>,
  targets: ArrayLike<number>,
  weights?: ArrayLike<number>,
): LossResult {
  const probabilities = softmax(rows, n, z);
  return byRows(rows, n, weights, (row, gradient) => {
    let largest = Number.NEGATIVE_INFINITY;
    for (let j = row * n; j < (row + 1) * n; j++) largest = Math.max(largest, z[j]);
    let exponentials = 0;
    let mass = 0;
    for (let j = row * n; j < (row + 1) * n; j++) {
      exponentials += Math.exp(z[j] - largest);
      mass += targets[j];
    }
    let sum = 0;
    for (let j = row * n; j < (row + 1) * n; j++) {
      sum += targets[j] * (Math.log(exponentials) + (largest - z[j]));
      gradient[j] = mass * probabilities[j] - targets[j];
    }
    return sum;
  });
}

function byRows(
  rows: number,
  n: number,
  weights: ArrayLike<number> | undefined,
  rowLoss: (row: number, gradient: Float64Array) => number,
): LossResult {
  const gradient = new Float64Array(rows * n);
  let sum = 0;
  let weight = 0;
  for (let i = 0; i < rows; i++) {
    const w = weights ? weights[i] : 1;
    sum += w * rowLoss(i, gradient);
    weight += w;
  }
  for (let at = 0; at < rows * n; at++) gradient[at] *= (weights ? weights[Math.floor(at / n)] : 1) / weight;
  return { sum, weight, gradient };
}

/** One-hot rows of class indices. */
export function oneHot(labels: ArrayLike<number>, n: number): Float64Array {
  const rows = new Float64Array(labels.length * n);
  for (let i = 0; i < labels.length; i++) rows[i * n + labels[i]] = 1;
  return rows;
}

/** Targets of which a share epsilon is spread evenly over all n classes. Source: as torch's label_smoothing. */
export function smoothed(targets: ArrayLike<number>, n: number, epsilon: number): Float64Array {
  return Float64Array.from(targets, (t) => (1 - epsilon) * t + epsilon / n);
}
