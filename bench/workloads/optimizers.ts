// Optimizer steps over one flat block, against loops in plain JavaScript, and Adam where numbers become denormal.
import { createKernels } from "../../src/kernels.ts";
import { createRandom } from "../baselines/network.ts";
import {
  naiveOptimizers,
  type OptimizerName,
  type OptimizerStep,
  optimizerDefaults,
  tunedOptimizers,
} from "../baselines/optimizers.ts";
import type { Trial, Workload } from "../workload.ts";

/** 64 KB an array: in a second-level cache. */
const ELEMENTS = 16_384;
/** Steps before the parameters are compared; large ones, so that every term weighs. */
const CHECKED_STEPS = 3;
const CHECKED_RATE = 0.1;

type Kernels = ReturnType<typeof createKernels>["kernels"];
/** One block of parameters, gradients and two moments each, or their addresses. */
type Four<T> = readonly [p: T, g: T, m: T, v: T];

const four = <T>(make: (i: number) => T): Four<T> => [make(0), make(1), make(2), make(3)];

const { beta1, beta2, epsilon, momentum, alpha, adagradEpsilon, weightDecay } = optimizerDefaults;
/** Adam's bias corrections. */
const corrections = (t: number) => [1 / (1 - beta1 ** t), 1 / (1 - beta2 ** t)] as const;

const steps: Readonly<Record<OptimizerName, (kernels: Kernels, block: Four<number>, t: number, lr: number) => number>> =
  {
    sgd: (kernels, [p, g], _t, lr) => kernels.sgd_step(ELEMENTS, p, g, lr, 0),
    "sgd, momentum": (kernels, [p, g, m], _t, lr) => kernels.sgd_momentum_step(ELEMENTS, p, g, m, lr, momentum, 0, 0),
    rmsprop: (kernels, [p, g, , v], _t, lr) => kernels.rmsprop_step(ELEMENTS, p, g, v, 0, lr, alpha, epsilon, 0, 0),
    adagrad: (kernels, [p, g, , v], _t, lr) => kernels.adagrad_step(ELEMENTS, p, g, v, lr, adagradEpsilon, 0),
    adam: (kernels, block, t, lr) =>
      kernels.adam_step(ELEMENTS, ...block, lr, beta1, beta2, epsilon, ...corrections(t), 0),
    adamw: (kernels, block, t, lr) =>
      kernels.adamw_step(ELEMENTS, ...block, lr, beta1, beta2, epsilon, ...corrections(t), weightDecay),
  };

function stepTrial([p, g]: Four<Float32Array>, step: (t: number, learningRate: number) => void): Trial {
  const random = createRandom(9);
  const fill = (values: Float32Array) => {
    for (let i = 0; i < ELEMENTS; i++) values[i] = 2 * random() - 1;
  };
  let t = 0;
  const check = () => {
    fill(p);
    while (t < CHECKED_STEPS) {
      fill(g);
      step(++t, CHECKED_RATE);
    }
    return Array.from(p);
  };
  return { check, run: () => step(++t, optimizerDefaults.learningRate), units: ELEMENTS };
}

function inArrays(step: OptimizerStep): Trial {
  const block = four(() => new Float32Array(ELEMENTS));
  return stepTrial(block, (t, learningRate) => step(...block, t, learningRate));
}

function inKernelMemory() {
  const { kernels, f32 } = createKernels();
  const block = four(() => f32(ELEMENTS));
  return { kernels, block, addresses: four((i) => block[i].byteOffset) };
}

function simdgrad(name: OptimizerName): Trial {
  const { kernels, block, addresses } = inKernelMemory();
  return stepTrial(block, (t, learningRate) => {
    if (steps[name](kernels, addresses, t, learningRate) !== 0)
      throw new Error("Expected every element to be updated.");
  });
}

function step(name: OptimizerName): Workload {
  return {
    name: `optimizer ${name}`,
    title: `Optimizer step, ${name}`,
    unit: "ns/element",
    reference: "naive",
    // Three steps: each rounds p, of about 1, by half a unit of 2^-24, and errs by some of 2^-24 in its change of 0.1.
    tolerance: 1e-6,
    contestants: {
      naive: () => inArrays(naiveOptimizers[name]),
      tuned: () => inArrays(tunedOptimizers[name]),
      simdgrad: () => simdgrad(name),
    },
  };
}

/** Moments that were `moment` when steps of `gradient` began. None that a step leaves may be denormal: arithmetic on
 *  those is slow, and decay never ends it, since the smallest one times beta is rounded to itself. */
function decayTrial(moment: number, gradient: number): Trial {
  const { kernels, block, addresses } = inKernelMemory();
  const [p, g, m, v] = block;
  const random = createRandom(9);
  for (let i = 0; i < ELEMENTS; i++) g[i] = gradient * (2 * random() - 1);
  p.fill(1);
  m.fill(moment);
  v.fill(moment);
  const run = () => steps.adam(kernels, addresses, 1000, optimizerDefaults.learningRate);
  const check = () => {
    if (run() !== 0) throw new Error("Expected every element to be updated.");
    const denormal = [...m, ...v].find((value) => value !== 0 && Math.abs(value) < 2 ** -126);
    if (denormal !== undefined) throw new Error(`Expected no denormal moment, received ${denormal}.`);
    return [];
  };
  return { check, run, units: ELEMENTS };
}

const decay: Workload = {
  name: "adam decay",
  title: "Adam step by the size of the gradients",
  unit: "ns/element",
  contestants: {
    "up to 1": () => decayTrial(1e-3, 1),
    "0, after moments of 1e-39": () => decayTrial(1e-39, 0),
    "1e-20, whose squares are denormal": () => decayTrial(1e-39, 1e-20),
  },
};

export const optimizers: readonly Workload[] = [...(Object.keys(steps) as OptimizerName[]).map(step), decay];
