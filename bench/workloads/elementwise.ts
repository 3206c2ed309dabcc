// Activations against loops in plain JavaScript.
import { createKernels } from "../../src/kernels.ts";
import { type ActivationName, naiveActivations, tunedActivations } from "../baselines/elementwise.ts";
import { createRandom } from "../baselines/network.ts";
import type { Trial, Workload } from "../workload.ts";

/** 64 KB an array: in a second-level cache, as the activations of a layer are. */
const ELEMENTS = 16_384;
/** One sample is as many passes, so that the clock's resolution does not matter. */
const PASSES = 8;

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

function inArrays(loop: (x: Float32Array, y: Float32Array) => void): Trial {
  const x = new Float32Array(ELEMENTS);
  const y = new Float32Array(ELEMENTS);
  return trial(x, y, () => loop(x, y));
}

function simdgrad(name: ActivationName): Trial {
  const { kernels, f32 } = createKernels();
  const x = f32(ELEMENTS);
  const y = f32(ELEMENTS);
  return trial(x, y, () => kernels[name](ELEMENTS, x.byteOffset, y.byteOffset));
}

function activation(name: ActivationName): Workload {
  return {
    name,
    title: `\`${name}\``,
    unit: "ns/element",
    reference: "Math",
    tolerance: 2e-6,
    contestants: {
      Math: () => inArrays(naiveActivations[name]),
      tuned: () => inArrays(tunedActivations[name]),
      simdgrad: () => simdgrad(name),
    },
  };
}

export const elementwise: readonly Workload[] = (Object.keys(naiveActivations) as ActivationName[]).map(activation);
