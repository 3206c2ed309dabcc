// What fit trains on and validates with, read before the first step.
import { SimdgradError } from "../errors.ts";
import { checkNumber } from "../options.ts";
import { applyClassWeight } from "./class-weight.ts";
import { checkWeight, type Dataset, type ReadDataset, readDataset } from "./data.ts";
import type { FitOptions } from "./fit-options.ts";
import { apartFrom, checkIndices } from "./matrix.ts";
import { type DataSource, isStream, Stream } from "./stream.ts";
import type { Trainer } from "./trainer.ts";

/** Inputs, and the part of the call that errors name. */
export interface FitInputs {
  readonly where: string;
  readonly x: ReadDataset["x"];
}

/** What is trained on, and what validates. */
export interface FitData {
  readonly data: ReadDataset | Stream;
  readonly validation: ReadDataset | Stream | undefined;
  /** Sets as they were passed: their inputs are checked before the first step, in turns. */
  readonly inputs: readonly FitInputs[];
}

/** Errors: CONFIG, SHAPE, DATA. */
export function readFitData(
  where: string,
  source: DataSource,
  passes: number,
  { validation, validationSplit, classWeight }: FitOptions,
  trainer: Trainer,
): FitData {
  const inputs: FitInputs[] = [];
  const weigh = (set: ReadDataset) =>
    classWeight === undefined ? set : applyClassWeight(where, set, classWeight, trainer.shape);
  const read = (at: string, source: DataSource, weigh?: (set: ReadDataset) => ReadDataset) => {
    if (isStream(source)) return new Stream(at, source, passes, trainer.shape, weigh);
    const set = readSet(at, source, trainer, inputs);
    return weigh ? weighed(at, set, weigh) : set;
  };
  if (validationSplit === undefined) {
    return {
      data: read(where, source, weigh),
      validation: validation === undefined ? undefined : read(`${where}, validation`, validation),
      inputs,
    };
  }
  if (validation !== undefined || isStream(source)) {
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected ${validation ? "validation or validationSplit, received both" : `no validationSplit of a stream, received ${validationSplit}`}.`,
    );
  }
  const [first, last] = split(where, readSet(where, source, trainer, inputs), validationSplit);
  return { data: weighed(where, first, weigh), validation: last, inputs };
}

/** Reads a set and makes it safe from what happens while fit awaits: targets index memory and are copied; inputs are
 *  checked again with each batch, and copied only where they lie in the model's own memory. */
function readSet(where: string, data: Dataset, { engine, shape }: Trainer, inputs: FitInputs[]): ReadDataset {
  const set = readDataset(where, data, shape);
  const x = apartFrom(set.x, engine.buffers);
  inputs.push({ where, x });
  checkIndices(where, engine.plan, x);
  const { kind, matrix } = set.targets;
  return { ...set, x, targets: { kind, matrix: { ...matrix, values: matrix.values.slice() } } };
}

/** Errors: CONFIG, DATA. */
function weighed(where: string, set: ReadDataset, weigh: (set: ReadDataset) => ReadDataset): ReadDataset {
  const result = weigh(set);
  checkWeight(where, result);
  return result;
}

function split(where: string, data: ReadDataset, fraction: number): [ReadDataset, ReadDataset] {
  checkNumber(where, "validationSplit", fraction, { low: 0, high: 1, openLow: true, openHigh: true });
  const first = data.rows - Math.floor(data.rows * fraction);
  if (first === data.rows || first === 0) {
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected validationSplit to leave rows on both sides, received ${fraction} of ${data.rows} rows.`,
    );
  }
  const parts: [ReadDataset, ReadDataset] = [rowsOf(data, 0, first), rowsOf(data, first, data.rows)];
  for (const part of parts) checkWeight(where, part);
  return parts;
}

function rowsOf(data: ReadDataset, start: number, end: number): ReadDataset {
  const part = ({ columns, values }: ReadDataset["x"]) => ({
    rows: end - start,
    columns,
    values: values.subarray(start * columns, end * columns),
  });
  return {
    rows: end - start,
    x: part(data.x),
    targets: { kind: data.targets.kind, matrix: part(data.targets.matrix) },
    weights: data.weights?.subarray(start, end),
    sampleWeights: data.sampleWeights?.subarray(start, end),
  };
}
