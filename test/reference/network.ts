// A dense network in f64: forward, loss, backward and central differences.
import {
  type ActivationKind,
  forward as activate,
  derivative,
  KINKED,
  softmax,
  softmaxBackward,
} from "./activations.ts";
import { gemm, rowMajor, transposed } from "./gemm.ts";
import { type LossKind, loss as lossOf, smoothed } from "./losses.ts";

export type TwinLayer =
  | { kind: "dense"; units: number; useBias: boolean }
  | { kind: "activation"; activation: ActivationKind | "softmax"; parameter: number };

export interface TwinLoss {
  readonly kind: LossKind;
  readonly delta?: number;
  readonly labelSmoothing?: number;
}

/** Cross-entropies end in the softmax or sigmoid layer that they are fused with. */
export interface TwinNetwork {
  readonly input: number;
  readonly layers: readonly TwinLayer[];
  readonly loss: TwinLoss;
}

export interface TwinBatch {
  readonly rows: number;
  /** [rows, input]. */
  readonly x: ArrayLike<number>;
  /** [rows, outputs]; classes as one-hot rows. */
  readonly y: ArrayLike<number>;
  readonly weights?: ArrayLike<number>;
}

/** Kernel [in, out] and then bias [out] of each dense layer, in order. */
export function parameterLengths(network: TwinNetwork): number[] {
  const lengths: number[] = [];
  let width = network.input;
  for (const layer of network.layers) {
    if (layer.kind !== "dense") continue;
    lengths.push(width * layer.units);
    if (layer.useBias) lengths.push(layer.units);
    width = layer.units;
  }
  return lengths;
}

export function outputs(network: TwinNetwork): number {
  return network.layers.reduce((width, layer) => (layer.kind === "dense" ? layer.units : width), network.input);
}

/** values[l] is what layer l reads; the last one is the network's output. */
export interface Trace {
  readonly values: readonly Float64Array[];
  readonly output: Float64Array;
}

export function forward(
  network: TwinNetwork,
  parameters: readonly ArrayLike<number>[],
  x: ArrayLike<number>,
  rows: number,
): Trace {
  let current: Float64Array = Float64Array.from(x);
  let width = network.input;
  let next = 0;
  const values = [current];
  for (const layer of network.layers) {
    if (layer.kind === "dense") {
      const kernel = parameters[next++];
      const product = gemm(rows, layer.units, width, rowMajor(current, width), rowMajor(kernel, layer.units)).value;
      if (layer.useBias) {
        const bias = parameters[next++];
        for (let i = 0; i < product.length; i++) product[i] += bias[i % layer.units];
      }
      width = layer.units;
      current = product;
    } else {
      current = activateAll(layer, current, rows, width);
    }
    values.push(current);
  }
  return { values, output: current };
}

function activateAll(
  layer: Extract<TwinLayer, { kind: "activation" }>,
  x: Float64Array,
  rows: number,
  width: number,
): Float64Array {
  if (layer.activation === "softmax") return softmax(rows, width, x);
  const f = activate[layer.activation];
  return Float64Array.from(x, (value) => f(value, layer.parameter));
}

const isFused = (network: TwinNetwork): boolean => network.loss.kind.endsWith("cross-entropy");

/** Mean loss of the batch and its gradient by what the loss reads (the logits where the head is fused). */
function headLoss(network: TwinNetwork, trace: Trace, batch: TwinBatch): { loss: number; gradient: Float64Array } {
  const z = isFused(network) ? trace.values[network.layers.length - 1] : trace.output;
  const { kind, delta } = network.loss;
  const result = lossOf(kind, batch.rows, outputs(network), z, targetsOf(network, batch), batch.weights, delta);
  return { loss: result.sum / result.weight, gradient: result.gradient };
}

/** The batch's targets, smoothed if the loss says so. */
export function targetsOf(network: TwinNetwork, { y }: TwinBatch): ArrayLike<number> {
  const { labelSmoothing } = network.loss;
  return labelSmoothing ? smoothed(y, outputs(network), labelSmoothing) : y;
}

