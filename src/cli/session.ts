// One training with all that is around it: progress, checkpoints, interruption.
import type { Preprocessing, Table } from "../data.ts";
import type { Model } from "../index.ts";
import { Checkpoints } from "./checkpoints.ts";
import type { Context } from "./context.ts";
import { forShell, Interruption } from "./errors.ts";
import { naming } from "./files.ts";
import { inUnits, measuresOf } from "./measures.ts";
import type { Scores } from "./metrics.ts";
import type { Outcome } from "./outcome.ts";
import { type Progress, progressOf, SILENT } from "./progress.ts";
import { epochsDone, type KeptModel, type TrainingRecord } from "./settings.ts";
import { grouped, plural, type Terminal } from "./terminal.ts";
import {
  answersOf,
  classesIn,
  fitModel,
  partsOf,
  type Samples,
  samplesOf,
  scoresOf,
  type Watching,
} from "./training.ts";

export interface Training {
  readonly path: string;
  readonly table: Table;
  readonly model: Model;
  readonly kept: KeptModel;
  readonly resume?: boolean;
}

/** Fits with checkpoints. Errors: Interruption, after what was reached has been kept. */
export async function runTraining(
  { path, table, model, kept, resume = false }: Training,
  { terminal, values, interrupt }: Context,
): Promise<Omit<Outcome, "task" | "target" | "rows">> {
  const { preprocessing, training } = kept;
  const { settings, start, history } = training;
  const { save } = values;
  const parts = partsOf(table, settings);
  const samples = naming(path, () => samplesOf(preprocessing, parts, settings));
  const checkpoints = new Checkpoints(model, kept, save, values.checkpointEvery ?? 30);
  if (!values.json) announce(terminal, model, samples.train.rows, parts.validation?.rows ?? 0);
  const work = { first: epochsDone(history) + 1, last: training.epochs, rows: samples.train.rows };
  const progress = values.json || values.quiet ? SILENT : progressOf(terminal, work);
  const watching = { ...watch(kept, progress, checkpoints), signal: interrupt.signal, resume };
  try {
    const epochs = training.epochs - start;
    const { stopped, bestEpoch } = await fitModel(model, preprocessing, samples, settings, epochs, watching);
    progress.stop();
    Object.assign(training, { finished: true, bestEpoch });
    await checkpoints.write();
    const validation = scoreValidation(model, preprocessing, samples);
    return { parameters: model.weights.length, epochs: history, stopped, bestEpoch, validation, saved: save };
  } catch (error) {
    progress.stop();
    throw error instanceof Interruption ? await interrupted(path, checkpoints, training, save) : error;
  }
}

/** What happens while a training goes on: it is written down, shown and kept. */
function watch({ training, preprocessing }: KeptModel, progress: Progress, checkpoints: Checkpoints): Watching {
  return {
    onBatch(report) {
      progress.onBatch(report);
      return checkpoints.due();
    },
    onEpoch(given) {
      const report = inUnits(given, preprocessing);
      const { rowsPerSecond: _, ...record } = report;
      training.history.push(record);
      progress.onEpoch(report);
      return checkpoints.due();
    },
  };
}

function scoreValidation(model: Model, preprocessing: Preprocessing, { validation }: Samples): Scores | undefined {
  if (!validation) return undefined;
  const metrics = measuresOf(model, preprocessing, validation);
  return scoresOf(answersOf(model, preprocessing, validation), classesIn(preprocessing), metrics);
}

function announce(terminal: Terminal, model: Model, rows: number, validation: number): void {
  const kept = validation > 0 ? `, ${plural(validation, "row")} kept for validation` : "";
  const widths = model.spec.layers.flatMap((layer) => ("units" in layer ? [layer.units] : []));
  const shape = [model.spec.input, ...widths].join("-");
  terminal.heading(`Training ${shape}, ${plural(model.weights.length, "parameter")}, on ${plural(rows, "row")}${kept}`);
}

async function interrupted(
  path: string,
  checkpoints: Checkpoints,
  { history, epochs }: TrainingRecord,
  save: string | undefined,
): Promise<Interruption> {
  const where = `interrupted after ${grouped(epochsDone(history))} of ${plural(epochs, "epoch")}`;
  if (save === undefined) return new Interruption(`${where}; nothing was kept, as there is no --save.`);
  await checkpoints.write();
  return new Interruption(
    `${where}; kept in ${save}. Go on with:\n  simdgrad train ${forShell(path)} --save ${forShell(save)} --resume`,
  );
}
