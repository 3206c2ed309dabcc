// Training over epochs: order, batches, validation, reports.
import { SimdgradError, show } from "../errors.ts";
import { checkBoolean, checkCount, checkKeys, checkNumber } from "../options.ts";
import { shuffle } from "./batches.ts";
import { checkFinite, type Dataset, type ReadDataset, readDataset } from "./data.ts";
import { EarlyStopping, type EarlyStoppingOptions } from "./early-stopping.ts";
import type { Engine } from "./engine.ts";
import type { BatchReport, EpochReport, Outcome } from "./reports.ts";
import type { LossSums, Trainer } from "./trainer.ts";
import { yieldToEventLoop } from "./yielding.ts";

export interface FitOptions {
  epochs?: number;
  batchSize?: number;
  shuffle?: boolean;
  /** Measured after each epoch. */
  validation?: Dataset;
  /** The last fraction of the data, taken before shuffling, as validation. */
  validationSplit?: number;
  /** A weight a class, by index. */
  classWeight?: readonly number[] | Readonly<Record<number, number>>;
  /** Stops when the monitored number no longer gets better, and always brings back the best epoch's state. */
  earlyStopping?: EarlyStoppingOptions;
  onBatch?: (report: BatchReport) => void;
  onEpoch?: (report: EpochReport) => void;
  /** Rejects with its reason between two batches; the model stays usable. */
  signal?: AbortSignal;
  /** Goes on with an interrupted run after load; not in this version. */
  resume?: boolean;
}

/** What counts epochs over a model's life. */
export interface EpochCounter {
  epoch: number;
}

/** Checked options with everything read. */
export interface FitJob {
  readonly epochs: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly data: ReadDataset;
  readonly validation: ReadDataset | undefined;
  readonly earlyStopping: EarlyStopping | undefined;
  readonly onBatch: FitOptions["onBatch"];
  readonly onEpoch: FitOptions["onEpoch"];
  readonly signal: AbortSignal | undefined;
}

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

/** Reads and checks everything before the first step. Errors: CONFIG, SHAPE, DATA. */
export function prepareFit(
  where: string,
  data: Dataset,
  options: FitOptions,
  engine: Engine,
  trainer: Trainer,
): FitJob {
  checkKeys(where, options, OPTIONS);
  const { validationSplit, classWeight, onBatch, onEpoch, signal } = options;
  const read = (at: string, set: Dataset) => {
    const dataset = readDataset(at, set, engine.plan.spec.input, trainer.targets);
    checkFinite(at, "x", dataset.x);
    return dataset;
  };
  if (checkBoolean(where, "resume", options.resume ?? false)) {
    throw new SimdgradError(
      "RUNTIME",
      `${where}: expected resume false, received true.`,
      "This version has no save and load.",
    );
  }
  let training = read(where, data);
  let validation = options.validation && read(`${where}, validation`, options.validation);
  if (validationSplit !== undefined) {
    if (validation)
      throw new SimdgradError("CONFIG", `${where}: expected validation or validationSplit, received both.`);
    [training, validation] = split(where, training, validationSplit);
  }
  if (classWeight !== undefined) training = weigh(where, training, classWeight, trainer);
  for (const [name, callback] of Object.entries({ onBatch, onEpoch })) {
    if (callback !== undefined && typeof callback !== "function") {
      throw new SimdgradError("CONFIG", `${where}: expected ${name} to be a function, received ${show(callback)}.`);
    }
  }
  const earlyStopping = options.earlyStopping && new EarlyStopping(where, engine, options.earlyStopping);
  earlyStopping?.checkMeasured(where, { validates: validation !== undefined, classifies: trainer.classifies });
  return {
    epochs: checkCount(where, "epochs", options.epochs ?? 1, 0),
    batchSize: checkCount(where, "batchSize", options.batchSize ?? 32),
    shuffle: checkBoolean(where, "shuffle", options.shuffle ?? true),
    data: training,
    validation,
    earlyStopping,
    onBatch,
    onEpoch,
    signal,
  };
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
  return [rowsOf(data, 0, first), rowsOf(data, first, data.rows)];
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
  };
}