export function loss(network: TwinNetwork, parameters: readonly ArrayLike<number>[], batch: TwinBatch): number {
  return headLoss(network, forward(network, parameters, batch.x, batch.rows), batch).loss;
}

export interface TwinGradients {
  readonly loss: number;
  readonly parameters: Float64Array[];
  readonly input: Float64Array;
}

export function backward(
  network: TwinNetwork,
  parameters: readonly ArrayLike<number>[],
  batch: TwinBatch,
): TwinGradients {
  const trace = forward(network, parameters, batch.x, batch.rows);
  const { loss, gradient } = headLoss(network, trace, batch);
  const depth = isFused(network) ? network.layers.length - 1 : network.layers.length;
  return { loss, ...propagate(network, parameters, trace, batch.rows, gradient, depth) };
}

/** Gradients from dOutput, the gradient by the network's output. */
export function backwardFromOutput(
  network: TwinNetwork,
  parameters: readonly ArrayLike<number>[],
  x: ArrayLike<number>,
  rows: number,
  dOutput: ArrayLike<number>,
): Omit<TwinGradients, "loss"> {
  const trace = forward(network, parameters, x, rows);
  return propagate(network, parameters, trace, rows, Float64Array.from(dOutput), network.layers.length);
}

/** Walks layers depth-1..0, `d` being the gradient by what layer depth-1 gives. */
function propagate(
  network: TwinNetwork,
  parameters: readonly ArrayLike<number>[],
  trace: Trace,
  rows: number,
  dOutput: Float64Array,
  depth: number,
): Omit<TwinGradients, "loss"> {
  const gradients: Float64Array[] = new Array(parameters.length);
  let next = parameters.length;
  let d = dOutput;
  for (let l = depth - 1; l >= 0; l--) {
    const layer = network.layers[l];
    const x = trace.values[l];
    const width = x.length / rows;
    if (layer.kind === "activation") {
      const y = trace.values[l + 1];
      if (layer.activation === "softmax") d = softmaxBackward(rows, width, y, d);
      else {
        const slope = derivative[layer.activation];
        d = d.map((value, i) => value * slope(x[i], layer.parameter));
      }
      continue;
    }
    const { units } = layer;
    if (layer.useBias) {
      const dBias = new Float64Array(units);
      for (let i = 0; i < d.length; i++) dBias[i % units] += d[i];
      gradients[--next] = dBias;
    }
    const kernel = parameters[--next];
    gradients[next] = gemm(width, units, rows, transposed(x, width), rowMajor(d, units)).value;
    d = gemm(rows, width, units, rowMajor(d, units), transposed(kernel, units)).value;
  }
  return { parameters: gradients, input: d };
}

/** df/dvalues by central differences; `values` is changed and restored.
 *  Error: h^2 / 6 times the third derivative, and about 1e-16 |f| / h of rounding. */
export function centralDifferences(f: () => number, values: Float64Array, h = 1e-5): Float64Array {
  return values.map((value, i) => {
    values[i] = value + h;
    const above = f();
    values[i] = value - h;
    const below = f();
    values[i] = value;
    return (above - below) / (2 * h);
  });
}

/** Distance of the nearest corner (of an activation, of the absolute or the huber loss) from where the batch runs. */
export function distanceToKink(network: TwinNetwork, trace: Trace, targets: ArrayLike<number>): number {
  let nearest = Number.POSITIVE_INFINITY;
  network.layers.forEach((layer, l) => {
    if (layer.kind !== "activation" || layer.activation === "softmax" || !KINKED.has(layer.activation)) return;
    for (const value of trace.values[l]) nearest = Math.min(nearest, Math.abs(value));
  });
  const { kind, delta = 1 } = network.loss;
  if (kind === "mean-absolute-error" || kind === "huber") {
    const corner = kind === "huber" ? delta : 0;
    trace.output.forEach((value, i) => {
      nearest = Math.min(nearest, Math.abs(Math.abs(value - targets[i]) - corner));
    });
  }
  return nearest;
}
