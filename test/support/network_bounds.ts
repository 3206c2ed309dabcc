// How far f32 arithmetic may take a network's outputs and gradients from the f64 reference: a first-order bound that
// runs along with the reference, forward and backward.
import { derivative } from "../reference/activations.ts";
import { gemm, rowMajor, transposed } from "../reference/gemm.ts";
import { loss as lossOf } from "../reference/losses.ts";
import {
  forward,
  outputs,
  type Trace,
  type TwinBatch,
  type TwinLayer,
  type TwinNetwork,
  targetsOf,
} from "../reference/network.ts";
import { U } from "./bounds.ts";

type Activation = Extract<TwinLayer, { kind: "activation" }>;
type Values = ArrayLike<number>;

export interface NetworkBounds {
  readonly output: Float64Array;
  /** 0 without a loss. */
  readonly loss: number;
  readonly parameters: Float64Array[];
  readonly input: Float64Array;
}

/** Bounds of trainBatch's loss and gradients. */
export function boundsOfLoss(network: TwinNetwork, parameters: readonly Values[], batch: TwinBatch): NetworkBounds {
  const { trace, errors } = forwardErrors(network, parameters, batch.x, batch.rows);
  const fused = network.loss.kind.endsWith("cross-entropy");
  const depth = network.layers.length - (fused ? 1 : 0);
  const z = trace.values[depth];
  const n = outputs(network);
  const targets = targetsOf(network, batch);
  const { gradient } = lossOf(network.loss.kind, batch.rows, n, z, targets, batch.weights, network.loss.delta);
  const total = batch.weights ? Array.from(batch.weights).reduce((sum, w) => sum + w, 0) : batch.rows;
  const share = (i: number): number => (batch.weights ? batch.weights[i] : 1) / total;
  const error = headErrors(network, z, errors[depth], targets, n).map((e, at) => e * share(Math.floor(at / n)));
  // Of each element's loss: what z's error does, and a few roundings of terms no larger than (1 + |z| + |t|)^2.
  const loss = z.reduce((sum, value, at) => {
    const size = 1 + Math.abs(value) + Math.abs(targets[at]);
    return sum + Math.abs(gradient[at]) * errors[depth][at] + share(Math.floor(at / n)) * 8 * U * size * size;
  }, 0);
  const back = backwardErrors(network, parameters, trace, errors, batch.rows, gradient, error, depth);
  return { output: errors[network.layers.length], loss, ...back };
}

/** Bounds of forward's output and of backward's gradients. */
export function boundsOfOutput(
  network: TwinNetwork,
  parameters: readonly Values[],
  x: Values,
  rows: number,
  dOutput: Values,
): NetworkBounds {
  const { trace, errors } = forwardErrors(network, parameters, x, rows);
  const d = Float64Array.from(dOutput);
  const depth = network.layers.length;
  const back = backwardErrors(network, parameters, trace, errors, rows, d, new Float64Array(d.length), depth);
  return { output: errors[depth], loss: 0, ...back };
}

/** Error of the loss's gradient by z before weights: curvature times z's error, and roundings. */
function headErrors({ loss }: TwinNetwork, z: Values, error: Values, targets: Values, n: number): Float64Array {
  if (loss.kind === "cross-entropy") {
    return overRows(z.length / n, n, (row, at) => {
      const { p, felt, gap } = softmaxErrors(z, error, row, at, n);
      const mass = Array.from({ length: n }, (_, j) => targets[row + j]).reduce((sum, t) => sum + t, 0);
      return mass * p * (error[at] + felt + (gap + 20) * U) + 4 * U * (mass + targets[at]);
    });
  }
  const curvature = { "binary-cross-entropy": 0.25, "mean-squared-error": 2, "mean-absolute-error": 0, huber: 1 };
  const size = (at: number): number => 1 + Math.abs(z[at] - targets[at]);
  return overRows(z.length / n, n, (_, at) => (curvature[loss.kind as "huber"] * error[at] + 8 * U * size(at)) / n);
}

function forwardErrors(network: TwinNetwork, parameters: readonly Values[], x: Values, rows: number) {
  const trace = forward(network, parameters, x, rows);
  let error: Float64Array = new Float64Array(x.length);
  let next = 0;
  const errors = network.layers.map((layer, l) => {
    const input = trace.values[l];
    const width = input.length / rows;
    if (layer.kind === "activation") {
      error = activationErrors(layer, input, trace.values[l + 1], error, rows);
      return error;
    }
    const kernel = rowMajor(parameters[next++], layer.units);
    const bias = layer.useBias ? parameters[next++] : undefined;
    const { magnitude } = gemm(rows, layer.units, width, rowMajor(input, width), kernel);
    const carried = gemm(rows, layer.units, width, rowMajor(error, width), kernel).magnitude;
    error = carried.map((e, i) => e + (width + 2) * U * (magnitude[i] + Math.abs(bias?.[i % layer.units] ?? 0)));
    return error;
  });
  return { trace, errors: [new Float64Array(x.length), ...errors] };
}

