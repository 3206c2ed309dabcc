// The best plain JavaScript that we can write: see tunedGemm.ts for the products. Bias, ReLU and its derivative are
// applied as tiles are stored, softmax and cross-entropy are one pass, no step allocates.
import { exponential } from "./exponential.ts";
import { adamDefaults, type CreateNetwork, layerViews, parameterCount } from "./network.ts";
import { tunedOptimizers } from "./optimizers.ts";
import { BIAS, BIAS_RELU, gemm, MASK, STORE } from "./tunedGemm.ts";

/** Mean cross-entropy of softmax(z); dz = its gradient. */
function softmaxCrossEntropy(rows: number, n: number, z: Float32Array, labels: Int32Array, dz: Float32Array): number {
  const scale = 1 / rows;
  let loss = 0;
  for (let i = 0, p = 0; i < rows; i++, p += n) {
    let max = z[p];
    for (let j = 1; j < n; j++) {
      const v = z[(p + j) | 0];
      if (v > max) max = v;
    }
    let sum = 0;
    for (let j = 0; j < n; j++) {
      const e = exponential(z[(p + j) | 0] - max);
      sum += e;
      dz[(p + j) | 0] = e;
    }
    const label = (p + labels[i]) | 0;
    loss += Math.log(sum) + max - z[label];
    const r = scale / sum;
    for (let j = 0; j < n; j++) dz[(p + j) | 0] *= r;
    dz[label] -= scale;
  }
  return loss * scale;
}

/** Each row of z becomes its softmax, in place. */
function softmax(rows: number, n: number, z: Float32Array): void {
  for (let i = 0, p = 0; i < rows; i++, p += n) {
    let max = z[p];
    for (let j = 1; j < n; j++) {
      const v = z[(p + j) | 0];
      if (v > max) max = v;
    }
    let sum = 0;
    for (let j = 0; j < n; j++) {
      const e = exponential(z[(p + j) | 0] - max);
      sum += e;
      z[(p + j) | 0] = e;
    }
    const r = 1 / sum;
    for (let j = 0; j < n; j++) z[(p + j) | 0] *= r;
  }
}

/** out[j] = the sum of x's column j, four rows at a time. */
function columnSums(rows: number, n: number, x: Float32Array, out: Float32Array): void {
  for (let j = 0; j < n; j++) out[j] = 0;
  let i = 0;
  for (; i + 3 < rows; i += 4) {
    let p0 = (i * n) | 0;
    let p1 = (p0 + n) | 0;
    let p2 = (p1 + n) | 0;
    let p3 = (p2 + n) | 0;
    for (let j = 0; j < n; j++) out[j] += x[p0++] + x[p1++] + (x[p2++] + x[p3++]);
  }
  for (; i < rows; i++) for (let j = 0; j < n; j++) out[j] += x[i * n + j];
}

export const createTuned: CreateNetwork = (sizes, maxBatch, learningRate = adamDefaults.learningRate) => {
  const count = parameterCount(sizes);
  const [p, g, m, v] = Array.from({ length: 4 }, () => new Float32Array(count));
  const parameters = layerViews(sizes, p);
  const gradients = layerViews(sizes, g);
  const layers = parameters.length;
  const outputs = sizes.slice(1).map((n) => new Float32Array(maxBatch * n));
  const deltas = sizes.slice(1).map((n) => new Float32Array(maxBatch * n));
  const classes = sizes[layers];
  const logits = outputs[layers - 1];
  let t = 0;

  function run(x: Float32Array, rows: number): void {
    for (let l = 0; l < layers; l++) {
      const k = sizes[l];
      const n = sizes[l + 1];
      const { kernel, bias } = parameters[l];
      const mode = l < layers - 1 ? BIAS_RELU : BIAS;
      gemm(rows, n, k, l === 0 ? x : outputs[l - 1], k, 1, kernel, n, 1, outputs[l], n, mode, bias);
    }
  }

  function step(x: Float32Array, labels: Int32Array, rows: number): number {
    run(x, rows);
    const loss = softmaxCrossEntropy(rows, classes, logits, labels, deltas[layers - 1]);
    for (let l = layers - 1; l >= 0; l--) {
      const k = sizes[l];
      const n = sizes[l + 1];
      const input = l === 0 ? x : outputs[l - 1];
      const delta = deltas[l];
      const gradient = gradients[l];
      gemm(k, n, rows, input, 1, k, delta, n, 1, gradient.kernel, n, STORE, delta);
      columnSums(rows, n, delta, gradient.bias);
      if (l > 0) gemm(rows, k, n, delta, n, 1, parameters[l].kernel, 1, n, deltas[l - 1], k, MASK, input);
    }
    tunedOptimizers.adam(p, g, m, v, ++t, learningRate);
    return loss;
  }

  function forward(x: Float32Array, rows: number): Float32Array {
    run(x, rows);
    softmax(rows, classes, logits);
    return logits.subarray(0, rows * classes);
  }

  return { sizes, parameters, gradients, moments: [m, v], step, forward };
};
