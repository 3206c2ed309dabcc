// The work that all contestants are given.
import type { Unit } from "../workload.ts";
import { type Task, taskName, tasks } from "../workloads/networks.ts";
import type { Contestant } from "./contestants.ts";

export interface PeerWorkload {
  name: string;
  title: string;
  unit: Unit;
  kind: "step" | "predict" | "digits";
  task: Task;
  /** Bound by reading the weights rather than by arithmetic. */
  streams?: boolean;
}

export const EPOCHS = 30;

/** Three steps, or a forward pass, with sums of up to 1024 products in f32 against f64: rounding stays far below it, a
 *  wrong formula far above. */
export const TOLERANCE = 1e-4;
/** What a network of 64 hidden units reaches within 30 epochs, also by online SGD on squared error. */
export const DIGITS_ACCURACY = 0.93;

export const workloads: readonly PeerWorkload[] = [
  ...tasks.map(
    (task): PeerWorkload => ({
      name: `step ${taskName(task)}`,
      title: `Training step, ${taskName(task)}`,
      unit: "steps/s",
      kind: "step",
      task,
    }),
  ),
  ...[1, 256].map((batch): PeerWorkload => {
    const task = { sizes: [784, 512, 256, 10], batch };
    return {
      name: `predict ${taskName(task)}`,
      title: `Inference, ${taskName(task)}`,
      unit: "rows/s",
      kind: "predict",
      task,
      streams: batch === 1,
    };
  }),
  {
    name: "digits",
    title: `Digits, 64-64-10 batch 32, ${EPOCHS} epochs`,
    unit: "rows/s",
    kind: "digits",
    task: { sizes: [64, 64, 10], batch: 32 },
  },
];

export const competes = ({ kind }: PeerWorkload, { inferenceOnly }: Contestant): boolean =>
  kind === "predict" || !inferenceOnly;

/** Floating-point operations of the products in a step or a forward pass: two a weight and row, for the outputs, for
 *  the kernels' gradients and, but in the first layer, for the inputs' gradients. */
export function operations({ kind, task: { sizes, batch } }: PeerWorkload): number {
  return sizes.slice(1).reduce((sum, units, i) => {
    const products = kind === "predict" ? 1 : i === 0 ? 2 : 3;
    return sum + products * 2 * batch * sizes[i] * units;
  }, 0);
}

/** Of the kernels, in f32. */
export const weightBytes = ({ task: { sizes } }: PeerWorkload): number =>
  4 * sizes.slice(1).reduce((sum, units, i) => sum + sizes[i] * units, 0);
