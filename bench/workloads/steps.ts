// Training steps (forward, loss, backward, Adam) and `fit` beside `trainBatch`.
import type { Model } from "../../src/index.ts";
import type { Trial, Workload } from "../workload.ts";
import {
  createBaseline,
  createBatches,
  createModel,
  makers,
  type Task,
  taskName,
  tasks,
  whereRelaxed,
} from "./networks.ts";

/** Losses of the first steps: the contestants start from equal weights and see equal data. */
const CHECKED_STEPS = 3;

function stepTrial(task: Task, step: (x: Float32Array, labels: Int32Array) => number): Trial {
  const { x, labels } = createBatches(task);
  let t = 0;
  const next = () => {
    const loss = step(x[t % x.length], labels[t % labels.length]);
    t++;
    return loss;
  };
  return {
    check: () => Array.from({ length: CHECKED_STEPS }, next),
    run: next,
    units: 1,
  };
}

function stepWorkload(task: Task): Workload {
  const baselines = Object.entries(makers).map(([name, create]) => [
    name,
    () => {
      const network = createBaseline(create, task);
      return stepTrial(task, (x, labels) => network.step(x, labels, task.batch));
    },
  ]);
  return {
    name: `step ${taskName(task)}`,
    title: `Training step, ${taskName(task)}`,
    unit: "steps/s",
    reference: "naive",
    // Sums of up to 1024 products in f32 against f64: three steps stay far below it, a wrong formula far above.
    tolerance: 1e-4,
    contestants: {
      ...Object.fromEntries(baselines),
      simdgrad: () => modelTrial(task, createModel(task)),
      "simdgrad, relaxed": () => whereRelaxed(() => modelTrial(task, createModel(task, { simd: "relaxed" }))),
      // Smaller steps stay on one lane.
      ...(task.batch < 128 ? {} : { "simdgrad, 2 threads": () => threadedTrial(task, 2) }),
    },
  };
}

function modelTrial(task: Task, model: Model): Trial {
  return stepTrial(task, (x, labels) => model.trainBatch(x, labels));
}

/** Waiting lanes spin, so that both cores are busy throughout. */
function threadedTrial(task: Task, threads: number): Trial {
  return { ...modelTrial(task, createModel(task, { threads })), lanes: threads };
}

/** One epoch of `fit`, shuffled, against as many `trainBatch` calls on batches that are ready. Checked without
 *  shuffling: then both make the same steps, bit for bit. */
function fitWorkload(task: Task): Workload {
  return {
    name: `fit ${taskName(task)}`,
    title: `\`fit\` beside \`trainBatch\`, ${taskName(task)}`,
    unit: "steps/s",
    reference: "trainBatch",
    contestants: { trainBatch: () => loopTrial(task), fit: () => fitTrial(task) },
  };
}

function loopTrial(task: Task): Trial {
  const model = createModel(task);
  const { steps, x, labels } = createEpoch(task);
  const run = () => {
    for (let i = 0; i < steps; i++) model.trainBatch(x[i], labels[i]);
  };
  const check = () => {
    run();
    return Array.from(model.predict(x[0]));
  };
  return { check, run, units: steps };
}

function fitTrial(task: Task): Trial {
  const model = createModel(task);
  const { steps, x, labels } = createEpoch(task);
  const all = new Float32Array(steps * x[0].length);
  for (const [i, block] of x.entries()) all.set(block, i * block.length);
  const y = new Int32Array(steps * task.batch);
  for (const [i, block] of labels.entries()) y.set(block, i * block.length);
  const train = (shuffle: boolean) => model.fit({ x: all, y }, { epochs: 1, batchSize: task.batch, shuffle });
  const check = async () => {
    await train(false);
    return Array.from(model.predict(x[0]));
  };
  return { check, run: () => train(true), units: steps };
}

function createEpoch(task: Task) {
  const { x, labels } = createBatches(task);
  const steps = Math.min(x.length, labels.length);
  return { steps, x: x.slice(0, steps), labels: labels.slice(0, steps) };
}

export const steps: readonly Workload[] = [...tasks.map(stepWorkload), ...tasks.slice(1).map(fitWorkload)];
