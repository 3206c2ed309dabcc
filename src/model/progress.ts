// Where a model is in its training: what a file keeps so that a run goes on as if it had never stopped.
import type { Tally } from "../metrics.ts";
import type { StateCopy } from "./engine.ts";

/** Sums over rows, so that batches and chunks add up to a mean. */
export interface LossSums {
  loss: number;
  weight: number;
  /** Right answers; stays 0 where the loss has no classes. */
  correct: number;
  /** How many answers there were. */
  answers: number;
  /** The metrics' sums, where there are any. */
  tally?: number[];
}

export interface Progress {
  /** Epochs finished over the model's life; shuffles go by it. */
  epoch: number;
  /** The run that is under way or was interrupted. */
  run: RunState | undefined;
}

/** One call of fit, between two batches. */
export interface RunState {
  /** 0 for a stream. */
  readonly rows: number;
  readonly batchSize: number;
  /** Epochs finished in this run. */
  done: number;
  /** The next batch of the epoch. */
  batch: number;
  /** Sums of the epoch so far. */
  sums: LossSums;
  stopping: StoppingState | undefined;
  /** The state at the interruption, where early stopping brought back a better one since. */
  paused: StateCopy | undefined;
}

/** What early stopping remembers. */
interface StoppingState {
  /** The best score so far, lower is better. */
  readonly best: number;
  readonly bestEpoch: number;
  /** Epochs without a gain since. */
  waited: number;
  readonly state: StateCopy;
}

export function noSums(tally: Tally | undefined): LossSums {
  const sums = { loss: 0, weight: 0, correct: 0, answers: 0 };
  return tally ? { ...sums, tally: new Array<number>(tally.size).fill(0) } : sums;
}
