// Activations and their derivatives in f64, written from their definitions.

export const SELU_SCALE = 1.0507009873554804934193349852946;
export const SELU_ALPHA = 1.6732632423543772848170429916717;

export const ACTIVATION_KINDS = [
  "linear",
  "relu",
  "leaky-relu",
  "elu",
  "selu",
  "gelu",
  "silu",
  "softplus",
  "sigmoid",
  "tanh",
] as const;

export type ActivationKind = (typeof ACTIVATION_KINDS)[number];

/** Relative error near 1e-16. Source: Abramowitz & Stegun 7.1.6 below 2, 1 - erfc above. */
export function erf(x: number): number {
  if (Math.abs(x) >= 2) return Math.sign(x) * (1 - erfcTail(Math.abs(x)));
  // All terms have one sign, so nothing cancels.
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

export function erfc(x: number): number {
  return x >= 2 ? erfcTail(x) : 1 - erf(x);
}

/** erfc for x >= 2. Source: Abramowitz & Stegun 7.1.14, the continued fraction from its far end. */
function erfcTail(x: number): number {
  if (x === Number.POSITIVE_INFINITY) return 0;
  let fraction = x;
  for (let n = 60; n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}

export const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
export const normalCdf = (x: number): number => erfc(-x / Math.SQRT2) / 2;
const normalDensity = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

/** y = f(x; parameter); where the formula is Inf * 0, its limit. */
export const forward: Record<ActivationKind, (x: number, parameter: number) => number> = {
  linear: (x) => x,
  relu: (x) => (x > 0 || Number.isNaN(x) ? x : 0),
  "leaky-relu": (x, slope) => (x > 0 ? x : slope * x),
  elu: (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x)),
  selu: (x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * Math.expm1(x)),
  gelu: (x) => (x === Number.NEGATIVE_INFINITY ? 0 : x * normalCdf(x)),
  silu: (x) => (x === Number.NEGATIVE_INFINITY ? 0 : x * sigmoid(x)),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  sigmoid,
  tanh: Math.tanh,
};

/** dy/dx at the input x. */
export const derivative: Record<ActivationKind, (x: number, parameter: number) => number> = {
  linear: () => 1,
  relu: (x) => (x > 0 ? 1 : 0),
  "leaky-relu": (x, slope) => (x > 0 ? 1 : slope),
  elu: (x, alpha) => (x > 0 ? 1 : alpha * Math.exp(x)),
  selu: (x) => SELU_SCALE * (x > 0 ? 1 : SELU_ALPHA * Math.exp(x)),
  gelu: (x) => normalCdf(x) + x * normalDensity(x),
  silu: (x) => sigmoid(x) * (1 + x * sigmoid(-x)),
  softplus: sigmoid,
  sigmoid: (x) => sigmoid(x) * sigmoid(-x),
  tanh: (x) => (1 - Math.tanh(x)) * (1 + Math.tanh(x)),
};

/** dy/dx at the output y, for the activations whose output tells it. */
export const derivativeFromOutput = {
  relu: (y: number) => (y > 0 ? 1 : 0),
  "leaky-relu": (y: number, slope: number) => (y > 0 ? 1 : slope),
  elu: (y: number, alpha: number) => (y > 0 ? 1 : y + alpha),
  selu: (y: number) => (y > 0 ? SELU_SCALE : y + SELU_SCALE * SELU_ALPHA),
  sigmoid: (y: number) => y * (1 - y),
  tanh: (y: number) => (1 - y) * (1 + y),
};

/** Activations with a corner at 0, where no derivative exists. */
export const KINKED: ReadonlySet<ActivationKind> = new Set(["relu", "leaky-relu", "elu", "selu"]);

/** Softmax by rows of x[rows, n]. */
export function softmax(rows: number, n: number, x: ArrayLike<number>): Float64Array {
  const y = new Float64Array(rows * n);
  for (let i = 0; i < rows; i++) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < n; j++) largest = Math.max(largest, x[i * n + j]);
    let sum = 0;
    for (let j = 0; j < n; j++) sum += y[i * n + j] = Math.exp(x[i * n + j] - largest);
    for (let j = 0; j < n; j++) y[i * n + j] /= sum;
  }
  return y;
}

/** dx = y * (dy - sum(dy * y)) by rows. */
export function softmaxBackward(rows: number, n: number, y: ArrayLike<number>, dy: ArrayLike<number>): Float64Array {
  const dx = new Float64Array(rows * n);
  for (let i = 0; i < rows; i++) {
    let dot = 0;
    for (let j = 0; j < n; j++) dot += y[i * n + j] * dy[i * n + j];
    for (let j = 0; j < n; j++) dx[i * n + j] = y[i * n + j] * (dy[i * n + j] - dot);
  }
  return dx;
}