/** Row weights times the weight of the row's class. Errors: CONFIG. */
function weigh(
  where: string,
  data: ReadDataset,
  classWeight: NonNullable<FitOptions["classWeight"]>,
  trainer: Trainer,
): ReadDataset {
  const { kind, outputs } = trainer.targets;
  if (kind === "values" || (kind === "probabilities" && outputs > 1)) {
    throw new SimdgradError("CONFIG", `${where}: expected classes with classWeight, received targets that are none.`);
  }
  const classes = kind === "classes" ? outputs : 2;
  const table = Array.from({ length: classes }, (_, i) =>
    checkNumber(where, `classWeight of class ${i}`, (classWeight as Record<number, number>)[i] ?? 1, { low: 0 }),
  );
  for (const key of Object.keys(classWeight)) {
    if (!(Number(key) in table)) {
      throw new SimdgradError(
        "CONFIG",
        `${where}: expected classWeight of classes 0 to ${classes - 1}, received one of ${show(key)}.`,
      );
    }
  }
  const weights = new Float32Array(data.rows);
  for (let i = 0; i < data.rows; i++) weights[i] = (data.weights?.[i] ?? 1) * table[classOf(data, i)];
  if (!weights.some((weight) => weight > 0)) {
    throw new SimdgradError("DATA", `${where}: expected a row whose class weight is above 0, found none.`);
  }
  return { ...data, weights };
}

function classOf({ targets }: ReadDataset, row: number): number {
  const { values, columns } = targets.matrix;
  if (targets.kind === "labels") return values[row];
  if (columns === 1) return values[row] > 0.5 ? 1 : 0;
  let best = 0;
  for (let j = 1; j < columns; j++) if (values[row * columns + j] > values[row * columns + best]) best = j;
  return best;
}

/** Planned work between two turns of the event loop, about 10 ms of it. Units: FLOPs; a call counts as some. */
const WORK_A_TURN = 2e8;
const WORK_A_STEP = 5e4;

/** Runs the epochs, a report each. Between batches the event loop turns, by planned work and not by a clock. */
export async function* epochs(
  engine: Engine,
  trainer: Trainer,
  job: FitJob,
  counter: EpochCounter,
): AsyncGenerator<EpochReport, Outcome, void> {
  const { data, batchSize, earlyStopping } = job;
  const order = job.shuffle ? new Uint32Array(data.rows) : undefined;
  const batches = Math.ceil(data.rows / batchSize);
  const workARow = 6 * engine.plan.parameterCount;
  engine.ensureCapacity(Math.min(batchSize, data.rows));
  let work = 0;
  for (let done = 0; done < job.epochs; done++) {
    const started = performance.now();
    if (order) shuffle(engine, engine.plan.spec.seed, counter.epoch, order);
    const sums: LossSums = { loss: 0, weight: 0, correct: 0, answers: 0 };
    for (let batch = 0; batch < batches; batch++) {
      job.signal?.throwIfAborted();
      const start = batch * batchSize;
      const count = Math.min(batchSize, data.rows - start);
      const loss = trainer.step("fit", data, { start, count, order }, sums);
      job.onBatch?.({ epoch: counter.epoch + 1, batch, batches, step: engine.update.step, loss });
      work += WORK_A_STEP + workARow * count;
      if (work > WORK_A_TURN) {
        work = 0;
        await yieldToEventLoop();
      }
    }
    const seconds = (performance.now() - started) / 1000;
    counter.epoch++;
    const report = epochReport(engine, trainer, job, counter.epoch, sums, data.rows / seconds);
    job.onEpoch?.(report);
    const enough = earlyStopping?.observe(report) ?? false;
    yield report;
    if (enough) return finish("early", earlyStopping);
  }
  return finish("finished", earlyStopping);
}

function finish(stopped: Outcome["stopped"], earlyStopping: EarlyStopping | undefined): Outcome {
  earlyStopping?.restore();
  const bestEpoch = earlyStopping?.bestEpoch;
  return bestEpoch === undefined ? { stopped } : { stopped, bestEpoch };
}

function epochReport(
  engine: Engine,
  trainer: Trainer,
  job: FitJob,
  epoch: number,
  sums: LossSums,
  rowsPerSecond: number,
): EpochReport {
  const { loss, accuracy } = means(sums);
  const report: EpochReport = {
    epoch,
    step: engine.update.step,
    loss,
    learningRate: engine.update.learningRate,
    rowsPerSecond,
  };
  if (accuracy !== undefined) report.accuracy = accuracy;
  if (job.validation) {
    const validation = means(trainer.evaluate("fit, validation", job.validation));
    report.validationLoss = validation.loss;
    if (validation.accuracy !== undefined) report.validationAccuracy = validation.accuracy;
  }
  return report;
}

/** Means of what was summed; accuracy only where there were classes. */
export function means({ loss, weight, correct, answers }: LossSums): { loss: number; accuracy?: number } {
  const mean = weight > 0 ? loss / weight : 0;
  return answers > 0 ? { loss: mean, accuracy: correct / answers } : { loss: mean };
}
