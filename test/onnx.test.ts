// The kernels on the ONNX project's operator tests (goldens/make_onnx.py).
//
// The vectors were computed in f32 as well, so a tolerance adds the errors of both sides. Measured against f64, the
// vectors' exp, log and tanh are off by up to 1.3 ulp: 2 are allowed here, and 2 for the kernels' own.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createKernels, GEMM_ACCUMULATE, gemmScratchBytes } from "../src/kernels.ts";

/** Spacing of f32 numbers just above 1: an error of 1 ulp is at most this much of the value. */
const ULP = 2 ** -23;

interface Tensor {
  shape: number[];
  data: number[];
}

interface NodeTest {
  name: string;
  op: string;
  attributes: Record<string, number | string>;
  tensors: Record<string, Tensor>;
}

/** Numbers stand in the file as the shortest decimals that name an f32. */
const asF32 = (_: string, value: unknown) => (typeof value === "number" ? Math.fround(value) : value);
const tests: NodeTest[] = JSON.parse(readFileSync(new URL("./goldens/onnx.json", import.meta.url), "utf8"), asF32);

const space = createKernels({ bytes: 1 << 22 });
const { kernels } = space;

const block = (values: ArrayLike<number>) => {
  const view = space.f32(values.length);
  view.set(values);
  return view;
};
const hole = (n: number) => space.f32(n).fill(Number.NaN);
const attribute = (t: NodeTest, name: string, preset: number) => Number(t.attributes[name] ?? preset);

/** |actual - expected| <= bound(i) everywhere; reports the worst element. */
function expectWithin(
  name: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  bound: (i: number) => number,
) {
  expect(actual.length, `length of ${name}`).toBe(expected.length);
  let worst = 0;
  let at = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    const share = difference === 0 ? 0 : difference / bound(i);
    if (!(share <= worst)) [worst, at] = [share, i];
    if (Number.isNaN(share)) break;
  }
  const message = `${name}[${at}] is ${actual[at]}, expected ${expected[at]}: ${worst.toFixed(2)} of the bound`;
  expect(worst, message).toBeLessThanOrEqual(1);
}

interface Elementwise {
  run: (n: number, x: number, y: number, t: NodeTest) => void;
  /** Relative to |y|, and absolute. */
  relative: number;
  absolute?: (t: NodeTest) => number;
}

const SELU_SCALE = 1.0507 * 1.6733;
const elementwise: Record<string, Elementwise> = {
  Relu: { run: kernels.relu, relative: 0 },
  // One rounding on each side.
  LeakyRelu: { run: (n, x, y, t) => kernels.leaky_relu(n, x, y, attribute(t, "alpha", 0.01)), relative: ULP },
  // The vectors come from alpha (exp(x) - 1): below 1 an ulp is ULP / 2; exp, the difference and the product.
  Elu: {
    run: (n, x, y, t) => kernels.elu(n, x, y, attribute(t, "alpha", 1)),
    relative: 3 * ULP,
    absolute: (t) => 3 * (ULP / 2) * attribute(t, "alpha", 1),
  },
  // The same, with one more rounding for the scaled exp.
  Selu: { run: kernels.selu, relative: 3 * ULP, absolute: () => 4 * (ULP / 2) * SELU_SCALE },
  // The vectors come from log(exp(x) + 1): the sum's relative error, exp's and a rounding, is log's absolute one.
  Softplus: { run: kernels.softplus, relative: 4 * ULP, absolute: () => 2.5 * ULP },
  // The vectors come from 1 / (1 + exp(-x)): exp and two roundings.
  Sigmoid: { run: kernels.sigmoid, relative: 5 * ULP },
  Tanh: { run: kernels.tanh, relative: 4 * ULP },
  Exp: { run: kernels.exp, relative: 4 * ULP },
  Log: { run: kernels.log, relative: 4 * ULP },
  // The vectors are f64 results, rounded once.
  Erf: { run: kernels.erf, relative: 2.5 * ULP },
};

function checkElementwise(t: NodeTest) {
  const { run, relative, absolute } = elementwise[t.op];
  const [x, expected] = Object.values(t.tensors);
  const input = block(x.data);
  const output = hole(x.data.length);
  run(output.length, input.byteOffset, output.byteOffset, t);
  expectWithin("y", output, expected.data, (i) => relative * Math.abs(expected.data[i]) + (absolute?.(t) ?? 0));
}

