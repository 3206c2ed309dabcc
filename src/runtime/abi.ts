// The one place where TypeScript meets the kernels' exports (assembly/index.ts). A test compares the two.
//
// Conventions: matrices are row-major; `ld*` is the leading dimension in elements; addresses (`x`, `y`, `a`, ...)
// are byte offsets into the linear memory, 4-byte aligned; everything else counts elements. A `d` prefix is
// the gradient of the loss. Elementwise kernels may run in place (y = x, dx = dy). No kernel reads or writes past
// its operands, except that reads may run up to 16 bytes past a matrix's end (the arena keeps them spare).

/** Bits of sgemm's `flags`. */
export const GEMM_ACCUMULATE = 1;
/** ReLU is applied to C. */
export const GEMM_RELU = 2;
/** C's rows may be overwritten up to the next multiple of 4 columns: quicker tails in a padded private buffer. */
export const GEMM_PADDED = 4;

/** C[m,n] = A B (+ bias or + C), then ReLU if asked. nn: A[m,k] B[k,n]; nt: A[m,k] B[n,k]; tn: A[k,m] B[k,n].
 *  `bias` f32[n] or 0 (must be 0 with GEMM_ACCUMULATE); without GEMM_ACCUMULATE C is never read.
 *  `scratch` has gemmScratchBytes(m, n, k) bytes, 16-byte aligned. */
export type Sgemm = (
  m: number, n: number, k: number,
  a: number, lda: number, b: number, ldb: number, c: number, ldc: number,
  bias: number, flags: number, scratch: number,
) => void;

/** y = f(x) over n elements. */
export type Map1 = (n: number, x: number, y: number) => void;
/** y = f(x; parameter) over n elements. */
export type Map1Parameter = (n: number, x: number, y: number, parameter: number) => void;
/** dx = dy * f'(...) over n elements; `saved` is the activation's output or its input, as the kernel's name says. */
export type Map1Backward = (n: number, saved: number, dy: number, dx: number) => void;
/** The same with the activation's parameter. */
export type Map1ParameterBackward = (n: number, saved: number, dy: number, dx: number, parameter: number) => void;

/** A loss over rows x n outputs with its gradient. `weights` f32[rows] or 0 (all ones).
 *  `out` f64[2]: sum of weight * row loss, sum of weights. Row loss: the mean over the n outputs (cross-entropy: the row's loss).
 *  dz = d(out[0] / out[1]) / dz; dz may be z. `running` f64[5], zeros at first, or 0: sums go on from there to there, with
 *  the same bits however the rows are cut into calls. */
export type RowLoss = (
  rows: number, n: number, z: number, ldz: number,
  targets: number, ldt: number, weights: number, dz: number, lddz: number, out: number, running?: number,
) => void;

/** All kernels. Matrices are row-major. Units: addresses are byte offsets, 4-byte aligned; all else counts elements, `ld*`
 *  those from one row to the next. A `d` prefix is the gradient of the loss. Nothing is checked. */
export interface Kernels {
  sgemm_nn: Sgemm;
  sgemm_nt: Sgemm;
  sgemm_tn: Sgemm;
  /** out[j] = sum over rows of x[i, j]; added to out when acc is 1. */
  column_sums: (rows: number, n: number, x: number, ldx: number, out: number, acc: number) => void;

  exp: Map1;
  log: Map1;
  erf: Map1;

  relu: Map1;
  leaky_relu: Map1Parameter;
  elu: Map1Parameter;
  selu: Map1;
  gelu: Map1;
  silu: Map1;
  softplus: Map1;
  sigmoid: Map1;
  tanh: Map1;
  /** saved: input or output. */
  relu_backward: Map1Backward;
  /** saved: input, or output when slope >= 0. */
  leaky_relu_backward: Map1ParameterBackward;
  /** saved: output; alpha >= 0. */
  elu_backward: Map1ParameterBackward;
  /** saved: output. */
  selu_backward: Map1Backward;
  /** saved: input. */
  gelu_backward: Map1Backward;
  /** saved: input. */
  silu_backward: Map1Backward;
  /** saved: input. */
  softplus_backward: Map1Backward;
  /** saved: output. */
  sigmoid_backward: Map1Backward;
  /** saved: output. */
  tanh_backward: Map1Backward;

  /** Each row of y[rows, n] = softmax of that row of x; y may be x. */
  softmax: (rows: number, n: number, x: number, ldx: number, y: number, ldy: number) => void;
  /** dx = y * (dy - sum(dy * y)) by rows; dx may be dy. */
  softmax_backward: (rows: number, n: number, y: number, ldy: number, dy: number, lddy: number, dx: number, lddx: number) => void;

