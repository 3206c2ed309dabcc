// Class probabilities of one row and of many.
import { load, type Predictor } from "../../src/infer.ts";
import type { Trial, Workload } from "../workload.ts";
import { createBaseline, createBatches, createModel, makers, type Task, taskName, whereRelaxed } from "./networks.ts";

function trial(task: Task, forward: (x: Float32Array) => Float32Array): Trial {
  const { x } = createBatches(task);
  let t = 0;
  return {
    check: () => Array.from(forward(x[0])),
    run: () => forward(x[t++ % x.length]),
    units: task.batch,
  };
}

function intoTrial(task: Task, model: Pick<Predictor, "predictInto">): Trial {
  const out = new Float32Array(task.batch * task.sizes[task.sizes.length - 1]);
  return trial(task, (x) => model.predictInto(x, out));
}

function workload(task: Task): Workload {
  const baselines = Object.entries(makers).map(([name, create]) => [
    name,
    () => {
      const network = createBaseline(create, task);
      return trial(task, (x) => network.forward(x, task.batch));
    },
  ]);
  return {
    name: `predict ${taskName(task)}`,
    title: `Inference, ${taskName(task)}`,
    unit: "rows/s",
    reference: "naive",
    tolerance: 1e-4,
    contestants: {
      ...Object.fromEntries(baselines),
      simdgrad: () => intoTrial(task, createModel(task)),
      "simdgrad, relaxed": () => whereRelaxed(() => intoTrial(task, createModel(task, { simd: "relaxed" }))),
      // Its weights are packed once.
      "simdgrad/infer": () => intoTrial(task, load(createModel(task).save(), { maxBatch: task.batch })),
    },
  };
}

const networks = [
  [784, 128, 10],
  [784, 512, 256, 10],
];

export const inference: readonly Workload[] = networks.flatMap((sizes) =>
  [1, 256].map((batch) => workload({ sizes, batch })),
);
