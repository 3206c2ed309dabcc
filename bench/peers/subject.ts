// What a contestant makes of a network, in its own process.
import type { Samples } from "../../examples/digits/digits.ts";
import type { DenseParameters } from "../baselines/network.ts";
import type { Task } from "../workloads/networks.ts";

export interface Subject {
  /** One optimizer step on rows of x; the mean loss before it. */
  step?: (x: Float32Array, labels: Int32Array) => number | Promise<number>;
  /** Outputs (class probabilities where the library has them), rows x classes. */
  predict?: (x: Float32Array) => ArrayLike<number> | Promise<ArrayLike<number>>;
  /** The library's own training loop, where it has one. */
  fit?: (samples: Samples, epochs: number) => unknown;
}

/** The network of the task with these weights, where the library lets them be set. */
export type CreateSubject = (task: Task, parameters: readonly DenseParameters[]) => Subject | Promise<Subject>;

export function oneHot(label: number, classes: number): number[] {
  return Array.from({ length: classes }, (_, i) => (i === label ? 1 : 0));
}

/** Row i of a flat row-major matrix. */
export const row = (x: Float32Array, columns: number, i: number): Float32Array =>
  x.subarray(i * columns, (i + 1) * columns);
