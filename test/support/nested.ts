// Networks of layers within layers in f64, forward and backward. Every number comes with a first-order bound of how far
// f32 arithmetic may be from it, carried along in the same pass.

import { type ActivationKind, forward as activate, KINKED, softmax } from "../reference/activations.ts";
import { gemm, rowMajor, transposed } from "../reference/gemm.ts";
import type { TwinLayer } from "../reference/network.ts";
import { type Axis, means, normalize, normalizeBackward, parameterGradients, scaleShift } from "../reference/norms.ts";
import { philoxFill } from "../reference/philox.ts";
import { U } from "./bounds.ts";
import { activationBackward, activationErrors } from "./network_bounds.ts";

export type Twin =
  | { kind: "dense"; units: number; useBias: boolean }
  | { kind: "activation"; activation: ActivationKind | "softmax"; alpha: number }
  | { kind: "layer-norm" | "batch-norm" }
  | { kind: "dropout"; rate: number }
  | { kind: "residual"; layers: readonly Twin[] }
  | { kind: "concat"; branches: readonly (readonly Twin[])[] }
  | { kind: "embedding"; vocabulary: number; units: number; column: number };

const EPSILON = 1e-5;
const PURPOSE_DROPOUT = 3;

/** Numbers, row-major, and the bounds of their errors. */
export interface Bounded {
  readonly v: Float64Array;
  readonly e: Float64Array;
}

interface Out {
  readonly y: Bounded;
  readonly width: number;
  /** From dLoss/dy to dLoss/dx. */
  readonly backward: (d: Bounded) => Bounded;
}

/** The sizes of all parameters, in order. */
export function shapesOf(layers: readonly Twin[], input: number): number[][] {
  const shapes: number[][] = [];
  const walk = (chain: readonly Twin[], width: number): number =>
    chain.reduce((inputs, layer) => {
      switch (layer.kind) {
        case "dense":
          shapes.push([inputs, layer.units], ...(layer.useBias ? [[layer.units]] : []));
          return layer.units;
        case "layer-norm":
        case "batch-norm":
          shapes.push([inputs], [inputs]);
          return inputs;
        case "residual":
          return walk(layer.layers, inputs);
        case "concat":
          return layer.branches.reduce((sum, branch) => sum + walk(branch, inputs), 0);
        case "embedding":
          shapes.push([layer.vocabulary, layer.units]);
          return inputs - 1 + layer.units;
        default:
          return inputs;
      }
    }, width);
  walk(layers, input);
  return shapes;
}

/** One forward pass in training mode, the first of a model with seed 0, and its way back. */
export class Pass {
  /** By parameter, once the way back was gone. */
  readonly gradients: Bounded[] = [];
  /** Distance of the nearest corner of an activation. */
  kink = Number.POSITIVE_INFINITY;
  readonly out: Out;
  private readonly rows: number;
  private readonly parameters: readonly Float64Array[];
  private taken = 0;
  private layers = 0;

  constructor(layers: readonly Twin[], parameters: readonly Float64Array[], x: Float64Array, rows: number) {
    this.rows = rows;
    this.parameters = parameters;
    this.out = this.chain(layers, { v: x, e: new Float64Array(x.length) }, x.length / rows);
  }

  private chain(layers: readonly Twin[], x: Bounded, width: number): Out {
    const outs: Out[] = [];
    layers.forEach((layer, i) => {
      const from = outs.at(-1) ?? { y: x, width };
      // An activation after a dense layer is one layer with it.
      const joined = layer.kind === "activation" && layers[i - 1]?.kind === "dense";
      const index = joined ? -1 : this.layers++;
      outs.push(this.layer(layer, index, from.y, from.width));
    });
    const last = outs.at(-1) ?? { y: x, width };
    return { ...last, backward: (d) => outs.reduceRight((dy, { backward }) => backward(dy), d) };
  }

  private layer(layer: Twin, index: number, x: Bounded, width: number): Out {
    switch (layer.kind) {
      case "dense":
        return this.dense(layer.units, layer.useBias, x, width);
      case "activation":
        return this.activation(layer.activation, layer.alpha, x, width);
      case "layer-norm":
        return this.norm("row", x, width);
      case "batch-norm":
        return this.norm("column", x, width);
      case "dropout":
        return this.dropout(layer.rate, index, x, width);
      case "residual":
        return this.residual(layer.layers, x, width);
      case "concat":
        return this.concat(layer.branches, x, width);
      case "embedding":
        return this.embedding(layer, x, width);
    }
  }

  private take(): [index: number, values: Float64Array] {
    const index = this.taken++;
    return [index, this.parameters[index]];
  }