/** What x's error becomes, and the kernels' own (at most 6 U of the larger of |x| and |y|). */
export function activationErrors(layer: Activation, x: Values, y: Values, error: Values, rows: number): Float64Array {
  const kind = layer.activation;
  const n = x.length / rows;
  if (kind === "softmax") {
    return overRows(rows, n, (row, at) => {
      const { felt, gap } = softmaxErrors(x, error, row, at, n);
      return y[at] * (error[at] + felt + (gap + 20) * U);
    });
  }
  return overRows(rows, n, (_, at) => {
    const slope = Math.abs(derivative[kind](x[at], layer.parameter));
    return slope * error[at] + (kind === "linear" ? 0 : 6 * U * Math.max(Math.abs(x[at]), Math.abs(y[at])));
  });
}

/** Element `at` of a row's softmax: its value, the row's mean error, and the distance to the largest. */
function softmaxErrors(z: Values, error: Values, row: number, at: number, n: number) {
  const index = Array.from({ length: n }, (_, j) => row + j);
  const largest = Math.max(...index.map((j) => z[j]));
  const sum = index.reduce((total, j) => total + Math.exp(z[j] - largest), 0);
  const felt = index.reduce(
    (total, j) => total + (Math.exp(z[j] - largest) / sum) * (error[j] + (largest - z[j]) * U),
    0,
  );
  return { p: Math.exp(z[at] - largest) / sum, felt, gap: largest - z[at] };
}

function backwardErrors(
  network: TwinNetwork,
  parameters: readonly Values[],
  trace: Trace,
  errors: readonly Values[],
  rows: number,
  dOutput: Float64Array,
  dError: Float64Array,
  depth: number,
): Pick<NetworkBounds, "parameters" | "input"> {
  const bounds: Float64Array[] = new Array(parameters.length);
  let next = parameters.length;
  let [d, e] = [dOutput, dError];
  for (let l = depth - 1; l >= 0; l--) {
    const layer = network.layers[l];
    const x = trace.values[l];
    const width = x.length / rows;
    if (layer.kind === "activation") {
      [d, e] = activationBackward(layer, x, trace.values[l + 1], errors[l], errors[l + 1], d, e, rows);
      continue;
    }
    const n = layer.units;
    if (layer.useBias) {
      bounds[--next] = new Float64Array(n);
      for (let i = 0; i < d.length; i++) bounds[next][i % n] += e[i] + (rows + 2) * U * Math.abs(d[i]);
    }
    const ofX = gemm(width, n, rows, transposed(errors[l], width), rowMajor(d, n)).magnitude;
    const ofD = gemm(width, n, rows, transposed(x, width), rowMajor(e, n)).magnitude;
    const size = gemm(width, n, rows, transposed(x, width), rowMajor(d, n)).magnitude;
    const kernel = transposed(parameters[--next], n);
    bounds[next] = size.map((value, i) => ofX[i] + ofD[i] + (rows + 2) * U * value);
    const carried = gemm(rows, width, n, rowMajor(e, n), kernel).magnitude;
    const product = gemm(rows, width, n, rowMajor(d, n), kernel);
    e = carried.map((value, i) => value + (n + 2) * U * product.magnitude[i]);
    d = product.value;
  }
  return { parameters: bounds, input: e };
}

/** The gradient by x and its error. */
export function activationBackward(
  layer: Activation,
  x: Values,
  y: Values,
  xError: Values,
  yError: Values,
  d: Float64Array,
  e: Float64Array,
  rows: number,
): [Float64Array, Float64Array] {
  const kind = layer.activation;
  const n = x.length / rows;
  if (kind !== "softmax") {
    // No activation bends by more than 2; the slopes of those with straight parts do not change with x.
    const curvature = ["linear", "relu", "leaky-relu"].includes(kind) ? 0 : 2;
    const own = (at: number): number =>
      curvature * xError[at] + (kind === "linear" ? 0 : 16 * U * (1 + Math.abs(x[at])));
    const slope = (at: number): number => derivative[kind](x[at], layer.parameter);
    return [
      d.map((value, at) => value * slope(at)),
      d.map((value, at) => Math.abs(slope(at)) * e[at] + Math.abs(value) * own(at)),
    ];
  }
  const dot = (row: number, term: (at: number) => number): number => {
    let sum = 0;
    for (let at = row; at < row + n; at++) sum += term(at);
    return sum;
  };
  return [
    overRows(rows, n, (row, at) => y[at] * (d[at] - dot(row, (j) => y[j] * d[j]))),
    overRows(rows, n, (row, at) => {
      const size = Math.abs(d[at]) + dot(row, (j) => y[j] * Math.abs(d[j]));
      const ofDot = dot(row, (j) => y[j] * e[j] + yError[j] * Math.abs(d[j]));
      return yError[at] * size + y[at] * (e[at] + ofDot + 6 * U * size);
    }),
  ];
}

/** f at every element, told where its row begins. */
function overRows(rows: number, n: number, f: (row: number, at: number) => number): Float64Array {
  return Float64Array.from({ length: rows * n }, (_, at) => f(Math.floor(at / n) * n, at));
}
