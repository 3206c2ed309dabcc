// Optimizer steps in plain JavaScript over flat arrays, in place: the formulas as PyTorch writes them, and loops that
// load and store each element once. Without weight decay but for AdamW.
import { adamDefaults } from "./network.ts";

/** p are parameters, g gradients, m and v two moments (what needs one takes either); t counts steps from 1. */
export type OptimizerStep = (
  p: Float32Array,
  g: Float32Array,
  m: Float32Array,
  v: Float32Array,
  t: number,
  learningRate: number,
) => void;

export type OptimizerName = "sgd" | "sgd, momentum" | "rmsprop" | "adagrad" | "adam" | "adamw";

/** PyTorch's defaults, and the customary momentum. */
export const optimizerDefaults = {
  ...adamDefaults,
  momentum: 0.9,
  alpha: 0.99,
  adagradEpsilon: 1e-10,
  weightDecay: 0.01,
};

const { beta1, beta2, epsilon, momentum, alpha, adagradEpsilon, weightDecay } = optimizerDefaults;

export const naiveOptimizers: Readonly<Record<OptimizerName, OptimizerStep>> = {
  sgd: (p, g, _m, _v, _t, learningRate) => {
    for (let i = 0; i < p.length; i++) p[i] -= learningRate * g[i];
  },
  "sgd, momentum": (p, g, m, _v, _t, learningRate) => {
    for (let i = 0; i < p.length; i++) {
      m[i] = momentum * m[i] + g[i];
      p[i] -= learningRate * m[i];
    }
  },
  rmsprop: (p, g, _m, v, _t, learningRate) => {
    for (let i = 0; i < p.length; i++) {
      v[i] = alpha * v[i] + (1 - alpha) * g[i] * g[i];
      p[i] -= (learningRate * g[i]) / (Math.sqrt(v[i]) + epsilon);
    }
  },
  adagrad: (p, g, _m, v, _t, learningRate) => {
    for (let i = 0; i < p.length; i++) {
      v[i] += g[i] * g[i];
      p[i] -= (learningRate * g[i]) / (Math.sqrt(v[i]) + adagradEpsilon);
    }
  },
  adam: (p, g, m, v, t, learningRate) => {
    const c1 = 1 - beta1 ** t;
    const c2 = 1 - beta2 ** t;
    for (let i = 0; i < p.length; i++) {
      m[i] = beta1 * m[i] + (1 - beta1) * g[i];
      v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
      p[i] -= (learningRate * (m[i] / c1)) / (Math.sqrt(v[i] / c2) + epsilon);
    }
  },
  adamw: (p, g, m, v, t, learningRate) => {
    const c1 = 1 - beta1 ** t;
    const c2 = 1 - beta2 ** t;
    for (let i = 0; i < p.length; i++) {
      p[i] -= learningRate * weightDecay * p[i];
      m[i] = beta1 * m[i] + (1 - beta1) * g[i];
      v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
      p[i] -= (learningRate * (m[i] / c1)) / (Math.sqrt(v[i] / c2) + epsilon);
    }
  },
};

/** p <- keep * p - rate * m / (sqrt(v) + eps): Adam's bias corrections are folded into rate and eps. */
const adaptive =
  (decay: number): OptimizerStep =>
  (p, g, m, v, t, learningRate) => {
    const keep = 1 - learningRate * decay;
    const root = Math.sqrt(1 - beta2 ** t);
    const rate = (learningRate * root) / (1 - beta1 ** t);
    const eps = epsilon * root;
    const n = p.length;
    for (let i = 0; i < n; i++) {
      const gi = g[i];
      const mi = beta1 * m[i] + (1 - beta1) * gi;
      const vi = beta2 * v[i] + (1 - beta2) * gi * gi;
      m[i] = mi;
      v[i] = vi;
      p[i] = keep * p[i] - (rate * mi) / (Math.sqrt(vi) + eps);
    }
  };

export const tunedOptimizers: Readonly<Record<OptimizerName, OptimizerStep>> = {
  sgd: (p, g, _m, _v, _t, learningRate) => {
    const n = p.length;
    let i = 0;
    for (; i + 3 < n; i += 4) {
      p[i] -= learningRate * g[i];
      p[i + 1] -= learningRate * g[i + 1];
      p[i + 2] -= learningRate * g[i + 2];
      p[i + 3] -= learningRate * g[i + 3];
    }
    for (; i < n; i++) p[i] -= learningRate * g[i];
  },
  "sgd, momentum": (p, g, m, _v, _t, learningRate) => {
    const n = p.length;
    for (let i = 0; i < n; i++) {
      const mi = momentum * m[i] + g[i];
      m[i] = mi;
      p[i] -= learningRate * mi;
    }
  },
  rmsprop: (p, g, _m, v, _t, learningRate) => {
    const n = p.length;
    for (let i = 0; i < n; i++) {
      const gi = g[i];
      const vi = alpha * v[i] + (1 - alpha) * gi * gi;
      v[i] = vi;
      p[i] -= (learningRate * gi) / (Math.sqrt(vi) + epsilon);
    }
  },
  adagrad: (p, g, _m, v, _t, learningRate) => {
    const n = p.length;
    for (let i = 0; i < n; i++) {
      const gi = g[i];
      const vi = v[i] + gi * gi;
      v[i] = vi;
      p[i] -= (learningRate * gi) / (Math.sqrt(vi) + adagradEpsilon);
    }
  },
  adam: adaptive(0),
  adamw: adaptive(weightDecay),
};
