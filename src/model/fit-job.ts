// What fit and train are asked to do: options and data, read and checked before the first step.
import { SimdgradError, show } from "../errors.ts";
import { checkBoolean, checkCount, checkKeys, orDefault } from "../options.ts";
import type { AbortSignalLike } from "../wasm.ts";
import { checkBatchRows, checkIsDataset } from "./data.ts";
import { EarlyStopping } from "./early-stopping.ts";
import { type FitData, readFitData } from "./fit-data.ts";
import type { FitOptions } from "./fit-options.ts";
import { type DataSource, isStream, Stream } from "./stream.ts";
import type { Trainer } from "./trainer.ts";

/** Checked options with everything read. */
export interface FitJob extends FitData {
  /** The call that errors name: fit or train. */
  readonly where: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  /** Rows of a stream that are shuffled, or just cut into batches, at a time: a multiple of batchSize. */
  readonly chunk: number;
  readonly resume: boolean;
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
export function prepareFit(where: string, source: DataSource, options: FitOptions, trainer: Trainer): FitJob {
  if (!isStream(source)) checkIsDataset(where, source);
  checkKeys(where, options, OPTIONS);
  const { onBatch, onEpoch, signal } = options;
  checkCallbacks(where, { onBatch, onEpoch });
  if (signal !== undefined && typeof signal?.throwIfAborted !== "function") {
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected signal to be an AbortSignal, received ${show(signal)}.`,
      "An AbortController has it as its .signal.",
    );
  }
  const epochs = checkCount(where, "epochs", orDefault(options.epochs, 1), 0);
  const batchSize = checkCount(where, "batchSize", orDefault(options.batchSize, 32));
  const buffer = readShuffle(where, orDefault(options.shuffle, !isStream(source)));
  const read = readFitData(where, source, epochs, options, trainer);
  if (!(read.data instanceof Stream)) {
    const { rows } = read.data;
    checkBatchRows(where, trainer.engine.plan, Math.min(rows, rows % batchSize || batchSize));
  }
  return {
    ...read,
    where,
    epochs,
    batchSize,
    shuffle: buffer > 0,
    chunk: Math.max(Math.ceil(buffer / batchSize), 1) * batchSize,
    resume: checkBoolean(where, "resume", orDefault(options.resume, false)),
    earlyStopping:
      options.earlyStopping === undefined
        ? undefined
        : new EarlyStopping(where, options.earlyStopping, trainer.measured(read.validation !== undefined)),
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
