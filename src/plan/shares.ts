// How the steps of a list are split over lanes. A share is an ordinary kernel call on a part of the operands: rows,
// columns or elements, never the sum of a product, so that its bits are those of the whole.
import type { Arg, Scalar, Step } from "../contract.ts";
import type { KernelName } from "../runtime/abi.ts";
import type { LaneCall, LaneStep } from "../runtime/lanes.ts";
import { isBuffer, type Placement } from "./arena.ts";

/** How a kernel's work divides. Numbers are positions of arguments. */
type Division =
  /** Elements: argument 0 counts them, `pointers` move with them, and `position`, where there is one, is their first. */
  | { readonly by: "elements"; readonly pointers: readonly number[]; readonly position?: number }
  /** Rows: argument 0 counts them, each matrix is an address and its leading dimension (1 where none is given). */
  | { readonly by: "rows"; readonly matrices: readonly (readonly [address: number, ld?: number])[] }
  /** Columns: argument 1 counts them, `pointers` move with them; `work` of an element. */
  | { readonly by: "columns"; readonly pointers: readonly number[]; readonly work: number }
  | { readonly by: "product" };

/* @__NO_SIDE_EFFECTS__ */
const elements = (...pointers: number[]): Division => ({ by: "elements", pointers });
/* @__NO_SIDE_EFFECTS__ */
const rows = (...matrices: [address: number, ld?: number][]): Division => ({ by: "rows", matrices });
/* @__NO_SIDE_EFFECTS__ */
const columns = (work: number, ...pointers: number[]): Division => ({ by: "columns", pointers, work });
const product: Division = { by: "product" };
const forward = elements(1, 2);
const backward = elements(1, 2, 3);

/** What is not here runs on the first lane: losses, whose sum has an order, and what is small. Counts of right answers,
 *  made within another list's gate, and moving averages, made once an update cannot be taken back, have to. */
export const DIVISIONS: Partial<Record<KernelName, Division>> = {
  sgemm_nn: product,
  sgemm_nt: product,
  sgemm_tn: product,
  column_sums: columns(1, 2, 4),
  relu: forward,
  leaky_relu: forward,
  elu: forward,
  selu: forward,
  gelu: forward,
  silu: forward,
  softplus: forward,
  sigmoid: forward,
  tanh: forward,
  relu_backward: backward,
  leaky_relu_backward: backward,
  elu_backward: backward,
  selu_backward: backward,
  gelu_backward: backward,
  silu_backward: backward,
  softplus_backward: backward,
  sigmoid_backward: backward,
  tanh_backward: backward,
  add: backward,
  dropout: { by: "elements", pointers: [1, 2], position: 3 },
  softmax: rows([2, 3], [4, 5]),
  softmax_backward: rows([2, 3], [4, 5], [6, 7]),
  layer_norm: rows([2, 3], [7], [8, 9], [10, 11]),
  layer_norm_backward: rows([2, 3], [4], [6, 7], [8, 9]),
  gather_rows: rows([2, 3], [6, 7]),
  scatter_rows: columns(1, 4, 6),
  batch_norm: columns(10, 2, 4, 5, 7, 8, 9, 10, 12),
  batch_norm_backward: columns(10, 2, 4, 6, 7, 8, 9, 11),
  copy_matrix: rows([2, 3], [4, 5]),
  largest_magnitude: elements(1),
  clip_norm: elements(1),
  clip_value: elements(1),
  sgd_step: elements(1, 2),
  sgd_momentum_step: elements(1, 2, 3),
  rmsprop_step: elements(1, 2, 3, 4),
  adagrad_step: elements(1, 2, 3),
  adam_step: elements(1, 2, 3, 4),
  adamw_step: elements(1, 2, 3, 4),
};

/** Work under this is not worth a barrier. Units: about FLOPs. */
const STEP_WORK = 2e5;
/** Work that an element of an optimizer or activation step stands for. */
const ELEMENT_WORK = 30;

/** A list as its lanes get it, each all parts, and what all of it costs. Units: about FLOPs. */
export interface Shares {
  readonly lanes: readonly (readonly (readonly LaneStep[])[])[];
  readonly work: number;
}