  private dense(n: number, useBias: boolean, x: Bounded, k: number): Out {
    const { rows } = this;
    const [kernelAt, kernel] = this.take();
    const [biasAt, bias] = useBias ? this.take() : [-1, undefined];
    const product = gemm(rows, n, k, rowMajor(x.v, k), rowMajor(kernel, n));
    const carried = gemm(rows, n, k, rowMajor(x.e, k), rowMajor(kernel, n)).magnitude;
    const of = (at: number): number => bias?.[at % n] ?? 0;
    const y = {
      v: product.value.map((value, at) => value + of(at)),
      e: carried.map((e, at) => e + (k + 2) * U * (product.magnitude[at] + Math.abs(of(at)))),
    };
    const backward = (d: Bounded): Bounded => {
      const dKernel = gemm(k, n, rows, transposed(x.v, k), rowMajor(d.v, n));
      const ofX = gemm(k, n, rows, transposed(x.e, k), rowMajor(d.v, n)).magnitude;
      const ofD = gemm(k, n, rows, transposed(x.v, k), rowMajor(d.e, n)).magnitude;
      const own = dKernel.magnitude.map((size, at) => ofX[at] + ofD[at] + (rows + 2) * U * size);
      this.gradients[kernelAt] = { v: dKernel.value, e: own };
      if (useBias) this.gradients[biasAt] = columnSums(rows, n, d, rows + 2);
      const dx = gemm(rows, k, n, rowMajor(d.v, n), transposed(kernel, n));
      const back = gemm(rows, k, n, rowMajor(d.e, n), transposed(kernel, n)).magnitude;
      return { v: dx.value, e: back.map((e, at) => e + (n + 2) * U * dx.magnitude[at]) };
    };
    return { y, width: n, backward };
  }

  private activation(kind: ActivationKind | "softmax", parameter: number, x: Bounded, width: number): Out {
    const { rows } = this;
    const layer = { kind: "activation", activation: kind, parameter } as Extract<TwinLayer, { kind: "activation" }>;
    if (kind !== "softmax" && KINKED.has(kind)) {
      for (const value of x.v) this.kink = Math.min(this.kink, Math.abs(value));
    }
    const v = kind === "softmax" ? softmax(rows, width, x.v) : x.v.map((value) => activate[kind](value, parameter));
    const y = { v, e: activationErrors(layer, x.v, v, x.e, rows) };
    const backward = (d: Bounded): Bounded => {
      const [dv, de] = activationBackward(layer, x.v, v, x.e, y.e, d.v, d.e, rows);
      return { v: dv, e: de };
    };
    return { y, width, backward };
  }

  private norm(axis: Axis, x: Bounded, n: number): Out {
    const { rows } = this;
    const [gammaAt, gamma] = this.take();
    const [betaAt, beta] = this.take();
    const { mean, r, h } = normalize(axis, rows, n, x.v, EPSILON);
    const line = (at: number): number => (axis === "row" ? Math.floor(at / n) : at % n);
    const average = (f: (at: number) => number): Float64Array => means(axis, rows, n, f);
    const shift = average((at) => x.e[at]);
    const turn = average((at) => Math.abs(h[at]) * x.e[at]);
    const eh = h.map((value, at) => {
      const i = line(at);
      const carried = x.e[at] + shift[i] + Math.abs(value) * turn[i];
      return r[i] * carried + U * (Math.abs(mean[i]) * r[i] + 6 * Math.abs(value));
    });
    const er = r.map((value, i) => value * turn[i] + 4 * U);
    const y = {
      v: scaleShift(n, h, gamma, beta),
      e: eh.map((e, at) => Math.abs(gamma[at % n]) * (e + 3 * U * Math.abs(h[at])) + 3 * U * Math.abs(beta[at % n])),
    };
    const backward = (d: Bounded): Bounded => {
      const sums = parameterGradients(n, h, d.v);
      const sizes = columnSums(rows, n, { v: d.v.map((value, at) => Math.abs(value * h[at])), e: d.e }, 2).v;
      const felt = d.v.map((value, at) => d.e[at] * Math.abs(h[at]) + Math.abs(value) * eh[at]);
      const ofGamma = columnSums(rows, n, { v: felt, e: felt }, 0).v;
      this.gradients[gammaAt] = { v: sums.dgamma, e: ofGamma.map((e, j) => e + 2 * U * sizes[j]) };
      this.gradients[betaAt] = columnSums(rows, n, d, 2);

      const g = d.v.map((value, at) => Math.abs(value * gamma[at % n]));
      const eg = d.e.map((e, at) => Math.abs(gamma[at % n]) * e);
      const [size, slope] = [average((at) => g[at]), average((at) => g[at] * Math.abs(h[at]))];
      const [eSize, eSlope] = [average((at) => eg[at]), average((at) => eg[at] * Math.abs(h[at]) + g[at] * eh[at])];
      const v = normalizeBackward(axis, rows, n, { h, r }, gamma, d.v);
      const e = v.map((value, at) => {
        const i = line(at);
        const whole = g[at] + size[i] + Math.abs(h[at]) * slope[i];
        const carried = eg[at] + eSize[i] + Math.abs(h[at]) * eSlope[i] + eh[at] * slope[i];
        return r[i] * (carried + 8 * U * whole) + Math.abs(value) * er[i];
      });
      return { v, e };
    };
    return { y, width: n, backward };
  }

