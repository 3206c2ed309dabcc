// Training over epochs: order, batches, validation, reports.
import { shuffle } from "./batches.ts";
import type { ReadDataset } from "./data.ts";
import type { Engine } from "./engine.ts";
import type { FitJob } from "./fit-job.ts";
import type { EpochReport, Outcome } from "./reports.ts";
import type { LossSums, Trainer } from "./trainer.ts";
import { yieldToEventLoop } from "./yielding.ts";

/** What counts epochs over a model's life. */
export interface EpochCounter {
  epoch: number;
}

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

/** Runs the epochs, a report each. However it ends, early stopping has the best epoch's state brought back. */
export async function* epochs(
  engine: Engine,
  trainer: Trainer,
  job: FitJob,
  counter: EpochCounter,
): AsyncGenerator<EpochReport, Outcome, void> {
  const { data, earlyStopping, signal } = job;
  const order = job.shuffle ? new Uint32Array(data.rows) : undefined;
  const turns = new Turns(engine);
  let stopped: Outcome["stopped"] = "finished";
  try {
    signal?.throwIfAborted();
    engine.ensureCapacity(Math.min(job.batchSize, data.rows));
    for (let done = 0; done < job.epochs && stopped === "finished"; done++) {
      const started = performance.now();
      if (order) shuffle(engine, engine.plan.spec.seed, counter.epoch, order);
      const sums = await runEpoch(engine, trainer, job, counter.epoch + 1, order, turns);
      const milliseconds = Math.max(performance.now() - started, 1e-3);
      counter.epoch++;
      const report = trainingReport(engine, counter.epoch, sums, (data.rows / milliseconds) * 1000);
      if (job.validation) await validate(trainer, job, job.validation, report, turns);
      job.onEpoch?.(report);
      signal?.throwIfAborted();
      if (earlyStopping?.observe(report)) stopped = "early";
      yield report;
    }
  } finally {
    earlyStopping?.restore();
  }
  const bestEpoch = earlyStopping?.bestEpoch;
  return bestEpoch === undefined ? { stopped } : { stopped, bestEpoch };
}
async function runEpoch(
  engine: Engine,
  trainer: Trainer,
  job: FitJob,
  epoch: number,
  order: Uint32Array | undefined,
  turns: Turns,
): Promise<LossSums> {
  const { where, data, batchSize, signal } = job;
  const batches = Math.ceil(data.rows / batchSize);
  const sums: LossSums = { loss: 0, weight: 0, correct: 0, answers: 0 };
  for (let batch = 0; batch < batches; batch++) {
    signal?.throwIfAborted();
    const start = batch * batchSize;
    const count = Math.min(batchSize, data.rows - start);
    const loss = trainer.step(where, data, { start, count, order }, sums);
    job.onBatch?.({ epoch, batch, batches, step: engine.update.step, loss });
    if (turns.due(count)) await yieldToEventLoop();
  }
  return sums;
}

async function validate(
  trainer: Trainer,
  { where, signal }: FitJob,
  data: ReadDataset,
  report: EpochReport,
  turns: Turns,
): Promise<void> {
  const chunks = trainer.evaluateChunks(`${where}, validation`, data);
  for (;;) {
    const { done, value } = chunks.next();
    if (done) {
      const { loss, accuracy } = means(value);
      report.validationLoss = loss;
      if (accuracy !== undefined) report.validationAccuracy = accuracy;
      return;
    }
    if (turns.due(value)) {
      await yieldToEventLoop();
      signal?.throwIfAborted();
    }
  }
}

function trainingReport(engine: Engine, epoch: number, sums: LossSums, rowsPerSecond: number): EpochReport {
  const { step, learningRate } = engine.update;
  return { epoch, step, ...means(sums), learningRate, rowsPerSecond };
}

/** Means of what was summed; accuracy only where there were classes. */
export function means({ loss, weight, correct, answers }: LossSums): { loss: number; accuracy?: number } {
  const mean = weight > 0 ? loss / weight : 0;
  return answers > 0 ? { loss: mean, accuracy: correct / answers } : { loss: mean };
}
