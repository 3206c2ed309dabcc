// What `simdgrad train` can be told, and the settings that come of it.
import type { Table } from "../data.ts";
import { show } from "../errors.ts";
import { type ColumnChoice, findTarget } from "./columns.ts";
import { UsageError } from "./errors.ts";
import { CSV_OPTIONS, JSON_OPTION } from "./files.ts";
import { METRICS } from "./measures.ts";
import {
  choice,
  count,
  counts,
  flag,
  number,
  type OptionValues,
  path,
  positive,
  text,
  texts,
  type Usage,
} from "./options.ts";
import { readSchedule, SCHEDULES } from "./schedule.ts";
import { ACTIVATIONS, OPTIMIZERS, type Settings } from "./settings.ts";
import { plural } from "./terminal.ts";

const OPTIONS = {
  target: text("COLUMN", "what to predict: a column's name, its position from 1, or last", "t"),
  save: path("FILE", "where the model goes, with its preprocessing and the training's state", "o"),
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
  schedule: choice(SCHEDULES, "how the learning rate goes (default constant)"),
  warmup: count("epochs in which the learning rate first grows from 0 (default 0)"),
  finalLearningRate: number("where --schedule cosine ends (default 0)"),
  decay: positive("what the other schedules multiply the learning rate by (default 0.1)"),
  decayEvery: count("epochs in which they do so once (default a third of all)", 1),
  weightDecay: number("(default as the optimizer's)"),
  clipNorm: positive("longest gradient of all parameters together that a step takes"),
  clipValue: positive("largest gradient of a parameter that a step takes"),
  labelSmoothing: number("share of the target that is spread over all of three classes or more (default 0)", 0, 1),
  batchSize: count("rows a step (default 32)", 1),
  seed: count("of weights, shuffles and splits (default 0)"),
  validation: number("share of rows kept from training to measure on (default 0.2; 0 with --folds)", 0, 0.9),
  patience: count("stop after so many epochs without a gain, and go back to the best"),
  folds: count("cross-validate first, with so many parts", 2),
  classWeight: text("A=5,B=1", "weights of classes in the loss, or balanced"),
  sampleWeight: text("COLUMN", "weights of rows in the loss and in metrics; no input"),
  metrics: METRICS,
  checkpointEvery: number("seconds between two writes of --save (default 30; 0: after each step)"),
  resume: flag("go on with the interrupted or finished training in --save"),
  report: path("FILE.html", "write the training's curves and scores as a page"),
  threads: count("lanes that share each step (default 1)", 1, 64),
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
    "simdgrad demo --csv > penguins.csv",
    "simdgrad train penguins.csv --target species --missing . --hidden 64,32 --save model.safetensors",
    "simdgrad train penguins.csv --target species --missing . --folds 5",
    "simdgrad train penguins.csv --target body_mass_g --missing . --patience 10 --report curves.html",
    "simdgrad train penguins.csv --resume --epochs 200 --save model.safetensors",
  ],
};

export type TrainValues = OptionValues<typeof OPTIONS>;

/** What can be said of a training that goes on: all else stands in its file. */
export const WITH_RESUME = [
  "save",
  "resume",
  "epochs",
  "checkpointEvery",
  "report",
  "threads",
  "simd",
  "json",
  "quiet",
];

export function settingsOf(
  values: TrainValues,
  target: string,
  task: Settings["task"],
  columns: readonly ColumnChoice[],
  options: Settings["csv"],
): Settings {
  const classWeight = values.classWeight === undefined ? undefined : readClassWeight(values.classWeight);
  checkTask(values, task);
  const names = (role: ColumnChoice["role"]) =>
    columns.filter((column) => column.role === role).map(({ name }) => name);
  const withheld = values.folds !== undefined && values.patience === undefined ? 0 : 0.2;
  return {
    target,
    task,
    ignore: [...names("left out"), ...names("weight")],
    categories: names("category"),
    fill: values.fill ?? "mean",
    scale: values.scale ?? "standardize",
    unknown: values.unknown ?? "error",
    hidden: values.hidden ?? [64, 32],
    activation: values.activation ?? "relu",
    dropout: values.dropout,
    optimizer: values.optimizer ?? "adam",
    learningRate: values.learningRate,
    schedule: readSchedule(values, epochsOf(values)),
    warmup: values.warmup,
    weightDecay: values.weightDecay,
    clipNorm: values.clipNorm,
    clipValue: values.clipValue,
    labelSmoothing: values.labelSmoothing,
    metrics: values.metrics,
    sampleWeight: values.sampleWeight,
    batchSize: values.batchSize ?? 32,
    seed: values.seed ?? 0,
    validation: values.validation ?? withheld,
    patience: values.patience,
    classWeight,
    csv: options,
  };
}

/** Errors: UsageError for what the task has no use for. */
function checkTask({ classWeight, labelSmoothing }: TrainValues, task: Settings["task"]): void {
  if (classWeight !== undefined && task === "regression") {
    throw new UsageError(
      "expected classes with --class-weight, the target is a number; --task classification makes it classes.",
    );
  }
  if (labelSmoothing !== undefined && task !== "multi-class") {
    const found = task === "binary" ? "has two" : "is a number";
    throw new UsageError(`expected three classes or more with --label-smoothing, the target ${found}.`);
  }
}

/** Errors: UsageError. */
function readClassWeight(given: string): Settings["classWeight"] {
  if (given === "balanced") return given;
  const pairs = given.split(",").map((pair) => /^(.+)=([\d.eE+-]+)$/.exec(pair.trim()));
  const weights = pairs.map((pair) => [pair?.[1] ?? "", Number(pair?.[2])] as const);
  if (weights.every(([, weight]) => weight >= 0 && weight <= 1e18)) return Object.fromEntries(weights);
  throw new UsageError(`expected --class-weight as CLASS=WEIGHT,CLASS=WEIGHT or balanced, received ${show(given)}.`);
}

export function describeTask({ task, target }: Settings, table: Table): string {
  const column = findTarget(table, target);
  if (task === "regression") return `regression of ${target}`;
  return `${task} classification of ${target}, ${plural(new Set<unknown>(column.values).size, "class", "classes")}`;
}

export function epochsOf({ epochs }: TrainValues): number {
  return epochs ?? 100;
}
