// Activations against loops over Math.
import { createKernels } from "../../src/kernels.ts";
import { createRandom } from "../baselines/network.ts";
import type { Trial, Workload } from "../workload.ts";

/** 64 KB an array: in a second-level cache, as the activations of a layer are. */
const ELEMENTS = 16_384;
/** One sample is as many passes, so that the clock's resolution does not matter. */
const PASSES = 8;

/** erf by Abramowitz and Stegun 7.1.26, |error| <= 1.5e-7: Math has none. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const polynomial = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const y = 1 - polynomial * Math.exp(-x * x);
  return x < 0 ? -y : y;
}

const functions = {
  exp: (x: Float32Array, y: Float32Array) => {
    for (let i = 0; i < x.length; i++) y[i] = Math.exp(x[i]);
  },
  sigmoid: (x: Float32Array, y: Float32Array) => {
    for (let i = 0; i < x.length; i++) y[i] = 1 / (1 + Math.exp(-x[i]));
  },
  tanh: (x: Float32Array, y: Float32Array) => {
    for (let i = 0; i < x.length; i++) y[i] = Math.tanh(x[i]);
  },
  relu: (x: Float32Array, y: Float32Array) => {
    for (let i = 0; i < x.length; i++) y[i] = Math.max(x[i], 0);
  },
  gelu: (x: Float32Array, y: Float32Array) => {
    for (let i = 0; i < x.length; i++) y[i] = 0.5 * x[i] * (1 + erf(x[i] * Math.SQRT1_2));
  },
};

function trial(x: Float32Array, y: Float32Array, pass: () => void): Trial {
  const random = createRandom(5);
  for (let i = 0; i < x.length; i++) x[i] = 8 * random() - 4;
  return {
    check: () => {
      y.fill(Number.NaN);
      pass();
      return Array.from(y);
    },
    run: () => {
      for (let i = 0; i < PASSES; i++) pass();
    },
    units: ELEMENTS * PASSES,
  };
}

function activation(name: keyof typeof functions): Workload {
  return {
    name,
    title: `\`${name}\``,
    unit: "ns/element",
    reference: "Math",
    tolerance: 2e-6,
    contestants: {
      Math: () => {
        const x = new Float32Array(ELEMENTS);
        const y = new Float32Array(ELEMENTS);
        return trial(x, y, () => functions[name](x, y));
      },
      simdgrad: () => {
        const { kernels, f32 } = createKernels();
        const x = f32(ELEMENTS);
        const y = f32(ELEMENTS);
        return trial(x, y, () => kernels[name](ELEMENTS, x.byteOffset, y.byteOffset));
      },
    },
  };
}

export const elementwise: readonly Workload[] = (Object.keys(functions) as (keyof typeof functions)[]).map(activation);
