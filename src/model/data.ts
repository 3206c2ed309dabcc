// What users pass as data, read and checked: errors name row and column.
import type { IndexColumn } from "../contract.ts";
import { SimdgradError, show } from "../errors.ts";

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
  | Uint32Array;

/** Samples: flat and row-major, or rows. */
export type Inputs = NumberArray | ArrayLike<ArrayLike<number>>;
/** Targets: class indices, or values, flat or by rows. */
export type TargetsInput = NumberArray | ArrayLike<number> | ArrayLike<ArrayLike<number>>;

/** Samples and their targets. */
export interface Dataset {
  /** Shapes: [rows, input]. */
  x: Inputs;
  /** Shapes: [rows] for class indices, else [rows, outputs]. */
  y: TargetsInput;
  /** One weight a row, >= 0. */
  sampleWeight?: ArrayLike<number> | undefined;
}

/** Rows of `columns` numbers, flat. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: NumberArray;
}

/** What a model's data look like. */
export interface DataShape {
  readonly inputs: number;
  readonly kind: "classes" | "probabilities" | "values";
  readonly outputs: number;
}

export type ReadTargets = { readonly kind: "labels" | "rows"; readonly matrix: Matrix };

export interface ReadDataset {
  readonly rows: number;
  readonly x: Matrix;
  readonly targets: ReadTargets;
  /** What the loss weighs rows by. */
  readonly weights: Float32Array | undefined;
  /** What metrics weigh them by: class weights are not in it. */
  readonly sampleWeights: Float32Array | undefined;
}

/** An array, or what has a length like one; 64-bit integers are none of it. */
function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  if (typeof value !== "object" || value === null || isBigIntArray(value)) return false;
  const { length } = value as { length?: unknown };
  return Number.isSafeInteger(length) && (length as number) >= 0 && (length as number) < 2 ** 32;
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
      `${where}: expected ${name} to hold rows of ${columns}, received ${value.length} values: ${value.length % columns} are left over.`,
    );
  }
  return readRows(where, name, value, columns);
}

function readRows(where: string, name: string, value: unknown, columns: number): Matrix {
  if (!isArrayLike(value)) {
    throw new SimdgradError(
      "DATA",
      `${where}: expected ${name} to be a typed array of numbers or an array of rows, received ${show(value)}.`,
    );
  }
  const source = value as ArrayLike<ArrayLike<number>>;
  const values = new Float32Array(source.length * columns);
  for (let i = 0; i < source.length; i++) {
    const row = source[i];
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
        `Pass [[...], ...] or a typed array; a single row is [[...]].`,
      );
    }
    if (row?.length !== columns) {
      throw new SimdgradError(
        "SHAPE",
        `${where}: expected row ${i} of ${name} to hold ${columns} values, received ${row?.length ?? show(row)}.`,
      );
    }
    for (let j = 0; j < columns; j++) {
      const cell = row[j];
      if (typeof cell !== "number") throw badCell(where, name, i, j, cell, "a number");
      values[i * columns + j] = cell;
    }
  }
  return { rows: source.length, columns, values };
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

/** Errors: DATA naming row and column of an index that is not whole or out of range; `rowAt` gives the rows to look at. */
export function checkIndices(
  where: string,
  { indices }: { readonly indices: readonly IndexColumn[] },
  { values, columns, rows }: Matrix,
  count = rows,
  rowAt = (i: number): number => i,
): void {
  for (const { column, count: limit } of indices) {
    for (let i = 0; i < count; i++) {
      const row = rowAt(i);
      const value = values[row * columns + column];
      if (Number.isInteger(value) && value >= 0 && value < limit) continue;
      throw badCell(where, "x", row, column, value, `a whole number from 0 to ${limit - 1}`);
    }
  }
}

/** Errors: DATA for a training batch with too few rows for a layer's statistics. */
export function checkBatchRows(where: string, { minRows }: { readonly minRows: number }, rows: number): void {
  if (rows >= minRows) return;
  throw new SimdgradError(
    "DATA",
    `${where}: expected training batches of at least ${minRows} rows, received one of ${rows}.`,
    "batchNorm normalizes by the batch's own statistics: choose batches, the last one included, that are larger.",
  );
}

/** Errors: SHAPE, DATA, also when no row counts. */
export function readDataset(where: string, data: Dataset, shape: DataShape): ReadDataset {
  const set = readPiece(where, data, shape);
  if (set.rows === 0) throw new SimdgradError("DATA", `${where}: expected at least one row in x, received none.`);
  checkWeight(where, set);
  return set;
}

/** A data set that may be empty. Errors: SHAPE, DATA. */
export function readPiece(where: string, data: Dataset, shape: DataShape): ReadDataset {
  checkIsDataset(where, data);
  const x = readMatrix(where, "x", data.x, shape.inputs);
  const targets = readTargets(where, data.y, x.rows, shape);
  const weights = data.sampleWeight === undefined ? undefined : readWeights(where, data.sampleWeight, x.rows);
  return { rows: x.rows, x, targets, weights, sampleWeights: weights };
}

