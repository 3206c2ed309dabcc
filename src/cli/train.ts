// `simdgrad train`: from a CSV file to a model's file.
import { createHash } from "node:crypto";
import { columnTypes, dropMissing, type Table } from "../data.ts";
import type { RunOptions } from "../index.ts";
import { drawChart } from "./chart.ts";
import { type ColumnChoice, chooseColumns, drawColumns, findTarget, findTask } from "./columns.ts";
import type { Context } from "./context.ts";
import { crossValidate } from "./cross-validation.ts";
import { CommandError, UsageError } from "./errors.ts";
import {
  checkModelWritable,
  checkOutput,
  checkWritable,
  csvOptions,
  decideHeader,
  naming,
  readBytes,
  readModel,
  readTable,
} from "./files.ts";
import { listen } from "./interrupt.ts";
import { printScores } from "./metrics.ts";
import { networkFor } from "./network.ts";
import { kebab, parseLine } from "./options.ts";
import type { Outcome } from "./outcome.ts";
import { writeReport } from "./report.ts";
import { runTraining } from "./session.ts";
import { epochsDone, keptIn, rowsWith, type TrainingRecord } from "./settings.ts";
import { listed, oneLine, plural, type Terminal } from "./terminal.ts";
import { describeTask, epochsOf, settingsOf, TRAIN, type TrainValues, WITH_RESUME } from "./train-options.ts";
import { partsOf, prepareFor, unseenClass } from "./training.ts";

export async function train(args: readonly string[], terminal: Terminal): Promise<void> {
  const { operands, values } = parseLine(TRAIN, args);
  checkValues(values);
  const path = operands[0];
  await checkOutput("save", values.save, [path]);
  await checkOutput("report", values.report, [path]);
  await trainOn({ path, bytes: await readBytes(path) }, values, terminal);
}

