// Optimizer steps in f64, in place, as PyTorch writes them. `p` and the moments are written, `g` is read.

export function sgd(p: Float64Array, g: ArrayLike<number>, lr: number, weightDecay: number): void {
  for (let i = 0; i < p.length; i++) p[i] -= lr * (g[i] + weightDecay * p[i]);
}

export function sgdMomentum(
  p: Float64Array,
  g: ArrayLike<number>,
  buf: Float64Array,
  lr: number,
  momentum: number,
  nesterov: boolean,
  weightDecay: number,
): void {
  for (let i = 0; i < p.length; i++) {
    const d = g[i] + weightDecay * p[i];
    buf[i] = momentum * buf[i] + d;
    p[i] -= lr * (nesterov ? d + momentum * buf[i] : buf[i]);
  }
}

export function rmsprop(
  p: Float64Array,
  g: ArrayLike<number>,
  v: Float64Array,
  buf: Float64Array,
  lr: number,
  alpha: number,
  epsilon: number,
  momentum: number,
  weightDecay: number,
): void {
  for (let i = 0; i < p.length; i++) {
    const d = g[i] + weightDecay * p[i];
    v[i] = alpha * v[i] + (1 - alpha) * d * d;
    buf[i] = momentum * buf[i] + d / (Math.sqrt(v[i]) + epsilon);
    p[i] -= lr * buf[i];
  }
}

export function adagrad(
  p: Float64Array,
  g: ArrayLike<number>,
  sum: Float64Array,
  lr: number,
  epsilon: number,
  weightDecay: number,
): void {
  for (let i = 0; i < p.length; i++) {
    const d = g[i] + weightDecay * p[i];
    sum[i] += d * d;
    p[i] -= (lr * d) / (Math.sqrt(sum[i]) + epsilon);
  }
}

/** Adam, or AdamW where `decoupled`; t counts steps from 1. */
export function adam(
  p: Float64Array,
  g: ArrayLike<number>,
  m: Float64Array,
  v: Float64Array,
  t: number,
  lr: number,
  beta1: number,
  beta2: number,
  epsilon: number,
  weightDecay: number,
  decoupled: boolean,
): void {
  for (let i = 0; i < p.length; i++) {
    if (decoupled) p[i] -= lr * weightDecay * p[i];
    const d = decoupled ? g[i] : g[i] + weightDecay * p[i];
    m[i] = beta1 * m[i] + (1 - beta1) * d;
    v[i] = beta2 * v[i] + (1 - beta2) * d * d;
    const mHat = m[i] / (1 - beta1 ** t);
    const vHat = v[i] / (1 - beta2 ** t);
    p[i] -= (lr * mHat) / (Math.sqrt(vHat) + epsilon);
  }
}
