// What both plain-JavaScript baselines implement: a dense classifier (ReLU hidden layers, softmax with
// cross-entropy, Adam) on typed arrays. Kernels are [in, out] row-major, as simdgrad's.

export interface DenseParameters {
  kernel: Float32Array;
  bias: Float32Array;
}

export interface Network {
  readonly sizes: readonly number[];
  /** Live views, one a dense layer. */
  readonly parameters: readonly DenseParameters[];
  /** The last step's gradients, laid out as the parameters. */
  readonly gradients: readonly DenseParameters[];
  /** First and second moments of Adam over all parameters, in the order of `parameters`. */
  readonly moments: readonly [Float32Array, Float32Array];
  /** One training step on rows of x; the mean loss before it. */
  step(x: Float32Array, labels: Int32Array, rows: number): number;
  /** Class probabilities, rows x classes, in a view that the next call overwrites. */
  forward(x: Float32Array, rows: number): Float32Array;
}

export type CreateNetwork = (sizes: readonly number[], maxBatch: number, learningRate?: number) => Network;

/** PyTorch's defaults; both baselines and simdgrad's `adam()` use them. */
export const adamDefaults = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** One flat block cut into each layer's kernel and bias. */
export function layerViews(sizes: readonly number[], flat: Float32Array): DenseParameters[] {
  let offset = 0;
  const take = (length: number) => {
    offset += length;
    return flat.subarray(offset - length, offset);
  };
  return sizes.slice(1).map((out, i) => ({ kernel: take(sizes[i] * out), bias: take(out) }));
}

export function parameterCount(sizes: readonly number[]): number {
  return sizes.slice(1).reduce((sum, out, i) => sum + (sizes[i] + 1) * out, 0);
}

/** He-uniform kernels, zero biases. */
export function initialise(network: Network, random: () => number): void {
  network.parameters.forEach(({ kernel }, i) => {
    const limit = Math.sqrt(6 / network.sizes[i]);
    for (let j = 0; j < kernel.length; j++) kernel[j] = (2 * random() - 1) * limit;
  });
}

/** mulberry32: small, seeded, good enough for benchmark data. */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
