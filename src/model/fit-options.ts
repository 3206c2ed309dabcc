// What users may ask of fit and train.
import type { AbortSignalLike } from "../wasm.ts";
import type { EarlyStoppingOptions } from "./early-stopping.ts";
import type { BatchReport, EpochReport } from "./reports.ts";
import type { DataSource } from "./stream.ts";

/** Options of `fit` and `train`. */
export interface FitOptions {
  /** Passes over the data. Default 1. */
  epochs?: number | undefined;
  /** Rows a step; the last batch may be short. Default 32. */
  batchSize?: number | undefined;
  /** Every epoch in an order of its own, a function of the seed. Default true; of a stream, where it mixes the rows of a
   *  buffer (4096, or as many as said) at a time, false. Arrays are shuffled as a whole, whatever the buffer. */
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
  /** Rejects with its reason between two batches, after what a callback promised; the model stays usable. */
  signal?: AbortSignalLike | undefined;
  /** Finishes an interrupted run as if it had not been, also after save and load; without one, as when the last has
   *  finished, starts anew. `epochs` counts from the run's start. */
  resume?: boolean | undefined;
}
