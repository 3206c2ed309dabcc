// What a network is to learn, as users pass it: class indices, or rows of values.
import { SimdgradError, show } from "../errors.ts";
import {
  badCell,
  checkFinite,
  isNumberArray,
  largestOfRow,
  type Matrix,
  type NumberArray,
  readMatrix,
} from "./matrix.ts";

/** Targets: class indices, or values, flat or by rows. */
export type TargetsInput = NumberArray | ArrayLike<number> | ArrayLike<ArrayLike<number>>;

/** What a model's targets look like. */
export interface TargetShape {
  readonly kind: "classes" | "probabilities" | "values";
  readonly outputs: number;
}

export type ReadTargets = { readonly kind: "labels" | "rows"; readonly matrix: Matrix };

/** Class indices become labels; all else rows of values. */
export function readTargets(where: string, y: unknown, rows: number, { kind, outputs }: TargetShape): ReadTargets {
  const flat = isFlat(y);
  if (kind === "classes" && flat && y.length === rows) return readLabels(where, y, outputs);
  if (flat && !isNumberArray(y) && y.length > 0 && outputs !== 1 && kind !== "classes") {
    throw new SimdgradError(
      "SHAPE",
      `${where}: expected y to be rows of ${outputs} or a typed array, received a flat array of ${y.length} numbers.`,
    );
  }
  if (flat && kind === "classes" && !(isNumberArray(y) && y.length === rows * outputs)) {
    throw new SimdgradError(
      "SHAPE",
      `${where}: expected ${rows} class indices in y, or ${rows} rows of ${outputs}, received ${y.length} values.`,
      "Rows are [[...], ...] or a flat typed array.",
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
        "Classes count from 0; the last layer has a unit for each.",
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

/** How many classes such targets tell apart; 0 where they tell none. */
export function classCount({ kind, outputs }: TargetShape): number {
  if (kind === "classes") return outputs;
  return kind === "probabilities" && outputs === 1 ? 2 : 0;
}

/** A row's class; a single column has the classes 0 and 1. */
export function classOf({ kind, matrix }: ReadTargets, row: number): number {
  const { values, columns } = matrix;
  if (kind === "labels") return values[row];
  return columns === 1 ? Number(values[row] > 0.5) : largestOfRow(values, row, columns);
}
