// `simdgrad train`: from a CSV file to a model's file.
import { createHash } from "node:crypto";
import { columnTypes, csv, dropMissing, kFold, type Table } from "../data.ts";
import type { EpochReport, History, Model, RunOptions } from "../index.ts";
import { drawChart } from "./chart.ts";
import { Checkpoints, removeLeftovers } from "./checkpoints.ts";
import { type ColumnChoice, chooseColumns, drawColumns, findTarget, findTask } from "./columns.ts";
import { CommandError, Interruption, UsageError } from "./errors.ts";
import { CSV_OPTIONS, csvOptions, decideHeader, JSON_OPTION, readBytes, readModel } from "./files.ts";
import { type Interrupt, listen } from "./interrupt.ts";
import { printScores, type Scores } from "./metrics.ts";
import {
  choice,
  count,
  counts,
  flag,
  kebab,
  number,
  type OptionValues,
  parseLine,
  text,
  texts,
  type Usage,
} from "./options.ts";
import type { CrossValidation, Outcome } from "./outcome.ts";
import { progressOf, SILENT } from "./progress.ts";
import { writeReport } from "./report.ts";
import {
  ACTIVATIONS,
  isClassifier,
  type KeptModel,
  keptIn,
  OPTIMIZERS,
  type Settings,
  type TrainingRecord,
} from "./settings.ts";
import { grouped, plural, type Terminal } from "./terminal.ts";
import { answersOf, classesIn, fitModel, networkFor, partsOf, prepareFor, samplesOf, scoresOf } from "./training.ts";

const OPTIONS = {
  target: text("COLUMN", "what to predict: a column's name, its position from 1, or last", "t"),
  save: text("FILE", "where the model goes, with its preprocessing and the training's state", "o"),
  hidden: counts("64,32", "units of the hidden layers, or none (default 64,32)"),
  epochs: count("passes over the data (default 100)", 1),
  task: choice(["classification", "regression"], "what the target is; found out by default"),
  ignore: texts("A,B", "columns that are left out"),
  categories: texts("A,B", "columns of numbers that are categories"),
  fill: choice(["mean", "median", "most-frequent"], "what missing numbers become (default mean)"),
  scale: choice(["standardize", "min-max", "none"], "how numbers are scaled (default standardize)"),
  unknown: choice(["error", "zeros"], "what the model does with a category it has never seen (default error)"),
  activation: choice(ACTIVATIONS, "of the hidden layers (default relu)"),
  dropout: number("share of each hidden layer's outputs that a step leaves out (default 0)", 0, 0.95),
  optimizer: choice(OPTIMIZERS, "(default adam)"),
  learningRate: number("step size (default as the optimizer's)"),
  weightDecay: number("(default as the optimizer's)"),
  batchSize: count("rows a step (default 32)", 1),
  seed: count("of weights, shuffles and splits (default 0)"),
  validation: number("share of rows kept from training to measure on (default 0.2; 0 with --folds)", 0, 0.9),
  patience: count("stop after so many epochs without a gain, and go back to the best"),
  folds: count("cross-validate first, with so many parts", 2),
  classWeight: text("A=5,B=1", "weights of classes in the loss, or balanced"),
  checkpointEvery: number("seconds between two writes of --save (default 30; 0: after each step)"),
  resume: flag("go on with the interrupted or finished training in --save"),
  report: text("FILE.html", "write the training's curves and scores as a page"),
  threads: count("lanes that share each step (default 1)", 1),
  simd: choice(["strict", "relaxed", "auto"], "same bits everywhere, or faster (default strict)"),
  json: JSON_OPTION,
  quiet: flag("no progress", "q"),
  ...CSV_OPTIONS,
};