export interface Source {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export async function trainOn(source: Source, values: TrainValues, terminal: Terminal): Promise<Outcome> {
  const run: RunOptions = { threads: values.threads, simd: values.simd };
  await checkOutput("report", values.report, [values.save]);
  // At once: a path that cannot be written is no surprise for the end.
  if (values.report !== undefined) await checkWritable(values.report);
  if (values.save !== undefined) await checkModelWritable(values.save);
  terminal.leavesFiles = values.save !== undefined || values.report !== undefined;
  const interrupt = listen();
  try {
    const context = { terminal, values, interrupt, run };
    const outcome = await (values.resume ? resume(source, context) : begin(source, context));
    if (values.json) terminal.print(JSON.stringify(outcome, null, 2));
    return outcome;
  } finally {
    interrupt.release();
  }
}

function checkValues(values: TrainValues): void {
  if (!values.resume) return;
  if (values.save === undefined) throw new UsageError("expected --save with --resume: the file to go on with.");
  const wrong = Object.keys(values).find((key) => !WITH_RESUME.includes(key));
  if (wrong !== undefined) {
    throw new UsageError(`expected no --${kebab(wrong)} with --resume: the training in ${values.save} has its own.`);
  }
}

async function begin({ path, bytes }: Source, context: Context): Promise<Outcome> {
  const { values, terminal } = context;
  const say = values.json ? () => {} : (line: string) => terminal.print(line);
  const options = decideHeader(bytes, csvOptions(values));
  const whole = readTable(path, bytes, options);
  const { name: target } = findTarget(whole, values.target);
  const table = rowsWith(path, whole, target);
  const [task, columns] = naming(path, () => {
    const task = findTask(table, findTarget(table, target), values.task);
    return [task, chooseColumns(table, target, task, values)] as const;
  });
  checkRows(table, values);
  const settings = settingsOf(values, target, task, columns, options);
  say(`${path}: ${plural(whole.rows, "row")}, ${plural(whole.columns.length, "column")}`);
  if (table.rows < whole.rows) say(`left out: ${plural(whole.rows - table.rows, "row")} without a ${target}`);
  say(`\n${drawColumns(columns)}\n`);
  checkInputs(path, columns);
  say(`task: ${describeTask(settings, table)}; --task tells otherwise`);
  const found = { task, target, rows: table.rows, columns };
  const crossValidation =
    values.folds === undefined ? undefined : await crossValidate(table, settings, values.folds, context);
  if (crossValidation && values.save === undefined && values.report === undefined) return { ...found, crossValidation };
  const data = { rows: whole.rows, hash: hashOf(bytes) };
  const training: TrainingRecord = { settings, data, epochs: epochsOf(values), start: 0, finished: false, history: [] };
  const parts = partsOf(table, settings);
  const preprocessing = naming(path, () => prepareFor(parts.train, settings));
  const unseen = unseenClass(table, preprocessing);
  if (unseen !== undefined) {
    throw new CommandError(
      `expected rows of every ${target} in the part for training, none of ${JSON.stringify(unseen)} fell into it. Leave out classes of very few rows, or keep less for validation (--validation 0: nothing).`,
    );
  }
  const model = networkFor(preprocessing, settings, { epochs: training.epochs, rows: parts.train.rows }, context.run);
  const trained = await runTraining({ path, table, model, kept: { preprocessing, training } }, context);
  return finish({ ...found, ...(crossValidation ? { crossValidation } : {}), ...trained }, training, context);
}

/** Errors: CommandError where there is nothing to predict from. */
function checkInputs(path: string, columns: readonly ColumnChoice[]): void {
  if (columns.some(({ role }) => role === "number" || role === "category")) return;
  const others = columns.filter(({ role }) => role !== "target");
  const found = listed(others.map(({ name, role, detail }) => `${name} (${role === "weight" ? role : detail})`));
  throw new CommandError(
    `${path}: expected columns beside the target to predict it from, found ${others.length > 0 ? `only ${oneLine(found)}` : "none"}.`,
  );
}

/** Errors: UsageError for parts that nothing is left for. */
function checkRows({ rows }: Table, { folds }: TrainValues): void {
  if (folds === undefined || folds <= rows) return;
  throw new UsageError(`expected --folds of at most the ${plural(rows, "row")}, received ${folds}.`);
}

async function resume({ path, bytes }: Source, context: Context): Promise<Outcome> {
  const { values, run, terminal } = context;
  const save = values.save as string;
  const model = await readModel(save, run);
  const { preprocessing, training } = keptIn(model, save);
  const { settings, data, history, finished } = training;
  if (data.hash !== hashOf(bytes)) {
    throw new CommandError(`${path}: expected the data that the training in ${save} began with, found others.`);
  }
  const done = epochsDone(history);
  const wanted = values.epochs ?? training.epochs;
  if (finished && (values.epochs === undefined || wanted <= done)) {
    throw new UsageError(
      `the training in ${save} has finished its ${plural(done, "epoch")}; --epochs N goes on to more.`,
    );
  }
  if (wanted < done) {
    throw new UsageError(
      `expected --epochs of at least ${done}, as the training in ${save} has done, received ${wanted}.`,
    );
  }
  Object.assign(training, { epochs: wanted, ...(finished ? { start: done, finished: false } : {}) });
  if (!values.json) terminal.print(`${save}: going on after ${plural(done, "epoch")}, to ${wanted}`);
  const table = dropMissing(readTable(path, bytes, { ...settings.csv, types: columnTypes(preprocessing) }), [
    settings.target,
  ]);
  const trained = await runTraining({ path, table, model, kept: { preprocessing, training }, resume: true }, context);
  return finish({ task: settings.task, target: settings.target, rows: table.rows, ...trained }, training, context);
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function finish(outcome: Outcome, training: TrainingRecord, { values, terminal }: Context): Promise<Outcome> {
  const { report, json } = values;
  if (report !== undefined) await writeReport(report, outcome, training);
  if (json) return outcome;
  if (terminal.out.isTTY) terminal.print(`\n${drawChart(training.history, terminal)}`);
  if (outcome.stopped === "early")
    terminal.print(`\nstopped early: epoch ${outcome.bestEpoch} was the best, and is kept`);
  if (outcome.validation) {
    terminal.heading("On the rows kept for validation");
    printScores(terminal, outcome.validation);
  }
  for (const path of [outcome.saved, report]) if (path !== undefined) terminal.print(`\nwrote ${path}`);
  return outcome;
}
