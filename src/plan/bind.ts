// Binds a program's steps to kernels and addresses, for one number of rows.
import type { Arg, BufferRef, Scalar, Step, UpdateState } from "../contract.ts";
import type { KernelName } from "../runtime/abi.ts";
import type { Instance } from "../runtime/instance.ts";
import { isBuffer, type Placement } from "./arena.ts";

export type Call = () => unknown;

/** One closure a step; a step with scalars reads `state` at each call. */
export function bind(
  steps: readonly Step[],
  instance: Instance,
  placement: Placement,
  rows: number,
  state: UpdateState,
): Call[] {
  return steps.map((step) => bindStep(step, instance, placement, rows, state));
}

function bindStep(step: Step, instance: Instance, placement: Placement, rows: number, state: UpdateState): Call {
  const { address } = placement;
  const { host, kernel } = step;
  if (kernel === "host") {
    const view = (x: BufferRef) =>
      new Float32Array(instance.memory.buffer, address(x), x.perRow ? rows * x.stride : x.columns);
    return () => {
      host?.(rows, ...step.args.filter(isBuffer).map(view));
    };
  }
  const constants = step.args.map((arg) => {
    if (typeof arg === "number") return arg;
    if (isBuffer(arg)) return address(arg);
    return "times" in arg ? arg.times * rows : 0;
  });
  const fn = instance.kernels[kernel as KernelName] as (...args: number[]) => unknown;
  const scalars = [...step.args.entries()].filter((entry): entry is [number, Scalar] => isScalar(entry[1]));
  if (scalars.length === 0) return fn.bind(null, ...constants);
  return () => {
    for (const [i, scalar] of scalars) constants[i] = scalar.value(state);
    return fn.apply(null, constants);
  };
}

function isScalar(arg: Arg): arg is Scalar {
  return typeof arg === "object" && "value" in arg;
}

/** Walks a bound list: this is all that a step does. The sum of the calls' results, where they have any. */
export function run(calls: readonly Call[]): number {
  let sum = 0;
  for (let i = 0; i < calls.length; i++) sum += (calls[i]() as number | undefined) ?? 0;
  return sum;
}
