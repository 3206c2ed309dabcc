// Training over epochs: order, batches, validation, reports.
import { SimdgradError } from "../errors.ts";
import { shuffle } from "./batches.ts";
import type { ReadDataset } from "./data.ts";
import type { Engine } from "./engine.ts";
import type { FitJob } from "./fit-job.ts";
import type { Progress, RunState } from "./progress.ts";
import { type EpochReport, type Outcome, validationName } from "./reports.ts";
import type { Trainer } from "./trainer.ts";
import { yieldToEventLoop } from "./yielding.ts";

/** Planned work between two turns of the event loop, about 10 ms of it: FLOPs, with what a call, a row and a number
 *  that is moved cost beside them. */
const WORK_A_TURN = 2e8;
const WORK_A_STEP = 5e4;
const WORK_A_ROW = 2000;
const WORK_A_NUMBER = 30;

/** Lets the event loop turn by planned work and not by a clock: on Workers clocks stand still between I/O. */
class Turns {
  private readonly workARow: number;
  private work = 0;

  constructor({ plan }: Engine) {
    const units = plan.planned.reduce((sum, layer) => sum + layer.units, plan.spec.input);
    this.workARow = WORK_A_ROW + WORK_A_NUMBER * units + 6 * plan.parameterCount;
  }

  /** Whether it is time, after a call on these rows. */
  due(rows: number): boolean {
    this.work += WORK_A_STEP + this.workARow * rows;
    if (this.work < WORK_A_TURN) return false;
    this.work = 0;
    return true;
  }
}

/** Runs the epochs, a report each. With early stopping the model has the best epoch's state however this ends; what
 *  was interrupted can be resumed all the same. */
export async function* epochs(
  engine: Engine,
  trainer: Trainer,
  job: FitJob,
  progress: Progress,
): AsyncGenerator<EpochReport, Outcome, void> {
  const { data, earlyStopping, signal } = job;
  const order = job.shuffle ? new Uint32Array(data.rows) : undefined;
  const turns = new Turns(engine);
  signal?.throwIfAborted();
  engine.ensureCapacity(Math.min(job.batchSize, data.rows));
  const run = startRun(engine, trainer, job, progress);
  try {
    while (run.done < job.epochs && !earlyStopping?.isOver(run)) {
      const started = performance.now();
      const rows = data.rows - run.batch * job.batchSize;
      if (order) shuffle(engine, engine.plan.spec.seed, progress.epoch, order);
      await runEpoch(engine, trainer, job, progress.epoch + 1, run, order, turns);
      const milliseconds = Math.max(performance.now() - started, 1e-3);
      const report = trainingReport(engine, trainer, progress.epoch + 1, run, (rows / milliseconds) * 1000);
      if (job.validation) await validate(trainer, job, job.validation, report, turns);
      earlyStopping?.observe(run, report, engine);
      Object.assign(run, { done: run.done + 1, batch: 0, sums: trainer.noSums() });
      progress.epoch++;
      await job.onEpoch?.(report);
      signal?.throwIfAborted();
      yield report;
    }
    progress.run = undefined;
  } finally {
    if (run.stopping) {
      if (progress.run) run.paused = engine.copyState();
      engine.restoreState(run.stopping.state);
    }
  }
  const stopped = run.done < job.epochs ? "early" : "finished";
  return run.stopping ? { stopped, bestEpoch: run.stopping.bestEpoch } : { stopped };
}

/** A new run, or the interrupted one. Errors: CONFIG when that had other data or batches. */
function startRun(
  engine: Engine,
  trainer: Trainer,
  { where, resume, data, batchSize }: FitJob,
  progress: Progress,
): RunState {
  const { run } = progress;
  if (!resume || !run) {
    const sums = trainer.noSums();
    progress.run = { rows: data.rows, batchSize, done: 0, batch: 0, sums, stopping: undefined, paused: undefined };
    return progress.run;
  }
  if (run.rows !== data.rows || run.batchSize !== batchSize) {
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected the interrupted run's ${run.rows} rows in batches of ${run.batchSize}, received ${data.rows} in batches of ${batchSize}.`,
      "Resume with the same data and batchSize, or without resume.",
    );
  }
  if (run.paused) engine.restoreState(run.paused);
  run.paused = undefined;
  return run;
}

async function runEpoch(
  engine: Engine,
  trainer: Trainer,
  { where, data, batchSize, signal, onBatch }: FitJob,
  epoch: number,
  run: RunState,
  order: Uint32Array | undefined,
  turns: Turns,
): Promise<void> {
  const batches = Math.ceil(data.rows / batchSize);
  while (run.batch < batches) {
    signal?.throwIfAborted();
    const batch = run.batch;
    const start = batch * batchSize;
    const count = Math.min(batchSize, data.rows - start);
    const loss = trainer.step(where, data, { start, count, order }, run.sums);
    run.batch++;
    const told = onBatch?.({ epoch, batch, batches, step: engine.update.step, loss });
    if (told instanceof Promise) await told;
    if (turns.due(count)) await yieldToEventLoop();
  }
}

async function validate(
  trainer: Trainer,
  { where, signal }: FitJob,
  data: ReadDataset,
  report: EpochReport,
  turns: Turns,
): Promise<void> {
  const measuring = trainer.startMeasuring();
  for (const rows of trainer.evaluateChunks(`${where}, validation`, data, measuring)) {
    if (turns.due(rows)) {
      await yieldToEventLoop();
      signal?.throwIfAborted();
    }
  }
  for (const [name, value] of Object.entries(trainer.measures(measuring))) {
    Object.assign(report, { [validationName(name)]: value });
  }
}

function trainingReport(
  engine: Engine,
  trainer: Trainer,
  epoch: number,
  { sums }: RunState,
  rowsPerSecond: number,
): EpochReport {
  const { step, learningRate } = engine.update;
  return { epoch, step, ...trainer.measures({ sums }), learningRate, rowsPerSecond };
}