/** Errors: DATA for what is no { x, y }. */
export function checkIsDataset(where: string, data: unknown): void {
  const missing =
    typeof data === "object" && data !== null && !isArrayLike(data) && ["x", "y"].filter((key) => !(key in data));
  if (missing && missing.length === 0) return;
  throw new SimdgradError(
    "DATA",
    `${where}: expected data { x, y }, ${missing ? `found no ${missing.join(" and no ")}` : `received ${show(data)}`}.`,
    `Call ${where.split(",")[0]}({ x, y }, ...).`,
  );
}

/** Class indices become labels; all else rows of values. */
export function readTargets(where: string, y: unknown, rows: number, { kind, outputs }: DataShape): ReadTargets {
  const flat = isFlat(y);
  if (kind === "classes" && flat && y.length === rows) return readLabels(where, y, outputs);
  if (flat && !isNumberArray(y) && y.length > 0 && outputs !== 1 && kind !== "classes") {
    throw new SimdgradError(
      "SHAPE",
      `${where}: expected y to be rows of ${outputs} or a typed array, received a flat array of ${y.length} numbers.`,
    );
  }
  if (flat && kind === "classes" && y.length !== rows * outputs) {
    throw new SimdgradError(
      "SHAPE",
      `${where}: expected ${rows} class indices in y, or ${rows} rows of ${outputs}, received ${y.length} values.`,
    );
  }
  const matrix = readMatrix(where, "y", flat && !isNumberArray(y) ? readNumbers(where, "y", y, outputs) : y, outputs);
  if (matrix.rows !== rows) {
    throw new SimdgradError("SHAPE", `${where}: expected y to have ${rows} rows, as x has, received ${matrix.rows}.`);
  }
  checkFinite(where, "y", matrix);
  if (kind !== "values") checkProbabilities(where, matrix);
  return { kind: "rows", matrix };
}

function isFlat(y: unknown): y is ArrayLike<number> {
  return isNumberArray(y) || (Array.isArray(y) && (y.length === 0 || typeof y[0] === "number"));
}

/** A plain array's numbers: nothing else is taken for one. Errors: DATA. */
function readNumbers(where: string, name: string, source: ArrayLike<unknown>, columns: number): Float64Array {
  const values = new Float64Array(source.length);
  for (let i = 0; i < source.length; i++) {
    const value = source[i];
    if (typeof value !== "number") throw badCell(where, name, Math.floor(i / columns), i % columns, value, "a number");
    values[i] = value;
  }
  return values;
}

function readLabels(where: string, y: ArrayLike<number>, classes: number): ReadTargets {
  const values = y instanceof Int32Array ? y : new Int32Array(y.length);
  for (let i = 0; i < y.length; i++) {
    const label = y[i];
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new SimdgradError(
        "DATA",
        `${where}: expected a class index from 0 to ${classes - 1} in y at row ${i}, received ${show(label)}.`,
      );
    }
    if (values !== y) values[i] = label;
  }
  return { kind: "labels", matrix: { rows: y.length, columns: 1, values } };
}

function checkProbabilities(where: string, { values, columns }: Matrix): void {
  for (let i = 0; i < values.length; i++) {
    if (values[i] >= 0 && values[i] <= 1) continue;
    throw badCell(where, "y", Math.floor(i / columns), i % columns, values[i], "a value from 0 to 1");
  }
}

/** Errors: SHAPE for the wrong length, DATA for a weight that is negative or not finite. */
function readWeights(where: string, weights: ArrayLike<number>, rows: number): Float32Array {
  if (!isArrayLike(weights) || weights.length !== rows) {
    throw new SimdgradError(
      "SHAPE",
      `${where}: expected sampleWeight to hold ${rows} weights, one a row, received ${(weights as ArrayLike<number> | null)?.length ?? show(weights)}.`,
    );
  }
  const values = new Float32Array(rows);
  for (let i = 0; i < rows; i++) {
    const weight = typeof weights[i] === "number" ? Math.fround(weights[i]) : Number.NaN;
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
      throw new SimdgradError(
        "DATA",
        `${where}: expected a finite weight >= 0 in sampleWeight at row ${i}, received ${show(weights[i])}.`,
      );
    }
    values[i] = weight;
  }
  return values;
}

/** Index of a row's first largest value. */
export function largestOfRow(values: ArrayLike<number>, row: number, columns: number): number {
  const start = row * columns;
  let best = 0;
  for (let j = 1; j < columns; j++) if (values[start + j] > values[start + best]) best = j;
  return best;
}

/** Errors: DATA when no row counts. */
export function checkWeight(where: string, { weights }: Pick<ReadDataset, "weights">): void {
  if (!weights || weights.some((weight) => weight > 0)) return;
  throw new SimdgradError("DATA", `${where}: expected a row whose weight is above 0, found only zeros.`);
}

/** The same values out of the reach of `buffer`, which may be detached or change. */
export function apartFrom(matrix: Matrix, buffer: ArrayBufferLike): Matrix {
  return matrix.values.buffer === buffer ? { ...matrix, values: matrix.values.slice() } : matrix;
}