/** Over the last axis. On both sides: exp, the rounding of its argument, n - 1 additions and a division. */
function checkSoftmax(t: NodeTest) {
  const [x, expected] = Object.values(t.tensors);
  const n = x.shape[x.shape.length - 1];
  const input = block(x.data);
  const output = hole(x.data.length);
  kernels.softmax(output.length / n, n, input.byteOffset, n, output.byteOffset, n);
  const range = Math.min(Math.max(...x.data) - Math.min(...x.data), 88);
  expectWithin("y", output, expected.data, (i) => (4 + n + range) * ULP * expected.data[i]);
}

/** A vector or scalar C is the kernel's bias, a matrix C what it accumulates on. */
function checkGemm(t: NodeTest) {
  const inputs = Object.values(t.tensors);
  const expected = inputs.pop() as Tensor;
  const [a, b, c] = inputs;
  const [m, n] = expected.shape;
  const transA = t.attributes.transA === 1;
  const transB = t.attributes.transB === 1;
  const k = transA ? a.shape[0] : a.shape[1];
  const sgemm = transA ? kernels.sgemm_tn : transB ? kernels.sgemm_nt : kernels.sgemm_nn;
  const addend = (i: number) => c?.data[c.data.length === m * n ? i : c.data.length === n ? i % n : 0] ?? 0;
  const accumulate = c?.data.length === m * n;

  const output = accumulate ? block(c.data) : hole(m * n);
  const bias = c && !accumulate ? block(Array.from({ length: n }, (_, j) => addend(j))).byteOffset : 0;
  const scratch = space.f32(gemmScratchBytes(m, n, k) / 4);
  sgemm(
    m,
    n,
    k,
    block(a.data).byteOffset,
    a.shape[1],
    block(b.data).byteOffset,
    b.shape[1],
    output.byteOffset,
    n,
    bias,
    accumulate ? GEMM_ACCUMULATE : 0,
    scratch.byteOffset,
  );
  // Any order of k products and k additions errs by at most (k + 1) / 2 ulp of the sum of magnitudes: two such sides.
  expectWithin("y", output, expected.data, (i) => {
    const [row, column] = [Math.floor(i / n), i % n];
    let magnitude = Math.abs(addend(i));
    for (let p = 0; p < k; p++) {
      const left = a.data[transA ? p * m + row : row * k + p];
      magnitude += Math.abs(left * b.data[transB ? column * k + p : p * n + column]);
    }
    return (k + 1) * ULP * magnitude;
  });
}

/** ONNX weighs classes and ignores an index: here both are row weights. Its log_prob gives the gradient as well. */
function checkCrossEntropy(t: NodeTest) {
  const { x, y, w, z, log_prob: logProb } = t.tensors;
  const [rows, n] = x.shape;
  const ignored = t.attributes.ignore_index;
  const weights = y.data.map((label) => (label === ignored ? 0 : (w?.data[label] ?? 1)));
  const labels = space.i32(rows);
  labels.set(y.data);
  const logits = block(x.data);
  const dz = hole(rows * n);
  const out = space.f64(2).fill(Number.NaN);
  const run = (first: number, count: number) =>
    kernels.softmax_cross_entropy(
      count,
      n,
      logits.byteOffset + first * n * 4,
      n,
      labels.byteOffset + first * 4,
      block(weights.slice(first, first + count)).byteOffset,
      dz.byteOffset + first * n * 4,
      n,
      out.byteOffset,
    );
  // Row loss: the exps, their sum and the log on both sides, of numbers below 2 max(|z|, log n).
  const size = 2 * Math.max(...x.data.map(Math.abs), Math.log(n));
  const lossBound = (4 + n) * ULP * size;
  if (t.attributes.reduction === "none") {
    const losses = y.data.map((_, row) => {
      run(row, 1);
      return out[0];
    });
    expectWithin("loss", losses, z.data, () => lossBound);
    return;
  }
  run(0, rows);
  const total = weights.reduce((sum, v) => sum + v, 0);
  expectWithin("sum of weights", [out[1]], [total], () => ULP * total);
  if (t.attributes.reduction === "sum") expectWithin("loss", [out[0]], z.data, () => rows * lossBound);
  else expectWithin("loss", [out[0] / out[1]], z.data, () => lossBound);
  const gradient = logProb.data.map((lp, i) => {
    const row = Math.floor(i / n);
    return (weights[row] / total) * (Math.exp(lp) - (i % n === y.data[row] ? 1 : 0));
  });
  expectWithin("dz", dz, gradient, (i) => (weights[Math.floor(i / n)] / total) * lossBound);
}

