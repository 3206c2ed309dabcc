// What fit and train are asked to do: options and data, read and checked before the first step.
import { SimdgradError, show } from "../errors.ts";
import { checkBoolean, checkCount, checkKeys, checkNumber, checkObject, orDefault } from "../options.ts";
import type { AbortSignalLike } from "../wasm.ts";
import { checkBatchRows, checkIsDataset, checkWeight, type Dataset, type ReadDataset, readDataset } from "./data.ts";
import { EarlyStopping, type EarlyStoppingOptions } from "./early-stopping.ts";
import type { Engine } from "./engine.ts";
import { apartFrom, checkIndices, isNumberArray } from "./matrix.ts";
import type { BatchReport, EpochReport } from "./reports.ts";
import { type DataSource, isStream, Stream } from "./stream.ts";
import { classOf } from "./targets.ts";
import type { Trainer } from "./trainer.ts";

/** Options of `fit` and `train`. */
export interface FitOptions {
  /** Passes over the data. Default 1. */
  epochs?: number | undefined;
  /** Rows a step; the last batch may be short. Default 32. */
  batchSize?: number | undefined;
  /** Every epoch in an order of its own, a function of the seed. Default true; of a stream, where it mixes the rows of a
   *  buffer (4096, or as many as said) at a time, false. */
  shuffle?: boolean | { readonly buffer: number } | undefined;
  /** Measured after each epoch. */
  validation?: DataSource | undefined;
  /** The last fraction of the data, taken before shuffling, as validation. */
  validationSplit?: number | undefined;
  /** A weight a class, by index. */
  classWeight?: readonly number[] | Readonly<Record<number, number>> | undefined;
  /** Stops when the monitored number no longer gets better, and always brings back the best epoch's state. */
  earlyStopping?: EarlyStoppingOptions | undefined;
  /** Awaited when it gives a promise. */
  onBatch?: ((report: BatchReport) => unknown) | undefined;
  /** Awaited when it gives a promise. */
  onEpoch?: ((report: EpochReport) => unknown) | undefined;
  /** Rejects with its reason between two batches; the model stays usable. */
  signal?: AbortSignalLike | undefined;
  /** Finishes an interrupted run as if it had not been, also after save and load; without one, starts anew. `epochs`
   *  counts from the run's start. */
  resume?: boolean | undefined;
}

/** Inputs, and the part of the call that errors name. */
export interface FitInputs {
  readonly where: string;
  readonly x: ReadDataset["x"];
}

/** Checked options with everything read. */
export interface FitJob {
  /** The call that errors name: fit or train. */
  readonly where: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  /** Rows of a stream that are shuffled, or just cut into batches, at a time: a multiple of batchSize. */
  readonly chunk: number;
  readonly resume: boolean;
  readonly data: ReadDataset | Stream;
  readonly validation: ReadDataset | Stream | undefined;
  /** Sets as they were passed: their inputs are checked before the first step, in turns. */
  readonly inputs: readonly FitInputs[];
  readonly earlyStopping: EarlyStopping | undefined;
  readonly onBatch: FitOptions["onBatch"];
  readonly onEpoch: FitOptions["onEpoch"];
  readonly signal: AbortSignalLike | undefined;
}

const BUFFER = 4096;
const OPTIONS = [
  "epochs",
  "batchSize",
  "shuffle",
  "validation",
  "validationSplit",
  "classWeight",
  "earlyStopping",
  "onBatch",
  "onEpoch",
  "signal",
  "resume",
] as const;

/** Reads everything and checks all but whether inputs are finite. Errors: CONFIG, SHAPE, DATA. */
export function prepareFit(
  where: string,
  data: DataSource,
  options: FitOptions,
  engine: Engine,
  trainer: Trainer,
): FitJob {
  if (!isStream(data)) checkIsDataset(where, data);
  checkKeys(where, options, OPTIONS);
  const { onBatch, onEpoch, signal } = options;
  checkCallbacks(where, { onBatch, onEpoch });
  if (signal !== undefined && typeof signal?.throwIfAborted !== "function") {
    throw new SimdgradError("CONFIG", `${where}: expected signal to be an AbortSignal, received ${show(signal)}.`);
  }
  const epochs = checkCount(where, "epochs", orDefault(options.epochs, 1), 0);
  const batchSize = checkCount(where, "batchSize", orDefault(options.batchSize, 32));
  const buffer = readShuffle(where, orDefault(options.shuffle, !isStream(data)));
  const inputs: FitInputs[] = [];
  const { training, validation } = prepareData(where, data, epochs, options, engine, trainer, inputs);
  if (!(training instanceof Stream)) {
    const { rows } = training;
    checkBatchRows(where, engine.plan, Math.min(rows, rows % batchSize || batchSize));
  }
  return {
    where,
    epochs,
    batchSize,
    shuffle: buffer > 0,
    chunk: Math.max(Math.ceil(buffer / batchSize), 1) * batchSize,
    resume: checkBoolean(where, "resume", orDefault(options.resume, false)),
    data: training,
    validation,
    inputs,
    earlyStopping:
      options.earlyStopping === undefined
        ? undefined
        : new EarlyStopping(where, options.earlyStopping, trainer.measured(validation !== undefined)),
    onBatch,
    onEpoch,
    signal,
  };
}

