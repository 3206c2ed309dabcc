// What training tells about itself.

export interface BatchReport {
  /** The model's epoch, from 1. */
  epoch: number;
  /** Batch in the epoch, from 0. */
  batch: number;
  /** Batches an epoch. */
  batches: number;
  /** Optimizer steps so far. */
  step: number;
  loss: number;
}

export interface EpochReport {
  /** The model's epoch, from 1; goes on counting over several calls. */
  epoch: number;
  /** Optimizer steps so far. */
  step: number;
  /** Mean over the epoch's rows, each before its step. */
  loss: number;
  accuracy?: number;
  validationLoss?: number;
  validationAccuracy?: number;
  learningRate: number;
  rowsPerSecond: number;
}

/** How a training ended. */
export interface Outcome {
  stopped: "finished" | "early";
  /** With early stopping: the epoch whose state the model has now. */
  bestEpoch?: number;
}

export interface History extends Outcome {
  epochs: EpochReport[];
}