  // Normalization: h = (x - mean) r, r = 1 / sqrt(variance + epsilon), y = h * gamma + beta. Rows of h, y and dx and the
  // batch's statistics are written up to the next multiple of 4 columns. h may be x, y may be h, dx may be dy.
  /** By rows; writes r f32[rows]. */
  layer_norm: (
    rows: number, n: number, x: number, ldx: number, gamma: number, beta: number, epsilon: number, r: number,
    h: number, ldh: number, y: number, ldy: number,
  ) => void;
  /** dx of each row, from h and r of layer_norm; dx may be dy. */
  layer_norm_backward: (
    rows: number, n: number, h: number, ldh: number, r: number, gamma: number,
    dy: number, lddy: number, dx: number, lddx: number,
  ) => void;
  /** By columns; with training 1 by the batch's own mean and variance (over rows - 1), which are written; writes r f32[n]. */
  batch_norm: (
    rows: number, n: number, x: number, ldx: number, gamma: number, beta: number, epsilon: number,
    mean: number, variance: number, r: number, h: number, ldh: number, y: number, ldy: number, training: number,
  ) => void;
  /** dgamma = column sums of dy * h, dbeta = column sums of dy (of layer_norm too), added when acc is 1, and dx; each is
   *  left out where its address is 0. */
  batch_norm_backward: (
    rows: number, n: number, h: number, ldh: number, dy: number, lddy: number, gamma: number, r: number,
    dgamma: number, dbeta: number, acc: number, dx: number, lddx: number, training: number,
  ) => void;
  /** average = (1 - momentum) * average + momentum * x, where that is finite. */
  moving_average: (n: number, average: number, x: number, momentum: number) => void;

  /** Softmax and cross-entropy on logits z; labels i32[rows] in 0..n-1. */
  softmax_cross_entropy: (
    rows: number, n: number, z: number, ldz: number,
    labels: number, weights: number, dz: number, lddz: number, out: number, running?: number,
  ) => void;
  /** The same with target rows (one-hot or probabilities, any sum): loss = sum_j t_j * (logsumexp(z) - z_j). */
  softmax_cross_entropy_dense: RowLoss;
  /** Sigmoid and binary cross-entropy on logits z, targets in [0, 1]. */
  sigmoid_binary_cross_entropy: RowLoss;
  mean_squared_error: RowLoss;
  mean_absolute_error: RowLoss;
  /** PyTorch's huber: 0.5 d^2 where |d| <= delta, else delta (|d| - delta / 2). */
  huber: (
    rows: number, n: number, z: number, ldz: number,
    targets: number, ldt: number, weights: number, dz: number, lddz: number, out: number, delta: number,
    running?: number,
  ) => void;

  /** y f32[rows, n] = one-hot rows of the labels, smoothed: (1 - epsilon) * t + epsilon / n. */
  smooth_labels: (rows: number, n: number, labels: number, y: number, ldy: number, epsilon: number) => void;
  /** y f32[rows, n] = (1 - epsilon) * x + epsilon / n. */
  smooth_rows: (rows: number, n: number, x: number, ldx: number, y: number, ldy: number, epsilon: number) => void;

  /** Index of each row's first largest element, i32[rows]. */
  argmax: (rows: number, n: number, x: number, ldx: number, out: number) => void;
  /** How many rows of x have their first largest element at labels[i]. */
  count_correct: (rows: number, n: number, x: number, ldx: number, labels: number) => number;
  /** How many rows of x and of the targets have their first largest element at the same place. */
  count_correct_dense: (rows: number, n: number, x: number, ldx: number, targets: number, ldt: number) => number;
  /** How many elements satisfy (x > threshold) == (target > 0.5). */
  count_correct_binary: (
    rows: number, n: number, x: number, ldx: number, targets: number, ldt: number, threshold: number,
  ) => number;

  /** Index of the first NaN or infinity among n elements, or -1. */
  first_non_finite: (n: number, x: number) => number;
  /** The largest |x| of n elements; infinity or NaN when any element is; 0 when n is 0. */
  largest_magnitude: (n: number, x: number) => number;
  /** x[i] = value. */
  fill: (n: number, x: number, value: number) => void;
  /** y[i] = table[index[i]] for f32 indices ldi elements apart, whole and below the table's rows: nothing checks them. */
  gather_rows: (
    rows: number, n: number, index: number, ldi: number, table: number, ldt: number, y: number, ldy: number,
  ) => void;
  /** dtable[index[i]] += dy[i], in the order of i. */
  scatter_rows: (
    rows: number, n: number, index: number, ldi: number, dy: number, lddy: number, dtable: number, lddt: number,
  ) => void;
  /** out = x + y; out may be x or y. */
  add: (n: number, x: number, y: number, out: number) => void;
  /** y[rows, n] = x[rows, n] with other leading dimensions. */
  copy_matrix: (rows: number, n: number, x: number, ldx: number, y: number, ldy: number) => void;