/** Rows to shuffle at a time; 0 for none. Errors: CONFIG. */
function readShuffle(where: string, shuffle: NonNullable<FitOptions["shuffle"]>): number {
  if (typeof shuffle !== "object" || shuffle === null) return checkBoolean(where, "shuffle", shuffle) ? BUFFER : 0;
  checkKeys(`${where}, shuffle`, shuffle, ["buffer"]);
  return checkCount(`${where}, shuffle`, "buffer", shuffle.buffer);
}

function checkCallbacks(where: string, callbacks: Readonly<Record<string, unknown>>): void {
  for (const [name, callback] of Object.entries(callbacks)) {
    if (callback === undefined || typeof callback === "function") continue;
    throw new SimdgradError("CONFIG", `${where}: expected ${name} to be a function, received ${show(callback)}.`);
  }
}

interface FitData {
  readonly training: ReadDataset | Stream;
  readonly validation: ReadDataset | Stream | undefined;
}

function prepareData(
  where: string,
  data: DataSource,
  epochs: number,
  options: FitOptions,
  engine: Engine,
  trainer: Trainer,
  inputs: FitInputs[],
): FitData {
  const { validation, validationSplit, classWeight } = options;
  const weigh = (set: ReadDataset) =>
    classWeight === undefined ? set : applyClassWeight(where, set, classWeight, trainer);
  const read = (at: string, source: DataSource, weigh?: (set: ReadDataset) => ReadDataset) => {
    if (isStream(source)) return new Stream(at, source, epochs, trainer.shape, weigh);
    const set = readForFit(at, source, engine, trainer, inputs);
    return weigh ? weighed(at, set, weigh) : set;
  };
  if (validationSplit === undefined) {
    return {
      training: read(where, data, weigh),
      validation: validation === undefined ? undefined : read(`${where}, validation`, validation),
    };
  }
  if (validation !== undefined || isStream(data)) {
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected ${validation ? "validation or validationSplit, received both" : "no validationSplit of a stream"}.`,
    );
  }
  const [first, last] = split(where, readForFit(where, data, engine, trainer, inputs), validationSplit);
  return { training: weighed(where, first, weigh), validation: last };
}

/** Errors: CONFIG, DATA. */
function weighed(where: string, set: ReadDataset, weigh: (set: ReadDataset) => ReadDataset): ReadDataset {
  const result = weigh(set);
  checkWeight(where, result);
  return result;
}

/** Reads a set and makes it safe from what happens while fit awaits: targets index memory and are copied; inputs are
 *  checked again with each batch, and copied only where they lie in the model's own memory. */
function readForFit(where: string, data: Dataset, engine: Engine, trainer: Trainer, inputs: FitInputs[]): ReadDataset {
  const set = readDataset(where, data, trainer.shape);
  const x = apartFrom(set.x, engine.f32.buffer);
  inputs.push({ where, x });
  checkIndices(where, engine.plan, x);
  const { kind, matrix } = set.targets;
  return { ...set, x, targets: { kind, matrix: { ...matrix, values: matrix.values.slice() } } };
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

/** Row weights times the weight of the row's class. Errors: CONFIG, DATA. */
function applyClassWeight(
  where: string,
  data: ReadDataset,
  classWeight: NonNullable<FitOptions["classWeight"]>,
  trainer: Trainer,
): ReadDataset {
  const { kind, outputs } = trainer.shape;
  if (kind === "values" || (kind === "probabilities" && outputs > 1)) {
    throw new SimdgradError("CONFIG", `${where}: expected classes with classWeight, received targets that are none.`);
  }
  const table = readClassWeight(where, classWeight, kind === "classes" ? outputs : 2);
  const weights = Float32Array.from(
    { length: data.rows },
    (_, i) => (data.weights?.[i] ?? 1) * table[classOf(data.targets, i)],
  );
  return { ...data, weights };
}

/** A weight a class: an array of all, or a record whose missing classes weigh 1. */
function readClassWeight(where: string, classWeight: unknown, classes: number): number[] {
  const list = Array.isArray(classWeight) || isNumberArray(classWeight);
  if (list && classWeight.length !== classes) {
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected classWeight of ${classes} classes, received ${classWeight.length}.`,
    );
  }
  if (classWeight instanceof Map) {
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected classWeight to be an array or a plain object, received a Map.`,
    );
  }
  const record: Record<string, unknown> = {
    ...checkObject(`${where}, classWeight`, list ? { ...classWeight } : (classWeight as object)),
  };
  const names = Array.from({ length: classes }, (_, i) => String(i));
  checkKeys(`${where}, classWeight`, record, names);
  return names.map((name) =>
    // Above, a product with a row's weight may leave f32.
    checkNumber(where, `classWeight of class ${name}`, orDefault(record[name], 1), { low: 0, high: 1e18 }),
  );
}
