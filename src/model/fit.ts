// Training over epochs: order, batches, validation, reports.
import { SimdgradError } from "../errors.ts";
import { shuffle } from "./batches.ts";
import type { ReadDataset } from "./data.ts";
import { measure } from "./evaluate.ts";
import type { FitInputs } from "./fit-data.ts";
import type { FitJob } from "./fit-job.ts";
import { checkFinite } from "./matrix.ts";
import type { Progress, RunState } from "./progress.ts";
import { type EpochReport, type Outcome, validationName } from "./reports.ts";
import { Stream } from "./stream.ts";
import type { Trainer } from "./trainer.ts";
import { Turns } from "./turns.ts";
import { yieldToEventLoop } from "./yielding.ts";

/** Numbers that are checked between two turns. */
const CHECKED_A_TURN = 4e6;

/** Runs the epochs, a report each. With early stopping the model has the best epoch's state however this ends; what
 *  was interrupted can be resumed all the same. */
export async function* epochs(
  trainer: Trainer,
  job: FitJob,
  progress: Progress,
): AsyncGenerator<EpochReport, Outcome, void> {
  const { engine } = trainer;
  const { data, earlyStopping, signal } = job;
  const turns = new Turns(engine);
  signal?.throwIfAborted();
  for (const inputs of job.inputs) await checkInputs(inputs, signal);
  engine.ensureCapacity(job.where, Math.min(job.batchSize, rowsOf(data) || job.batchSize));
  const run = startRun(trainer, job, progress);
  try {
    while (run.done < job.epochs && !earlyStopping?.isOver(run)) {
      const started = performance.now();
      const rows = await runEpoch({ trainer, job, turns, run, progress });
      const milliseconds = Math.max(performance.now() - started, 1e-3);
      const { step, learningRate } = engine.update;
      const report: EpochReport = {
        epoch: progress.epoch + 1,
        step,
        ...trainer.measures(run),
        learningRate,
        rowsPerSecond: (rows / milliseconds) * 1000,
      };
      if (job.validation) {
        const where = `${job.where}, validation`;
        const measured = await measure(where, trainer, job.validation, signal, turns);
        for (const [name, value] of Object.entries(measured)) Object.assign(report, { [validationName(name)]: value });
      }
      earlyStopping?.observe(run, report, engine);
      Object.assign(run, { done: run.done + 1, batch: 0, sums: trainer.noSums() });
      progress.epoch++;
      await job.onEpoch?.(report);
      signal?.throwIfAborted();
      yield report;
    }
    if (progress.run === run) progress.run = undefined;
  } finally {
    if (run.stopping) {
      if (progress.run) run.paused = engine.copyState();
      engine.restoreState(run.stopping.state);
    }
  }
  const stopped = run.done < job.epochs ? "early" : "finished";
  return run.stopping ? { stopped, bestEpoch: run.stopping.bestEpoch } : { stopped };
}

/** Errors: DATA naming row and column. */
async function checkInputs({ where, x }: FitInputs, signal: FitJob["signal"]): Promise<void> {
  const rows = Math.ceil(CHECKED_A_TURN / x.columns);
  for (let start = 0; start < x.rows; start += rows) {
    if (start > 0) await yieldToEventLoop();
    signal?.throwIfAborted();
    checkFinite(where, "x", x, start, Math.min(start + rows, x.rows));
  }
}

/** A new run, which takes the interrupted one's place with its first step, or that one.
 *  Errors: CONFIG when that had other data or batches. */
function startRun(trainer: Trainer, { where, resume, data, batchSize }: FitJob, progress: Progress): RunState {
  const { run } = progress;
  const rows = rowsOf(data);
  if (!resume || !run) {
    const sums = trainer.noSums();
    return { rows, batchSize, done: 0, batch: 0, sums, stopping: undefined, paused: undefined };
  }
  if (run.rows !== rows || run.batchSize !== batchSize) {
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected the interrupted run's ${told(run.rows)} in batches of ${run.batchSize}, received ${told(rows)} in batches of ${batchSize}.`,
      "Resume with the same data and batchSize, or without resume.",
    );
  }
  if (run.paused) trainer.engine.restoreState(run.paused);
  run.paused = undefined;
  return run;
}

/** 0 for a stream, whose rows are not known. */
function rowsOf(data: FitJob["data"]): number {
  return data instanceof Stream ? 0 : data.rows;
}

function told(rows: number): string {
  return rows > 0 ? `${rows} rows` : "stream";
}

interface Loop {
  readonly trainer: Trainer;
  readonly job: FitJob;
  readonly turns: Turns;
  readonly run: RunState;
  readonly progress: Progress;
}

/** The rest of an epoch; how many rows it was. */
async function runEpoch(loop: Loop): Promise<number> {
  const { job, run } = loop;
  const { data, chunk, batchSize, signal } = job;
  if (!(data instanceof Stream)) return runBatches(loop, data, 0, 0, Math.ceil(data.rows / batchSize));
  let rows = 0;
  let part = Math.floor((run.batch * batchSize) / chunk);
  for await (const set of data.chunks(chunk, part * chunk, signal)) {
    rows += await runBatches(loop, set, part, (part * chunk) / batchSize, Number.POSITIVE_INFINITY);
    part++;
  }
  if (Math.ceil(data.pulled / batchSize) < run.batch) {
    throw new SimdgradError(
      "CONFIG",
      `${job.where}: expected the interrupted run's stream, which had more rows, received one of ${data.pulled}.`,
    );
  }
  return rows;
}

/** The batches of a set, the first of which is number `first` of the epoch; how many rows they were. */
async function runBatches(
  { trainer, job, turns, run, progress }: Loop,
  set: ReadDataset,
  part: number,
  first: number,
  batches: number,
): Promise<number> {
  const { engine } = trainer;
  const { epoch } = progress;
  const { where, batchSize, signal, onBatch } = job;
  const order = job.shuffle ? new Uint32Array(set.rows) : undefined;
  if (order) shuffle(engine, epoch, order, part);
  let rows = 0;
  for (;;) {
    const batch = run.batch;
    const start = (batch - first) * batchSize;
    if (start >= set.rows) return rows;
    signal?.throwIfAborted();
    const count = Math.min(batchSize, set.rows - start);
    const loss = trainer.step(where, set, { start, count, order }, run.sums);
    progress.run = run;
    run.batch++;
    rows += count;
    const told = onBatch?.({ epoch: epoch + 1, batch, batches, step: engine.update.step, loss });
    if (typeof (told as PromiseLike<unknown> | undefined)?.then === "function") await told;
    if (turns.due(count)) await yieldToEventLoop();
  }
}