  // Optimizer steps over flat f32[n] blocks, p and the moments in place; scalars arrive in f64. Stored moments are
  // never denormal. An element whose new value would not be finite keeps its old p and moments; the result is the
  // number of such elements (0 is success).
  /** p -= lr * g; weightDecay * p is added to g before, here and in those that follow. */
  sgd_step: (n: number, p: number, g: number, lr: number, weightDecay: number) => number;
  /** buf = momentum * buf + g; p -= lr * (nesterov ? g + momentum * buf : buf). */
  sgd_momentum_step: (
    n: number, p: number, g: number, buf: number, lr: number, momentum: number, nesterov: number, weightDecay: number,
  ) => number;
  /** `buf` is 0 when momentum is 0. */
  rmsprop_step: (
    n: number, p: number, g: number, v: number, buf: number,
    lr: number, alpha: number, epsilon: number, momentum: number, weightDecay: number,
  ) => number;
  /** sum += g^2; p -= lr * g / (sqrt(sum) + epsilon). */
  adagrad_step: (n: number, p: number, g: number, sum: number, lr: number, epsilon: number, weightDecay: number) => number;
  /** c1 = 1 / (1 - beta1^t), c2 = 1 / (1 - beta2^t), t from 1; weightDecay is added to the gradient. */
  adam_step: (
    n: number, p: number, g: number, m: number, v: number,
    lr: number, beta1: number, beta2: number, epsilon: number, c1: number, c2: number, weightDecay: number,
  ) => number;
  /** As adam_step, weight decay decoupled: p -= lr * weightDecay * p first. */
  adamw_step: Kernels["adam_step"];

  /** out f64[1] = sum of the squares of n elements, plus out when acc is 1. */
  sum_squares: (n: number, x: number, out: number, acc: number) => void;
  /** x *= min(1, limit / (sqrt(sum) + 1e-6)) over n elements; `sum` f64[1]. */
  clip_norm: (n: number, x: number, sum: number, limit: number) => void;
  /** x within -limit..limit over n elements. */
  clip_value: (n: number, x: number, limit: number) => void;

  // Philox 4x32-10. Element i of a fill takes word i % 4 of block floor(i / 4) at counter
  // (block, index, stream, purpose) under the key (seedLow, seedHigh): independent of how a fill is cut.
  /** n words from element `first` of the stream. */
  philox_u32: (
    n: number, out: number, seedLow: number, seedHigh: number, purpose: number, stream: number, index: number, first: number,
  ) => void;
  /** Uniform in [low, high). */
  philox_uniform: (
    n: number, out: number, seedLow: number, seedHigh: number, purpose: number, stream: number, index: number,
    low: number, high: number,
  ) => void;
  /** Normal, Box-Muller, not truncated. */
  philox_normal: (
    n: number, out: number, seedLow: number, seedHigh: number, purpose: number, stream: number, index: number,
    mean: number, deviation: number,
  ) => void;
  /** y = scale * x where philox_uniform in [0, 1) is at least `rate`, else 0; y may be x. `first` is the position of
   *  the first element, a multiple of 4. */
  dropout: (
    n: number, x: number, y: number, first: number,
    seedLow: number, seedHigh: number, purpose: number, stream: number, index: number, rate: number, scale: number,
  ) => void;

  /** First byte that the kernels' own tables do not use. */
  heap_base: () => number;
}

/** Beside some of the others in the build that only predicts (assembly/infer.ts). */
export interface InferKernels {
  /** As sgemm_nn, with its bits, for k > 0 and without GEMM_ACCUMULATE: B lies as pack_panels puts it.
   *  `scratch` has packedScratchBytes(m, k) bytes, 16-byte aligned. */
  sgemm_packed: (
    m: number, n: number, k: number,
    a: number, lda: number, b: number, c: number, ldc: number,
    bias: number, flags: number, scratch: number,
  ) => void;
  /** Rows f32[rows,n] of a B, the first of them at `first` of a block of kc rows (KC, but for the last block), into that
   *  block, f32[kc * n]. */
  pack_panels: (rows: number, n: number, from: number, first: number, kc: number, to: number) => void;
}

/** The kernels' own tables end below this address; arenas start here. */
export const ARENA_BASE = 4096;

/** The kernels by name. */
export type KernelName = keyof Kernels;
