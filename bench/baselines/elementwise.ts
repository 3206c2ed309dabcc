// Activations in plain JavaScript, y = f(x): loops over Math, and loops as fast as we could make them.
import { exponential } from "./exponential.ts";

type Loop = (x: Float32Array, y: Float32Array) => void;

export type ActivationName = "exp" | "sigmoid" | "tanh" | "relu" | "gelu";

/** erf by Abramowitz and Stegun 7.1.26, |error| <= 1.5e-7, given exp(-x^2): Math has none. */
function erf(x: number, ofSquare: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const polynomial = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const y = 1 - polynomial * ofSquare;
  return x < 0 ? -y : y;
}

export const naiveActivations: Readonly<Record<ActivationName, Loop>> = {
  exp: (x, y) => {
    for (let i = 0; i < x.length; i++) y[i] = Math.exp(x[i]);
  },
  sigmoid: (x, y) => {
    for (let i = 0; i < x.length; i++) y[i] = 1 / (1 + Math.exp(-x[i]));
  },
  tanh: (x, y) => {
    for (let i = 0; i < x.length; i++) y[i] = Math.tanh(x[i]);
  },
  relu: (x, y) => {
    for (let i = 0; i < x.length; i++) y[i] = Math.max(x[i], 0);
  },
  gelu: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const z = x[i] * Math.SQRT1_2;
      y[i] = 0.5 * x[i] * (1 + erf(z, Math.exp(-z * z)));
    }
  },
};

export const tunedActivations: Readonly<Record<ActivationName, Loop>> = {
  exp: (x, y) => {
    const n = x.length;
    for (let i = 0; i < n; i++) y[i] = exponential(x[i]);
  },
  sigmoid: (x, y) => {
    const n = x.length;
    for (let i = 0; i < n; i++) y[i] = 1 / (1 + exponential(-x[i]));
  },
  tanh: (x, y) => {
    const n = x.length;
    for (let i = 0; i < n; i++) y[i] = 1 - 2 / (1 + exponential(2 * x[i]));
  },
  relu: (x, y) => {
    const n = x.length;
    for (let i = 0; i < n; i++) {
      const v = x[i];
      y[i] = 0.5 * (v + Math.abs(v));
    }
  },
  gelu: (x, y) => {
    const n = x.length;
    for (let i = 0; i < n; i++) {
      const v = x[i];
      const z = v * Math.SQRT1_2;
      y[i] = 0.5 * v * (1 + erf(z, exponential(-z * z)));
    }
  },
};
