// Moves rows of a data set into a model's memory.
import type { BufferRef } from "../contract.ts";
import { PURPOSE_SHUFFLE, seedWords } from "../numerics.ts";
import { MIN_SCRATCH_BYTES } from "../plan/arena.ts";
import { SCRATCH } from "../plan/builder.ts";
import type { ReadDataset } from "./data.ts";
import type { Engine } from "./engine.ts";
import { badCell, checkIndices, type Matrix, rowOf, type Selection } from "./matrix.ts";

/** As many rows at a time as are planned for. */
export function* chunksOf({ rows }: ReadDataset, engine: Engine): Generator<Selection, void, void> {
  let start = 0;
  while (start < rows) {
    const count = Math.min(engine.placement.capacity, rows - start);
    yield { start, count };
    start += count;
  }
}

/** Below this many numbers a row a loop copies faster than a view and a set. */
const COPY_BY_LOOP = 24;

/** Copies rows to a buffer. */
export function copyRows(
  heap: Float32Array | Int32Array,
  address: number,
  from: Matrix,
  { start, count, order }: Selection,
): void {
  const { values, columns } = from;
  // Nothing can be taken of an array whose memory went elsewhere, which holds nothing.
  if (count === 0) return;
  let to = address >>> 2;
  if (!order) {
    const whole = count === from.rows;
    heap.set(whole ? values : values.subarray(start * columns, (start + count) * columns), to);
    return;
  }
  for (let i = start; i < start + count; i++) {
    const row = order[i] * columns;
    if (columns < COPY_BY_LOOP) {
      for (let j = 0; j < columns; j++) heap[to + j] = values[row + j];
    } else {
      heap.set(values.subarray(row, row + columns), to);
    }
    to += columns;
  }
}

/** Copies samples in and checks them. Errors: DATA naming row and column. */
export function loadInputs(where: string, engine: Engine, to: BufferRef, x: Matrix, selection: Selection): void {
  const address = engine.address(to);
  copyRows(engine.f32, address, x, selection);
  const bad = engine.kernels.first_non_finite(selection.count * x.columns, address);
  if (bad >= 0) {
    const row = rowOf(selection, Math.floor(bad / x.columns));
    const column = bad % x.columns;
    throw badCell(where, "x", row, column, x.values[row * x.columns + column], "a finite number");
  }
  checkIndices(where, engine.plan, x, selection);
}

/** Where a program wants a batch. */
interface BatchBuffers {
  readonly x: BufferRef;
  readonly targets: BufferRef;
  readonly weights: BufferRef | undefined;
}

export function loadBatch(
  where: string,
  engine: Engine,
  to: BatchBuffers,
  data: ReadDataset,
  selection: Selection,
): void {
  loadInputs(where, engine, to.x, data.x, selection);
  const { kind, matrix } = data.targets;
  copyRows(kind === "labels" ? engine.i32 : engine.f32, engine.address(to.targets), matrix, selection);
  if (to.weights && data.weights) {
    const weights = { rows: data.rows, columns: 1, values: data.weights };
    copyRows(engine.f32, engine.address(to.weights), weights, selection);
  }
}

/** Puts 0..n-1 in the epoch's order (Fisher-Yates): a function of seed, epoch, the part of a stream, and n alone. */
export function shuffle(engine: Engine, epoch: number, order: Uint32Array, part = 0): void {
  const [seedLow, seedHigh] = seedWords(engine.plan.spec.seed);
  const block = MIN_SCRATCH_BYTES / 4;
  const address = engine.address(SCRATCH);
  const words = new Uint32Array(engine.f32.buffer, address, block);
  for (let i = 0; i < order.length; i++) order[i] = i;
  for (let i = 0; i + 1 < order.length; i++) {
    if (i % block === 0) {
      engine.kernels.philox_u32(block, address, seedLow, seedHigh, PURPOSE_SHUFFLE, part, epoch, i);
    }
    const j = i + Math.floor((words[i % block] / 2 ** 32) * (order.length - i));
    const other = order[j];
    order[j] = order[i];
    order[i] = other;
  }
}
