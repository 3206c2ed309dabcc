// How calls are split over lanes: every kernel that is split, lane by lane on one memory, against the whole call, bit for bit.
import { describe, expect, it } from "vitest";
import type { Placement } from "../src/plan/arena.ts";
import { DIVISIONS, shareSteps } from "../src/plan/shares.ts";
import { GEMM_ACCUMULATE, GEMM_RELU, type KernelName } from "../src/runtime/abi.ts";
import { type Barrier, bindShare } from "../src/runtime/barrier.ts";
import { gemmScratchBytes } from "../src/runtime/scratch.ts";
import { randomSource } from "./support/random.ts";
import { openKernels } from "./support/space.ts";

const LANES = 4;
const random = randomSource(31);
const { kernels, f32 } = openKernels(1 << 25);
const heap = f32(1 << 22);
const start = random.floats(heap.length, 0.1, 1);
/** Products write here what nobody reads; aligned to 16 bytes. */
const scratchStep = Math.ceil(gemmScratchBytes(200, 200, 200) / 64) * 64;
const scratch = Math.ceil(heap.byteOffset / 16) * 16;
const operands = (LANES * scratchStep) / 4 + 16;
let next = operands;

/** Address of fresh room for n floats in 0.1..1, spare floats after them. */
function floats(n: number): number {
  const at = next;
  next += n + 9;
  return heap.byteOffset + 4 * at;
}

/** Writes where `floats` gave room. */
function put(address: number, values: ArrayLike<number>): number {
  start.set(values, (address - heap.byteOffset) / 4);
  return address;
}

function f64(value: number): number {
  next += next % 2;
  return put(floats(2), new Float32Array(Float64Array.of(value).buffer));
}

/** An address and a leading dimension of its own, beyond the next multiple of 4. */
function matrix(rows: number, n: number): [address: number, ld: number] {
  const ld = Math.ceil(n / 4) * 4 + 1 + random.integer(8);
  return [floats(rows * ld), ld];
}

/** f32 indices below `limit`. */
function indices(rows: number, limit: number): [address: number, ld: number] {
  const [address, ld] = matrix(rows, 1);
  return [
    put(
      address,
      Float32Array.from({ length: rows * ld }, () => random.integer(limit)),
    ),
    ld,
  ];
}

type Case = [kernel: KernelName, args: number[]];
const cases: Case[] = [];
const add = (kernel: KernelName, ...args: (number | [number, number])[]) => cases.push([kernel, args.flat()]);

// Sizes that divide by nothing, and give work enough to be split.
const N = 7001;
const vector = () => floats(N);
for (const [m, n] of [
  [67, 43],
  [43, 67],
]) {
  const k = 53;
  for (const [bias, flags] of [
    [floats(n), GEMM_RELU],
    [0, 0],
    [0, GEMM_ACCUMULATE],
  ]) {
    add("sgemm_nn", m, n, k, matrix(m, k), matrix(k, n), matrix(m, n), bias, flags, scratch);
    add("sgemm_nt", m, n, k, matrix(m, k), matrix(n, k), matrix(m, n), bias, flags, scratch);
    add("sgemm_tn", m, n, k, matrix(k, m), matrix(k, n), matrix(m, n), bias, flags, scratch);
  }
}
for (const acc of [0, 1]) add("column_sums", 1409, 143, matrix(1409, 143), floats(143), acc);

for (const kernel of ["relu", "selu", "gelu", "silu", "softplus", "sigmoid", "tanh"] as const) {
  add(kernel, N, vector(), vector());
  add(`${kernel}_backward`, N, vector(), vector(), vector());
}
for (const kernel of ["leaky_relu", "elu"] as const) {
  const x = put(vector(), random.floats(N));
  add(kernel, N, x, vector(), 0.3);
  add(`${kernel}_backward`, N, x, vector(), vector(), 0.3);
}
add("add", N, vector(), vector(), vector());
add("dropout", N, vector(), vector(), 0, 5, 6, 7, 8, 9, 0.4, 1 / 0.6);

const ROWS = 131;
const COLUMNS = 157;
const block = () => matrix(ROWS, COLUMNS);
const row = () => floats(COLUMNS);
add("softmax", ROWS, COLUMNS, block(), block());
add("softmax_backward", ROWS, COLUMNS, block(), block(), block());
add("layer_norm", ROWS, COLUMNS, block(), row(), row(), 1e-5, floats(ROWS), block(), block());
add("layer_norm_backward", ROWS, COLUMNS, block(), floats(ROWS), row(), block(), block());
add("copy_matrix", ROWS, COLUMNS, block(), block());
add("gather_rows", ROWS, COLUMNS, indices(ROWS, 20), matrix(20, COLUMNS), block());
add("scatter_rows", 1409, 143, indices(1409, 20), matrix(1409, 143), matrix(20, 143));
for (const training of [0, 1]) {
  add("batch_norm", ROWS, COLUMNS, block(), row(), row(), 1e-5, row(), row(), row(), block(), block(), training);
  add("batch_norm_backward", ROWS, COLUMNS, block(), block(), row(), row(), row(), row(), 1, block(), training);
}
add("batch_norm_backward", ROWS, COLUMNS, block(), block(), row(), row(), row(), row(), 0, 0, 0, 1);
add("batch_norm_backward", ROWS, COLUMNS, block(), block(), row(), row(), 0, 0, 0, block(), 1);

