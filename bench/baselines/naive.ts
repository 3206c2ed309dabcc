// The straightforward baseline: typed arrays, the formulas as loops in their natural order, nothing allocated in a
// step. What a competent person writes first.
import { adamDefaults, type CreateNetwork, layerViews, parameterCount } from "./network.ts";
import { naiveOptimizers } from "./optimizers.ts";

/** y[rows, out] = x[rows, in] w[in, out] + b, then ReLU if asked. */
function dense(
  rows: number,
  inputs: number,
  outputs: number,
  x: Float32Array,
  w: Float32Array,
  b: Float32Array,
  y: Float32Array,
  relu: boolean,
): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < outputs; j++) {
      let sum = b[j];
      for (let k = 0; k < inputs; k++) sum += x[i * inputs + k] * w[k * outputs + j];
      y[i * outputs + j] = relu ? Math.max(sum, 0) : sum;
    }
  }
}

/** dw = x^T dy and db = the column sums of dy. */
function denseGradients(
  rows: number,
  inputs: number,
  outputs: number,
  x: Float32Array,
  dy: Float32Array,
  dw: Float32Array,
  db: Float32Array,
): void {
  for (let k = 0; k < inputs; k++) {
    for (let j = 0; j < outputs; j++) {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += x[i * inputs + k] * dy[i * outputs + j];
      dw[k * outputs + j] = sum;
    }
  }
  for (let j = 0; j < outputs; j++) {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += dy[i * outputs + j];
    db[j] = sum;
  }
}

/** dx = dy w^T where the ReLU whose output is x was open, else 0. */
function denseInputGradient(
  rows: number,
  inputs: number,
  outputs: number,
  x: Float32Array,
  w: Float32Array,
  dy: Float32Array,
  dx: Float32Array,
): void {
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inputs; k++) {
      let sum = 0;
      for (let j = 0; j < outputs; j++) sum += dy[i * outputs + j] * w[k * outputs + j];
      dx[i * inputs + k] = x[i * inputs + k] > 0 ? sum : 0;
    }
  }
}

/** Each row of z becomes its softmax, in place. */
function softmax(rows: number, n: number, z: Float32Array): void {
  for (let i = 0; i < rows; i++) {
    let max = -Infinity;
    for (let j = 0; j < n; j++) max = Math.max(max, z[i * n + j]);
    let sum = 0;
    for (let j = 0; j < n; j++) sum += z[i * n + j] = Math.exp(z[i * n + j] - max);
    for (let j = 0; j < n; j++) z[i * n + j] /= sum;
  }
}

/** Mean cross-entropy of probabilities p; dz = its gradient in the logits. */
function crossEntropy(rows: number, n: number, p: Float32Array, labels: Int32Array, dz: Float32Array): number {
  let loss = 0;
  for (let i = 0; i < rows; i++) {
    loss -= Math.log(Math.max(p[i * n + labels[i]], 1e-38));
    for (let j = 0; j < n; j++) dz[i * n + j] = (p[i * n + j] - (j === labels[i] ? 1 : 0)) / rows;
  }
  return loss / rows;
}

export const createNaive: CreateNetwork = (sizes, maxBatch, learningRate = adamDefaults.learningRate) => {
  const count = parameterCount(sizes);
  const [p, g, m, v] = Array.from({ length: 4 }, () => new Float32Array(count));
  const parameters = layerViews(sizes, p);
  const gradients = layerViews(sizes, g);
  const layers = parameters.length;
  const outputs = sizes.slice(1).map((n) => new Float32Array(maxBatch * n));
  const deltas = sizes.slice(1).map((n) => new Float32Array(maxBatch * n));
  const classes = sizes[layers];
  let t = 0;

  function forward(x: Float32Array, rows: number): Float32Array {
    for (let l = 0; l < layers; l++) {
      const input = l === 0 ? x : outputs[l - 1];
      const { kernel, bias } = parameters[l];
      dense(rows, sizes[l], sizes[l + 1], input, kernel, bias, outputs[l], l < layers - 1);
    }
    const y = outputs[layers - 1];
    softmax(rows, classes, y);
    return y.subarray(0, rows * classes);
  }

  function step(x: Float32Array, labels: Int32Array, rows: number): number {
    forward(x, rows);
    const loss = crossEntropy(rows, classes, outputs[layers - 1], labels, deltas[layers - 1]);
    for (let l = layers - 1; l >= 0; l--) {
      const input = l === 0 ? x : outputs[l - 1];
      denseGradients(rows, sizes[l], sizes[l + 1], input, deltas[l], gradients[l].kernel, gradients[l].bias);
      if (l > 0)
        denseInputGradient(rows, sizes[l], sizes[l + 1], input, parameters[l].kernel, deltas[l], deltas[l - 1]);
    }
    naiveOptimizers.adam(p, g, m, v, ++t, learningRate);
    return loss;
  }

  return { sizes, parameters, gradients, moments: [m, v], step, forward };
};
