// Optimizer steps over one flat block, and Adam where its moments are denormal.
import { createKernels } from "../../src/kernels.ts";
import { createRandom } from "../baselines/network.ts";
import type { Trial, Workload } from "../workload.ts";

/** 64 KB an array: in a second-level cache. */
const ELEMENTS = 16_384;

type Kernels = ReturnType<typeof createKernels>["kernels"];
/** Addresses of parameters, gradients and two moments. */
type Block = readonly [p: number, g: number, m: number, v: number];

const steps: Readonly<Record<string, (kernels: Kernels, block: Block) => number>> = {
  sgd: (kernels, [p, g]) => kernels.sgd_step(ELEMENTS, p, g, 1e-3, 0),
  "sgd, momentum": (kernels, [p, g, m]) => kernels.sgd_momentum_step(ELEMENTS, p, g, m, 1e-3, 0.9, 0, 0),
  rmsprop: (kernels, [p, g, , v]) => kernels.rmsprop_step(ELEMENTS, p, g, v, 0, 1e-3, 0.99, 1e-8, 0, 0),
  adagrad: (kernels, [p, g, , v]) => kernels.adagrad_step(ELEMENTS, p, g, v, 1e-3, 1e-10, 0),
  adam: (kernels, [p, g, m, v]) => kernels.adam_step(ELEMENTS, p, g, m, v, 1e-3, 0.9, 0.999, 1e-8, 1, 1, 0),
  adamw: (kernels, [p, g, m, v]) => kernels.adamw_step(ELEMENTS, p, g, m, v, 1e-3, 0.9, 0.999, 1e-8, 1, 1, 0.01),
};

function stepTrial(name: string): Trial {
  const { kernels, f32 } = createKernels();
  const block = Array.from({ length: 4 }, () => f32(ELEMENTS));
  const random = createRandom(9);
  const [p, g] = block;
  for (let i = 0; i < ELEMENTS; i++) g[i] = 2 * random() - 1;
  const [pp, pg, pm, pv] = block.map(({ byteOffset }) => byteOffset);
  const run = () => steps[name](kernels, [pp, pg, pm, pv]);
  const check = () => {
    if (run() !== 0) throw new Error("Expected every element to be updated.");
    const still = p.findIndex((value, i) => value === 0 && g[i] !== 0);
    if (still >= 0) throw new Error(`Expected parameter ${still} to move.`);
    return [];
  };
  return { check, run, units: ELEMENTS };
}

const step: Workload = {
  name: "optimizer step",
  title: "Optimizer step",
  unit: "ns/element",
  contestants: Object.fromEntries(Object.keys(steps).map((name) => [name, () => stepTrial(name)])),
};

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

export const optimizers: readonly Workload[] = [step, adam];