add("clip_norm", N, vector(), f64(40), 3);
add("clip_value", N, vector(), 0.5);
add("sgd_step", N, vector(), vector(), 0.1, 0.01);
add("sgd_momentum_step", N, vector(), vector(), vector(), 0.1, 0.9, 1, 0.01);
add("rmsprop_step", N, vector(), vector(), vector(), vector(), 0.1, 0.99, 1e-8, 0.9, 0.01);
add("rmsprop_step", N, vector(), vector(), vector(), 0, 0.1, 0.99, 1e-8, 0, 0.01);
add("adagrad_step", N, vector(), vector(), vector(), 0.1, 1e-10, 0.01);
add("adam_step", N, vector(), vector(), vector(), vector(), 0.1, 0.9, 0.999, 1e-8, 10, 1000, 0.01);
add("adamw_step", N, vector(), vector(), vector(), vector(), 0.1, 0.9, 0.999, 1e-8, 10, 1000, 0.01);
// Their results, how many overflow, are summed over lanes.
const overflowing = Float32Array.from({ length: N }, (_, i) => (i % 5 === 0 ? 3e38 : 1));
const against = overflowing.map((value) => -value);
add("sgd_step", N, put(vector(), overflowing), put(vector(), against), 1, 0);
// So are those of this one, the largest of each part: a bound on the largest of all.
add("largest_magnitude", N, vector());

const placement = { address: () => 0, scratchStep } as unknown as Placement;
const nowhere = { wait: () => undefined } as unknown as Barrier;

/** What the lanes of a call do, each by itself. */
function sharesOf([kernel, args]: Case, lanes: number): (() => number)[] {
  const shares = shareSteps([[{ kernel, args } as never]], placement, 1, lanes, []);
  return shares.lanes.map(([steps]) => {
    expect(steps.filter(({ call }) => call)).toHaveLength(1);
    const share = bindShare(steps, kernels, new Float64Array(0));
    return () => share(nowhere, 1);
  });
}

/** Runs from the same memory; the sum of results, and the memory that is left. */
function outcome(calls: (() => number)[]): [sum: number, bytes: Buffer] {
  heap.set(start.subarray(0, next));
  const sum = calls.reduce((total, call) => total + call(), 0);
  return [sum, Buffer.from(heap.slice(operands, next).buffer)];
}

describe("lanes leave what the whole call leaves", () => {
  it("for every kernel that is split", () => {
    expect(next).toBeLessThan(heap.length);
    expect(new Set(cases.map(([kernel]) => kernel))).toEqual(new Set(Object.keys(DIVISIONS)));
  });

  it("none of what runs while another list waits at a gate, or past the update", () => {
    for (const kernel of ["count_correct", "count_correct_dense", "count_correct_binary", "moving_average"] as const) {
      expect(DIVISIONS[kernel]).toBeUndefined();
    }
  });

  it("and tell of a gradient that is not finite, in whoever's share it is", () => {
    const n = cases.findIndex(([kernel]) => kernel === "largest_magnitude");
    const at = (cases[n][1][1] - heap.byteOffset) / 4;
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const i of [0, 1, 3500, N - 1]) {
        heap.set(start.subarray(0, next));
        heap[at + i] = bad;
        for (const lanes of [2, 3, LANES]) {
          const sum = sharesOf(cases[n], lanes).reduce((total, call) => total + call(), 0);
          expect(sum < Number.POSITIVE_INFINITY).toBe(false);
        }
      }
    }
  });

  cases.forEach(([kernel, args], i) => {
    it(`${i}: ${kernel}`, () => {
      const fn = kernels[kernel] as (...args: number[]) => number | undefined;
      const [sum, whole] = outcome([() => fn(...args) ?? 0]);
      const largest = kernel === "largest_magnitude";
      expect(whole.equals(Buffer.from(start.slice(operands, next).buffer))).toBe(largest);
      if (kernel === "sgd_step" && args[3] === 1) expect(sum).toBe(Math.ceil(N / 5));
      for (const lanes of [2, 3, LANES]) {
        const calls = sharesOf([kernel, args], lanes);
        for (const order of [calls, [...calls].reverse()]) {
          const [parts, left] = outcome(order);
          if (largest) {
            expect(parts).toBeGreaterThan(sum);
            expect(parts).toBeLessThanOrEqual(lanes * sum);
          } else expect(parts).toBe(sum);
          expect(left.equals(whole), `${lanes} lanes`).toBe(true);
        }
      }
    });
  });
});
