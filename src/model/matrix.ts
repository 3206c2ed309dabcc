// Rows of numbers, as users pass them: read and checked. Errors name row and column.
import type { IndexColumn } from "../contract.ts";
import { SimdgradError, show } from "../errors.ts";
import { lengthOf } from "../options.ts";

/** Float16Array, where a program's library has it. */
type HalfArray = typeof globalThis extends { Float16Array: { readonly prototype: infer A } } ? A : never;

/** The typed arrays that numbers are read from. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | HalfArray;

/** Samples: flat and row-major, or rows. */
export type Inputs = NumberArray | ArrayLike<ArrayLike<number>>;

/** Rows of `columns` numbers, flat. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: NumberArray;
}

export function isNumberArray(value: unknown): value is NumberArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView) && !isBigIntArray(value);
}

function isBigIntArray(value: unknown): boolean {
  return value instanceof BigInt64Array || value instanceof BigUint64Array;
}

/** Errors: SHAPE for a length that does not divide or ragged rows, DATA for what is no number. */
export function readMatrix(where: string, name: string, value: unknown, columns: number): Matrix {
  if (isNumberArray(value)) {
    const rows = value.length / columns;
    if (Number.isInteger(rows)) return { rows, columns, values: value };
    throw new SimdgradError(
      "SHAPE",
      `${where}: expected ${name} to hold rows of ${columns}, received ${value.length} values: row ${Math.floor(rows)} has but ${value.length % columns}.`,
    );
  }
  return readRows(where, name, value, columns);
}

const ROWS = "Pass [[...], ...] or a typed array; one row is [[...]].";

function readRows(where: string, name: string, value: unknown, columns: number): Matrix {
  const rows = lengthOf(value);
  if (rows === undefined) {
    throw new SimdgradError(
      "DATA",
      `${where}: expected ${name} to be a typed array of numbers or an array of rows, received ${show(value)}.`,
      ROWS,
    );
  }
  const source = value as ArrayLike<ArrayLike<number>>;
  // Before room is made: a length alone is no rows.
  for (let i = 0; i < rows; i++) checkRow(where, name, source[i], i, columns);
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const row = source[i];
    for (let j = 0; j < columns; j++) {
      const cell = row[j];
      if (typeof cell !== "number") throw badCell(where, name, i, j, cell, "a number");
      values[i * columns + j] = cell;
    }
  }
  return { rows, columns, values };
}

/** Errors: SHAPE; DATA for a name in the place of numbers. */
function checkRow(where: string, name: string, row: unknown, i: number, columns: number): void {
  if (typeof row === "string" || typeof row === "boolean") {
    throw new SimdgradError(
      "DATA",
      `${where}: expected numbers in ${name} at row ${i}, received ${show(row)}.`,
      "Map names to class indices 0, 1, 2, ... first.",
    );
  }
  if (typeof row === "number") {
    throw new SimdgradError(
      "SHAPE",
      `${where}: expected row ${i} of ${name} to hold ${columns} values, received the number ${row}.`,
      ROWS,
    );
  }
  const length = lengthOf(row);
  if (length === columns) return;
  const found = length === undefined ? show(row) : length < columns ? `${length}, none for column ${length}` : length;
  throw new SimdgradError(
    "SHAPE",
    `${where}: expected row ${i} of ${name} to hold ${columns} values, received ${found}.`,
  );
}

export function badCell(
  where: string,
  name: string,
  row: number,
  column: number,
  value: unknown,
  expected: string,
): SimdgradError {
  return new SimdgradError(
    "DATA",
    `${where}: expected ${expected} in ${name} at row ${row}, column ${column}, received ${show(value)}.`,
    "Correct, fill in or leave out such values, as prepare of simdgrad/data does.",
  );
}

/** Errors: DATA naming row and column. Units: values beyond f32 count as infinite, as the kernels see them. */
export function checkFinite(
  where: string,
  name: string,
  { values, columns, rows }: Matrix,
  start: number = 0,
  end: number = rows,
): void {
  for (let i = start * columns; i < end * columns; i++) {
    const value = Math.fround(values[i]);
    if (value - value !== 0)
      throw badCell(where, name, Math.floor(i / columns), i % columns, values[i], "a finite f32 number");
  }
}

/** Which rows of a data set make a batch: `count` of them from `start`, in the data's order or in a shuffled one. */
export interface Selection {
  readonly start: number;
  readonly count: number;
  readonly order?: Uint32Array | undefined;
}

/** The row of the data that is row `i` of the batch. */
export function rowOf({ start, order }: Selection, i: number): number {
  return order ? order[start + i] : start + i;
}

/** Errors: DATA naming row and column of an index that is not whole or out of range. */
export function checkIndices(
  where: string,
  { indices }: { readonly indices: readonly IndexColumn[] },
  { values, columns, rows }: Matrix,
  selection: Selection = { start: 0, count: rows },
): void {
  for (const { column, count: limit } of indices) {
    for (let i = 0; i < selection.count; i++) {
      const row = rowOf(selection, i);
      const value = values[row * columns + column];
      if (Number.isInteger(value) && value >= 0 && value < limit) continue;
      throw badCell(where, "x", row, column, value, `a whole number from 0 to ${limit - 1}`);
    }
  }
}

/** Index of a row's first largest value. */
export function largestOfRow(values: ArrayLike<number>, row: number, columns: number): number {
  const start = row * columns;
  let best = 0;
  for (let j = 1; j < columns; j++) if (values[start + j] > values[start + best]) best = j;
  return best;
}

/** The same values out of the reach of `buffers`, which may be detached or change. */
export function apartFrom(matrix: Matrix, buffers: WeakSet<ArrayBufferLike>): Matrix {
  return buffers.has(matrix.values.buffer) ? { ...matrix, values: matrix.values.slice() } : matrix;
}
