// Activations against loops over Math, and Adam on denormal moments against Adam on normal ones.
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

/** The moments are filled before every step; `gradient` 0 leaves them to decay, as a dead unit's do. */
function adamStep(moment: number, gradient: number): Trial {
  const { kernels, f32 } = createKernels();
  const [p, g, m, v] = Array.from({ length: 4 }, () => f32(ELEMENTS));
  const random = createRandom(9);
  for (let i = 0; i < ELEMENTS; i++) g[i] = gradient * (2 * random() - 1);
  p.fill(1);
  const [pp, pg, pm, pv] = [p, g, m, v].map(({ byteOffset }) => byteOffset);
  const step = () => kernels.adam_step(ELEMENTS, pp, pg, pm, pv, 1e-3, 0.9, 0.999, 1e-8, 1, 1, 0);
  const prepare = () => {
    m.fill(moment);
    v.fill(moment);
  };
  return {
    check: () => {
      prepare();
      if (step() !== 0) throw new Error("Expected every element to be updated.");
      const denormal = [...m, ...v].find((value) => value !== 0 && Math.abs(value) < 2 ** -126);
      if (denormal !== undefined) throw new Error(`Expected no denormal moment, received ${denormal}.`);
      return [];
    },
    prepare,
    run: step,
    units: ELEMENTS,
  };
}

const adam: Workload = {
  name: "adam denormal",
  title: "Adam step, moments filled before it",
  unit: "ns/element",
  contestants: {
    "1e-3": () => adamStep(1e-3, 1),
    "1e-39": () => adamStep(1e-39, 1),
    "1e-39, gradient 0": () => adamStep(1e-39, 0),
  },
};

export const elementwise: readonly Workload[] = [
  ...(Object.keys(functions) as (keyof typeof functions)[]).map(activation),
  adam,
];