/** `scalars` receives the list's scalars, whose index is their slot. */
export function shareSteps(
  parts: readonly (readonly Step[])[],
  placement: Placement,
  batch: number,
  lanes: number,
  scalars: Scalar[],
): Shares {
  let work = 0;
  const divided = parts.map((steps) =>
    steps.map((step) => {
      const call = resolve(step, placement, batch, scalars);
      const cost = workOf(call);
      work += cost;
      return cost < STEP_WORK ? [call] : divide(call, lanes, placement.scratchStep);
    }),
  );
  return {
    work,
    lanes: Array.from({ length: lanes }, (_, lane) =>
      divided.map((steps) =>
        steps.map((calls, i) => ({
          call: calls[lane],
          // What the first lane does alone twice in a row needs no meeting in between; at the end of a part all meet.
          barrier: i + 1 < steps.length && (calls.length > 1 || steps[i + 1].length > 1),
        })),
      ),
    ),
  };
}

function resolve({ kernel, args }: Step, { address }: Placement, batch: number, scalars: Scalar[]): LaneCall {
  const slots: [number, number][] = [];
  const values = args.map((arg: Arg, i) => {
    if (typeof arg === "number") return arg;
    if (isBuffer(arg)) return address(arg);
    if ("times" in arg) return arg.times * batch;
    const known = scalars.indexOf(arg);
    slots.push([i, known < 0 ? scalars.push(arg) - 1 : known]);
    return 0;
  });
  return { kernel: kernel as KernelName, args: values, slots };
}

function workOf({ kernel, args }: LaneCall): number {
  const [first, second, third] = args;
  const division = DIVISIONS[kernel];
  switch (division?.by) {
    case "product":
      return 2 * first * second * third;
    case "elements":
      return first * ELEMENT_WORK;
    case "rows":
      return first * second * ELEMENT_WORK;
    case "columns":
      return first * second * division.work;
    default:
      return 0;
  }
}

/** One call a lane, or fewer where there is too little to divide. */
function divide(call: LaneCall, lanes: number, scratchStep: number): LaneCall[] {
  const division = DIVISIONS[call.kernel];
  switch (division?.by) {
    case "elements":
      return parts(call.args[0], 64, lanes).map(([start, count]) =>
        change(
          call,
          [0, count],
          ...division.pointers.map((i) => move(call, i, start)),
          ...(division.position === undefined ? [] : [[division.position, start] as [number, number]]),
        ),
      );
    case "rows":
      return parts(call.args[0], 1, lanes).map(([start, count]) =>
        change(
          call,
          [0, count],
          ...division.matrices.map(([i, ld]) => move(call, i, start * (ld === undefined ? 1 : call.args[ld]))),
        ),
      );
    case "columns":
      return parts(call.args[1], 16, lanes).map(([start, count]) =>
        change(call, [1, count], ...division.pointers.map((i) => move(call, i, start))),
      );
    case "product":
      return divideProduct(call, lanes, scratchStep);
    default:
      return [call];
  }
}

/** The larger of rows (in 4s) and columns (in 8s). Arguments: m, n, k, a, lda, b, ldb, c, ldc, bias, flags, scratch. */
function divideProduct(call: LaneCall, lanes: number, scratchStep: number): LaneCall[] {
  const [m, n, , , lda, , ldb, , ldc] = call.args;
  const own = (lane: number): [number, number] => [11, call.args[11] + lane * scratchStep];
  if (m >= n) {
    const a = call.kernel === "sgemm_tn" ? 1 : lda;
    return parts(m, 4, lanes).map(([start, count], lane) =>
      change(call, [0, count], move(call, 3, start * a), move(call, 7, start * ldc), own(lane)),
    );
  }
  const b = call.kernel === "sgemm_nt" ? ldb : 1;
  return parts(n, 8, lanes).map(([start, count], lane) =>
    change(call, [1, count], move(call, 5, start * b), move(call, 7, start), move(call, 9, start), own(lane)),
  );
}

/** 0..total in at most `count` parts, each but the last a multiple of `unit`, none empty. */
export function parts(total: number, unit: number, count: number): (readonly [start: number, length: number])[] {
  const units = Math.ceil(total / unit);
  const result: [number, number][] = [];
  for (let i = 0; i < count; i++) {
    const start = Math.floor((units * i) / count) * unit;
    const end = Math.min(total, Math.floor((units * (i + 1)) / count) * unit);
    if (end > start) result.push([start, end - start]);
  }
  return result;
}

/** An address moved by elements; one that is 0 is not there and stays so. */
function move({ args }: LaneCall, argument: number, by: number): [number, number] {
  return [argument, args[argument] === 0 ? 0 : args[argument] + by * 4];
}

function change(call: LaneCall, ...changes: [argument: number, value: number][]): LaneCall {
  const args = [...call.args];
  for (const [argument, value] of changes) args[argument] = value;
  return { ...call, args };
}
