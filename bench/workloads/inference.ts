// Class probabilities of one row and of many.
import type { Trial, Workload } from "../workload.ts";
import { createBaseline, createBatches, createModel, makers, type Task, taskName } from "./networks.ts";

function trial(task: Task, forward: (x: Float32Array) => Float32Array): Trial {
  const { x } = createBatches(task);
  let t = 0;
  return {
    check: () => Array.from(forward(x[0])),
    run: () => forward(x[t++ % x.length]),
    units: task.batch,
  };
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
      simdgrad: () => {
        const model = createModel(task);
        const out = new Float32Array(task.batch * task.sizes[task.sizes.length - 1]);
        return trial(task, (x) => model.predictInto(x, out));
      },
    },
  };
}

export const inference: readonly Workload[] = [1, 256].map((batch) => workload({ sizes: [784, 128, 10], batch }));
