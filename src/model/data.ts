// Data sets, as users pass them: samples, targets and weights, read and checked.
import type { IndexColumn } from "../contract.ts";
import { SimdgradError, show } from "../errors.ts";
import { lengthOf } from "../options.ts";
import { type Inputs, type Matrix, readMatrix } from "./matrix.ts";
import { type ReadTargets, readTargets, type TargetShape, type TargetsInput } from "./targets.ts";

/** Samples and their targets. */
export interface Dataset {
  /** Shapes: [rows, input]. */
  x: Inputs;
  /** Shapes: [rows] for class indices, else [rows, outputs]. */
  y: TargetsInput;
  /** One weight a row, >= 0. */
  sampleWeight?: ArrayLike<number> | undefined;
}

/** What a model's data look like. */
export interface DataShape extends TargetShape {
  readonly inputs: number;
  /** The columns of x that hold indices. */
  readonly indices: readonly IndexColumn[];
}

/** As much of it as reading needs. */
type ReadShape = Omit<DataShape, "indices">;

export interface ReadDataset {
  readonly rows: number;
  readonly x: Matrix;
  readonly targets: ReadTargets;
  /** What the loss weighs rows by. */
  readonly weights: Float32Array | undefined;
  /** What metrics weigh them by: class weights are not in it. */
  readonly sampleWeights: Float32Array | undefined;
}

/** Errors: SHAPE, DATA, also when no row counts. */
export function readDataset(where: string, data: Dataset, shape: ReadShape): ReadDataset {
  checkIsDataset(where, data);
  return readBatch(where, data, shape);
}

/** The same for what was put together here. */
export function readBatch(where: string, data: Dataset, shape: ReadShape): ReadDataset {
  const set = readArrays(where, data, shape);
  if (set.rows === 0) throw new SimdgradError("DATA", `${where}: expected at least one row in x, received none.`);
  checkWeight(where, set);
  return set;
}

/** A data set that may be empty. Errors: SHAPE, DATA. */
export function readPiece(where: string, data: Dataset, shape: ReadShape): ReadDataset {
  checkIsDataset(where, data);
  return readArrays(where, data, shape);
}

function readArrays(where: string, data: Dataset, shape: ReadShape): ReadDataset {
  const x = readMatrix(where, "x", data.x, shape.inputs);
  const targets = readTargets(where, data.y, x.rows, shape);
  const weights = data.sampleWeight === undefined ? undefined : readWeights(where, data.sampleWeight, x.rows);
  return { rows: x.rows, x, targets, weights, sampleWeights: weights };
}

/** Keys that somebody means to be read; others, as split carries them along, are nobody's business. */
const MISTAKEN = /^((sample|class)_?)?weights?$|^(epochs|batchSize|validation|earlyStopping)/i;

/** Errors: DATA for what is no { x, y }, CONFIG for misspelt weights, and options, in it. */
export function checkIsDataset(where: string, data: unknown): void {
  const known = typeof data === "object" && data !== null && lengthOf(data) === undefined;
  const missing = ["x", "y"].filter((key) => !(known && key in data));
  const wrong = known && Object.keys(data).find((key) => key !== "sampleWeight" && MISTAKEN.test(key));
  if (!missing[0] && !wrong) return;
  throw new SimdgradError(
    missing[0] ? "DATA" : "CONFIG",
    `${where}: expected data { x, y }, ${missing[1] ? `received ${show(data)}` : `found ${missing[0] ? `no ${missing[0]}` : show(wrong)}`}.`,
    `Call ${where.split(",")[0]}({ x, y, sampleWeight? }, ...).`,
  );
}

/** Errors: SHAPE for the wrong length, DATA for a weight that is negative or not finite. */
function readWeights(where: string, weights: ArrayLike<number>, rows: number): Float32Array {
  if (lengthOf(weights) !== rows) {
    throw new SimdgradError(
      "SHAPE",
      `${where}: expected sampleWeight to hold ${rows} weights, one a row, received ${lengthOf(weights) ?? show(weights)}.`,
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

/** Errors: DATA when no row counts. */
export function checkWeight(where: string, { weights }: Pick<ReadDataset, "weights">): void {
  if (!weights || weights.some((weight) => weight > 0)) return;
  throw new SimdgradError("DATA", `${where}: expected a row whose weight is above 0, found only zeros.`);
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