  private dropout(rate: number, index: number, x: Bounded, n: number): Out {
    // Rows of whole vectors, as private buffers have them.
    const stride = Math.ceil(n / 4) * 4;
    const words = philoxFill(this.rows * stride, 0, 0, PURPOSE_DROPOUT, index, 1);
    const factor = (at: number): number => {
      const word = words[Math.floor(at / n) * stride + (at % n)];
      return (word >>> 8) * 2 ** -24 >= Math.fround(rate) ? 1 / (1 - rate) : 0;
    };
    const drop = ({ v, e }: Bounded): Bounded => ({
      v: v.map((value, at) => value * factor(at)),
      e: e.map((error, at) => factor(at) * (error + 2 * U * Math.abs(v[at]))),
    });
    return { y: rate === 0 ? x : drop(x), width: n, backward: rate === 0 ? (d) => d : drop };
  }

  private residual(layers: readonly Twin[], x: Bounded, width: number): Out {
    const inner = this.chain(layers, x, width);
    return { y: add(x, inner.y), width, backward: (d) => add(d, inner.backward(d)) };
  }

  private concat(branches: readonly (readonly Twin[])[], x: Bounded, inputs: number): Out {
    const { rows } = this;
    const outs = branches.map((branch) => this.chain(branch, x, inputs));
    const width = outs.reduce((sum, out) => sum + out.width, 0);
    const starts = outs.map((_, i) => outs.slice(0, i).reduce((sum, out) => sum + out.width, 0));
    const y = { v: new Float64Array(rows * width), e: new Float64Array(rows * width) };
    outs.forEach((out, b) => {
      for (let at = 0; at < rows * out.width; at++) {
        const to = Math.floor(at / out.width) * width + starts[b] + (at % out.width);
        y.v[to] = out.y.v[at];
        y.e[to] = out.y.e[at];
      }
    });
    const cut = (values: Float64Array, b: number): Float64Array => {
      const n = outs[b].width;
      return Float64Array.from(
        { length: rows * n },
        (_, at) => values[Math.floor(at / n) * width + starts[b] + (at % n)],
      );
    };
    const backward = (d: Bounded): Bounded =>
      outs.map((out, b) => out.backward({ v: cut(d.v, b), e: cut(d.e, b) })).reduce(add);
    return { y, width, backward };
  }

  private embedding(
    { vocabulary, units, column }: Extract<Twin, { kind: "embedding" }>,
    x: Bounded,
    inputs: number,
  ): Out {
    const { rows } = this;
    const [tableAt, table] = this.take();
    const width = inputs - 1 + units;
    const indexOf = (row: number): number => x.v[row * inputs + column];
    /** Where y's column comes from: a column of x, or an element of the vector. */
    const source = (j: number): [inX: boolean, at: number] =>
      j >= column && j < column + units ? [false, j - column] : [true, j < column ? j : j - units + 1];
    const v = Float64Array.from({ length: rows * width }, (_, at) => {
      const [inX, j] = source(at % width);
      const row = Math.floor(at / width);
      return inX ? x.v[row * inputs + j] : table[indexOf(row) * units + j];
    });
    const backward = (d: Bounded): Bounded => {
      const dx = { v: new Float64Array(rows * inputs), e: new Float64Array(rows * inputs) };
      const dTable = { v: new Float64Array(vocabulary * units), e: new Float64Array(vocabulary * units) };
      d.v.forEach((value, at) => {
        const [inX, j] = source(at % width);
        const row = Math.floor(at / width);
        const to = inX ? row * inputs + j : indexOf(row) * units + j;
        (inX ? dx : dTable).v[to] += value;
        (inX ? dx : dTable).e[to] += d.e[at] + (inX ? 0 : (rows + 2) * U * Math.abs(value));
      });
      this.gradients[tableAt] = dTable;
      return dx;
    };
    return { y: { v, e: new Float64Array(v.length) }, width, backward };
  }
}

function add(a: Bounded, b: Bounded): Bounded {
  const v = a.v.map((value, at) => value + b.v[at]);
  return { v, e: a.e.map((e, at) => e + b.e[at] + U * Math.abs(v[at])) };
}

/** Sums over rows; `roundings` of each term. */
function columnSums(rows: number, n: number, d: Bounded, roundings: number): Bounded {
  const sums = { v: new Float64Array(n), e: new Float64Array(n) };
  for (let at = 0; at < rows * n; at++) {
    sums.v[at % n] += d.v[at];
    sums.e[at % n] += d.e[at] + roundings * U * Math.abs(d.v[at]);
  }
  return sums;
}
