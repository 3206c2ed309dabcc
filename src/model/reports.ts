// What training tells about itself.
import type { MetricName } from "../metrics.ts";

/** What `onBatch` is told. */
export interface BatchReport {
  /** The model's epoch, from 1. */
  epoch: number;
  /** Batch in the epoch, from 0. */
  batch: number;
  /** Batches an epoch; Infinity in a stream, whose end is not known. */
  batches: number;
  /** Optimizer steps so far. */
  step: number;
  loss: number;
}

/** A metric of training, or of validation. */
export type ReportName = MetricName | `validation${Capitalize<MetricName>}`;

/** What an epoch came to. */
export interface EpochReport extends Partial<Record<ReportName, number>> {
  /** The model's epoch, from 1; goes on counting over several calls. */
  epoch: number;
  /** Optimizer steps so far. */
  step: number;
  /** Mean over the epoch's rows, each before its step. */
  loss: number;
  accuracy?: number;
  validationLoss?: number;
  validationAccuracy?: number;
  /** Of the next step. */
  learningRate: number;
  rowsPerSecond: number;
}

/** How a training ended. */
export interface Outcome {
  /** "early": by early stopping. */
  stopped: "finished" | "early";
  /** With early stopping: the epoch whose state the model has now. */
  bestEpoch?: number;
}

/** What `fit` gives: a report each epoch, and how it ended. */
export interface History extends Outcome {
  epochs: EpochReport[];
}

/** loss -> validationLoss. */
export function validationName(name: string): string {
  return `validation${name[0].toUpperCase()}${name.slice(1)}`;
}