export const TRAIN: Usage<typeof OPTIONS> = {
  name: "train",
  about: "Trains a network that predicts one column of a CSV file from the others.",
  operands: ["FILE.csv"],
  options: OPTIONS,
  examples: [
    "simdgrad train penguins.csv --target species --hidden 64,32 --save model.safetensors",
    "simdgrad train penguins.csv --target species --folds 5",
    "simdgrad train houses.csv --target price --patience 10 --report curves.html --save model.safetensors",
    "simdgrad train houses.csv --resume --epochs 200 --save model.safetensors",
  ],
};

type Values = OptionValues<typeof OPTIONS>;

/** What can be said of a training that goes on: all else stands in its file. */
const WITH_RESUME = ["save", "resume", "epochs", "checkpointEvery", "report", "threads", "simd", "json", "quiet"];

/** What stays the same while a command runs. */
interface Context {
  readonly terminal: Terminal;
  readonly values: Values;
  readonly interrupt: Interrupt;
  readonly run: RunOptions;
}

export async function train(args: readonly string[], terminal: Terminal): Promise<void> {
  const { operands, values } = parseLine(TRAIN, args);
  checkValues(values);
  const path = operands[0];
  await trainOn({ path, bytes: await readBytes(path) }, values, terminal);
}

export interface Source {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export async function trainOn(source: Source, values: Values, terminal: Terminal): Promise<Outcome> {
  const run: RunOptions = { threads: values.threads, simd: values.simd };
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

function checkValues(values: Values): void {
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
  const whole = csv(bytes, options);
  const { name: target } = findTarget(whole, values.target);
  const table = dropMissing(whole, [target]);
  const task = findTask(findTarget(table, target), values.task);
  const columns = chooseColumns(table, target, task, values);
  const settings = settingsOf(values, target, task, columns, options);
  say(`${path}: ${plural(whole.rows, "row")}, ${plural(whole.columns.length, "column")}`);
  if (table.rows < whole.rows) say(`left out: ${plural(whole.rows - table.rows, "row")} without a ${target}`);
  say(`\n${drawColumns(columns)}\n`);
  say(`task: ${describeTask(settings, table)}; --task tells otherwise`);
  const found = { task, target, rows: table.rows, columns };
  const crossValidation =
    values.folds === undefined ? undefined : await crossValidate(table, settings, values.folds, context);
  if (crossValidation && values.save === undefined && values.report === undefined) return { ...found, crossValidation };
  const data = { rows: whole.rows, hash: hashOf(bytes) };
  const training: TrainingRecord = { settings, data, epochs: epochsOf(values), start: 0, finished: false, history: [] };
  const parts = partsOf(table, settings);
  const preprocessing = prepareFor(parts.train, settings);
  const model = networkFor(preprocessing, settings, context.run);
  const trained = await runTraining({ path, table, model, kept: { preprocessing, training } }, context);
  return finish({ ...found, ...(crossValidation ? { crossValidation } : {}), ...trained }, training, context);
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
  const done = history.length;
  const wanted = values.epochs ?? training.epochs;
  if (finished && (values.epochs === undefined || wanted <= done)) {
    throw new UsageError(
      `the training in ${save} has finished its ${plural(done, "epoch")}; --epochs N goes on to more.`,
    );
  }
  Object.assign(training, { epochs: wanted, ...(finished ? { start: done, finished: false } : {}) });
  if (!values.json) terminal.print(`${save}: going on after ${plural(done, "epoch")}, to ${wanted}`);
  const table = dropMissing(csv(bytes, { ...settings.csv, types: columnTypes(preprocessing) }), [settings.target]);
  const trained = await runTraining({ path, table, model, kept: { preprocessing, training }, resume: true }, context);
  return finish({ task: settings.task, target: settings.target, rows: table.rows, ...trained }, training, context);
}

function settingsOf(
  values: Values,
  target: string,
  task: Settings["task"],
  columns: readonly ColumnChoice[],
  options: Settings["csv"],
): Settings {
  const classWeight = values.classWeight === undefined ? undefined : readClassWeight(values.classWeight);
  if (classWeight !== undefined && task === "regression") {
    throw new UsageError(
      "expected classes with --class-weight, the target is a number; --task classification makes it classes.",
    );
  }
  const names = (role: ColumnChoice["role"]) =>
    columns.filter((column) => column.role === role).map(({ name }) => name);
  const withheld = values.folds !== undefined && values.patience === undefined ? 0 : 0.2;
  return {
    target,
    task,
    ignore: names("left out"),
    categories: names("category"),
    fill: values.fill ?? "mean",
    scale: values.scale ?? "standardize",
    unknown: values.unknown ?? "error",
    hidden: values.hidden ?? [64, 32],
    activation: values.activation ?? "relu",
    dropout: values.dropout,
    optimizer: values.optimizer ?? "adam",
    learningRate: values.learningRate,
    weightDecay: values.weightDecay,
    batchSize: values.batchSize ?? 32,
    seed: values.seed ?? 0,
    validation: values.validation ?? withheld,
    patience: values.patience,
    classWeight,
    csv: options,
  };
}

/** Errors: UsageError. */
function readClassWeight(given: string): Settings["classWeight"] {
  if (given === "balanced") return given;
  const pairs = given.split(",").map((pair) => /^(.+)=([\d.eE+-]+)$/.exec(pair.trim()));
  const weights = pairs.map((pair) => [pair?.[1] ?? "", Number(pair?.[2])] as const);
  if (weights.every(([, weight]) => weight >= 0 && weight <= 1e18)) return Object.fromEntries(weights);
  throw new UsageError(`expected --class-weight as CLASS=WEIGHT,CLASS=WEIGHT or balanced, received "${given}".`);
}

function describeTask({ task, target }: Settings, table: Table): string {
  const column = findTarget(table, target);
  if (task === "regression") return `regression of ${target}`;
  return `${task} classification of ${target}, ${plural(new Set<unknown>(column.values).size, "class", "classes")}`;
}

function epochsOf({ epochs }: Values): number {
  return epochs ?? 100;
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function crossValidate(
  table: Table,
  settings: Settings,
  count: number,
  context: Context,
): Promise<CrossValidation> {
  const { terminal, values, interrupt, run } = context;
  const stratify = isClassifier(settings) ? settings.target : undefined;
  const folds = kFold(table, { folds: count, seed: settings.seed, stratify });
  const epochs = epochsOf(values);
  const scores: Scores[] = [];
  const answers = { truths: [] as number[], guesses: [] as number[] };
  const classes = classesIn(prepareFor(table, settings));
  if (!values.json) terminal.heading(`Cross-validation, ${plural(count, "fold")}`);
  for (const [i, { train, test }] of folds.entries()) {
    const parts = partsOf(train, settings);
    const preprocessing = prepareFor(parts.train, settings);
    if (classesIn(preprocessing).join() !== classes.join()) {
      throw new CommandError(`fold ${i + 1} has not every class in its training part; use fewer --folds.`);
    }
    const model = networkFor(preprocessing, settings, run);
    const samples = samplesOf(preprocessing, parts);
    const work = { first: 1, last: epochs, rows: samples.train.rows, title: `fold ${i + 1}/${count}` };
    const progress = values.json || values.quiet || !terminal.err.isTTY ? SILENT : progressOf(terminal, work);
    const watching = { onBatch: progress.onBatch, onEpoch: progress.onEpoch, signal: interrupt.signal };
    await fitModel(model, preprocessing, samples, settings, epochs, watching).finally(() => progress.stop());
    const own = answersOf(model, preprocessing, test, "zeros");
    scores.push(scoresOf(own, classes));
    answers.truths.push(...own.truths);
    answers.guesses.push(...own.guesses);
    if (!values.json) terminal.print(`fold ${i + 1}: ${inShort(scores[i])}`);
    model[Symbol.dispose]();
  }
  const together = scoresOf(answers, classes);
  if (!values.json) {
    terminal.print(`\nall folds together, each row predicted by the model that did not see it:`);
    printScores(terminal, together);
  }
  return { folds: scores, together };
}

function inShort(scores: Scores): string {
  return "accuracy" in scores
    ? `accuracy ${scores.accuracy.toFixed(4)}`
    : `root mean squared error ${scores.rootMeanSquaredError.toPrecision(5)}, R2 ${scores.r2.toFixed(4)}`;
}

interface Training {
  readonly path: string;
  readonly table: Table;
  readonly model: Model;
  readonly kept: KeptModel;
  readonly resume?: boolean;
}

/** Fits with checkpoints. Errors: Interruption, after what was reached has been kept. */
async function runTraining(
  { path, table, model, kept, resume = false }: Training,
  { terminal, values, interrupt }: Context,
): Promise<Omit<Outcome, "task" | "target" | "rows">> {
  const { preprocessing, training } = kept;
  const { settings, start, history } = training;
  const { save } = values;
  const parts = partsOf(table, settings);
  const samples = samplesOf(preprocessing, parts);
  if (save !== undefined) await removeLeftovers(save);
  const checkpoints = new Checkpoints(model, kept, save, values.checkpointEvery ?? 30);
  // At once: a path that cannot be written is no surprise for the end.
  if (!resume) await checkpoints.write();
  if (!values.json) announce(terminal, model, samples.train.rows, parts.validation?.rows ?? 0);
  const work = { first: history.length + 1, last: training.epochs, rows: samples.train.rows };
  const progress = values.json || values.quiet ? SILENT : progressOf(terminal, work);
  const onEpoch = async (report: EpochReport) => {
    const { rowsPerSecond: _, ...record } = report;
    history.push(record);
    progress.onEpoch(report);
    await checkpoints.due();
  };
  const onBatch = async (report: Parameters<typeof progress.onBatch>[0]) => {
    progress.onBatch(report);
    await checkpoints.due();
  };
  const { signal } = interrupt;
  let result: History;
  try {
    const watching = { onBatch, onEpoch, signal, resume };
    result = await fitModel(model, preprocessing, samples, settings, training.epochs - start, watching);
  } catch (error) {
    progress.stop();
    if (!(error instanceof Interruption)) throw error;
    throw await interrupted(path, checkpoints, training, save);
  }
  progress.stop();
  Object.assign(training, { finished: true, bestEpoch: result.bestEpoch });
  await checkpoints.write();
  const scores =
    parts.validation && scoresOf(answersOf(model, preprocessing, parts.validation, "zeros"), classesIn(preprocessing));
  return {
    parameters: model.weights.length,
    epochs: history,
    stopped: result.stopped,
    bestEpoch: result.bestEpoch,
    validation: scores,
    saved: save,
  };
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
  const where = `interrupted after ${grouped(history.length)} of ${plural(epochs, "epoch")}`;
  if (save === undefined) return new Interruption(`${where}; nothing was kept, as there is no --save.`);
  await checkpoints.write();
  return new Interruption(
    `${where}; kept in ${save}. Go on with:\n  simdgrad train ${shown(path)} --save ${shown(save)} --resume`,
  );
}

/** As a shell reads it. */
function shown(path: string): string {
  return /^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

async function finish(outcome: Outcome, training: TrainingRecord, { values, terminal }: Context): Promise<Outcome> {
  const { report, json } = values;
  if (report !== undefined) await writeReport(report, outcome, training);
  if (json) return outcome;
  if (terminal.out.isTTY) terminal.print(drawChart(training.history, terminal));
  if (outcome.stopped === "early")
    terminal.print(`\nstopped early: epoch ${outcome.bestEpoch} was the best, and is kept`);
  if (outcome.validation) {
    terminal.heading("On the rows kept for validation");
    printScores(terminal, outcome.validation);
  }
  for (const path of [outcome.saved, report]) if (path !== undefined) terminal.print(`\nwrote ${path}`);
  return outcome;
}