interface UpdateRule {
  /** Names of the moments, in the order of the kernel's arguments. */
  moments: string[];
  run: (t: NodeTest, n: number, p: number, g: number, moments: number[], rate: number) => number;
}

const decay = (t: NodeTest) => attribute(t, "norm_coefficient", 0);

/** All at ONNX's step T = 0. Its norm_coefficient is the weight decay that is added to the gradient. */
const updateRules: Record<string, UpdateRule> = {
  // Without bias correction at T = 0 (PyTorch corrects from its first step on): c1 = c2 = 1, then both rules agree.
  // From T = 1 on ONNX adds epsilon before it corrects, PyTorch after.
  Adam: {
    moments: ["V", "H"],
    run: (t, n, p, g, [m, v], rate) =>
      kernels.adam_step(
        n,
        p,
        g,
        m,
        v,
        rate,
        attribute(t, "alpha", 0.9),
        attribute(t, "beta", 0.999),
        adamEpsilon(t),
        1,
        1,
        decay(t),
      ),
  },
  // ONNX's decay_factor shrinks the rate from T = 1 on.
  Adagrad: {
    moments: ["H"],
    run: (t, n, p, g, [sum], rate) => kernels.adagrad_step(n, p, g, sum, rate, attribute(t, "epsilon", 1e-6), decay(t)),
  },
  // ONNX scales the gradient by beta from T = 1 on; at T = 0 by 1, as PyTorch always.
  Momentum: {
    moments: ["V"],
    run: (t, n, p, g, [buf], rate) => {
      const nesterov = t.attributes.mode === "nesterov" ? 1 : 0;
      return kernels.sgd_momentum_step(n, p, g, buf, rate, attribute(t, "alpha", 0), nesterov, decay(t));
    },
  },
};

/** The vectors of adam_multiple were made with 0.01, which its node does not say. */
function adamEpsilon(t: NodeTest): number {
  return attribute(t, "epsilon", t.name === "adam_multiple" ? 1e-2 : 1e-6);
}

function checkUpdate(t: NodeTest) {
  const { moments, run } = updateRules[t.op];
  const { tensors } = t;
  expect(tensors.T.data[0]).toBe(0);
  // Every result is a sum of at most three products of a handful of factors, none of which cancel: 8 roundings a side.
  const bound = (expected: number[], start: number[]) => (i: number) =>
    8 * ULP * Math.max(Math.abs(expected[i]), Math.abs(start[i]));
  for (const suffix of "X" in tensors ? [""] : ["1", "2"]) {
    const start = tensors[`X${suffix}`].data;
    const p = block(start);
    const g = block(tensors[`G${suffix}`].data);
    // momentum_multiple calls its input velocities H.
    const before = moments.map((name) => (tensors[name + suffix] ?? tensors[`H${suffix}`]).data);
    const state = before.map(block);
    const addresses = state.map((view) => view.byteOffset);
    const failures = run(t, p.length, p.byteOffset, g.byteOffset, addresses, tensors.R.data[0]);
    expect(failures).toBe(0);
    const expected = tensors[`X${suffix}_new`].data;
    expectWithin(`X${suffix}_new`, p, expected, bound(expected, start));
    for (const [i, name] of moments.entries()) {
      const after = tensors[`${name}${suffix}_new`].data;
      expectWithin(`${name}${suffix}_new`, state[i], after, bound(after, before[i]));
    }
  }
}

function check(t: NodeTest) {
  space.reset();
  if (t.op in elementwise) return checkElementwise(t);
  if (t.op in updateRules) return checkUpdate(t);
  if (t.op === "Softmax") return checkSoftmax(t);
  if (t.op === "Gemm" || t.op === "MatMul") return checkGemm(t);
  if (t.op === "SoftmaxCrossEntropyLoss") return checkCrossEntropy(t);
  throw new Error(`No kernel for ${t.op}.`);
}

describe("ONNX operator tests", () => {
  it.each(tests.map((t) => [t.name, t] as const))("%s", (_, t) => check(t));
});
