// A training: parts of the data, fit with checkpoints; the same for the command and for each fold.
import {
  apply,
  type Column,
  classesOf,
  decode,
  type Prepared,
  type Preprocessing,
  prepare,
  split,
  type Table,
  toIndices,
} from "../data.ts";
import { show } from "../errors.ts";
import type { Dataset, FitOptions, History, Measures, Model } from "../index.ts";
import { CommandError, UsageError } from "./errors.ts";
import { type Scores, scoreClasses, scoreNumbers } from "./metrics.ts";
import { isClassifier, type Settings } from "./settings.ts";
import { listed, plural } from "./terminal.ts";

export interface Parts {
  readonly train: Table;
  readonly validation: Table | undefined;
}

/** The same parts for the same seed; by class where there are classes. */
export function partsOf(table: Table, { validation, seed, target, ...settings }: Settings): Parts {
  if (validation === 0) return { train: table, validation: undefined };
  const stratify = isClassifier(settings) ? target : undefined;
  if (!leavesBoth(table.rows, validation)) {
    throw new UsageError(
      `expected --validation to leave rows for training and for validation, received ${validation} of ${plural(table.rows, "row")}; 0 keeps none.`,
    );
  }
  const { train, test } = split(table, { test: validation, seed, stratify });
  return { train, validation: test };
}

/** Fitted on the training part alone. */
export function prepareFor(train: Table, settings: Settings): Preprocessing {
  const { target, ignore, categories, fill, scale, unknown } = settings;
  const task = isClassifier(settings) ? "classification" : "regression";
  return prepare(train, { target, task, ignore, categories, fill, scale, unknown });
}

/** As the library takes them. */
const HEAVIEST = 1e18;

type Weighted = Prepared & Pick<Dataset, "sampleWeight">;

function leavesBoth(rows: number, share: number): boolean {
  const kept = Math.round(rows * share);
  return kept > 0 && kept < rows;
}

export interface Samples {
  readonly train: Weighted;
  readonly validation: Weighted | undefined;
}

/** What the training part does not know is no reason to stop in its own other part. */
export function samplesOf(preprocessing: Preprocessing, { train, validation }: Parts, settings: Settings): Samples {
  return {
    train: { ...apply(preprocessing, train), sampleWeight: weightsOf(train, settings) },
    validation: validation && {
      ...apply(preprocessing, validation, { unknown: "zeros" }),
      sampleWeight: weightsOf(validation, settings),
    },
  };
}

/** Errors: CommandError for a cell that is no weight. */
function weightsOf({ columns, rowNumbers }: Table, { sampleWeight }: Settings): Float64Array | undefined {
  if (sampleWeight === undefined) return undefined;
  const values = columns.find(({ name }) => name === sampleWeight)?.values as Float64Array;
  const wrong = values.findIndex((value) => !(value >= 0 && value <= HEAVIEST));
  if (wrong < 0) return values;
  const found = Number.isNaN(values[wrong]) ? "none" : String(values[wrong]);
  throw new CommandError(
    `expected a weight from 0 to ${HEAVIEST} in column ${show(sampleWeight)} at row ${rowNumbers[wrong]}, received ${found}.`,
  );
}

export function classesIn({ target }: Preprocessing): readonly string[] {
  return target?.kind === "class" ? target.classes : [];
}

/** Errors: UsageError for classes that are none. */
function classWeights(
  { classWeight }: Settings,
  preprocessing: Preprocessing,
  y: ArrayLike<number>,
): FitOptions["classWeight"] {
  if (classWeight === undefined) return undefined;
  const classes = classesIn(preprocessing);
  if (classWeight === "balanced") {
    const counts = classes.map((_, i) => Array.from(y).filter((label) => label === i).length);
    return counts.map((count) => (count > 0 ? y.length / (classes.length * count) : 1));
  }
  for (const name of Object.keys(classWeight)) {
    if (!classes.includes(name)) {
      throw new UsageError(
        `expected --class-weight of the classes ${listed(classes, 20)}, received one of ${show(name)}.`,
      );
    }
  }
  return classes.map((name) => classWeight[name] ?? 1);
}

/** A class of the table that the part for training has no row of. */
export function unseenClass({ columns }: Table, { target }: Preprocessing): string | undefined {
  if (target?.kind !== "class") return undefined;
  const column = columns.find(({ name }) => name === target.column) as Column;
  return classesOf(column.values as ArrayLike<string | number>).find((name) => !target.classes.includes(name));
}

export type Watching = Pick<FitOptions, "onBatch" | "onEpoch" | "signal" | "resume">;

/** Errors: fit's. */
export function fitModel(
  model: Model,
  preprocessing: Preprocessing,
  { train, validation }: Samples,
  settings: Settings,
  epochs: number,
  watching: Watching,
): Promise<History> {
  const { batchSize, patience } = settings;
  return model.fit(train satisfies Dataset, {
    epochs,
    batchSize,
    validation,
    classWeight: classWeights(settings, preprocessing, train.y),
    earlyStopping: patience === undefined ? undefined : { patience, monitor: validation ? "validationLoss" : "loss" },
    ...watching,
  });
}

/** The predictions of rows whose target is known, beside it: class indices, or numbers in the target's units. */
export interface Answers {
  readonly truths: number[];
  readonly guesses: number[];
}

export function answersOf(model: Model, preprocessing: Preprocessing, { x, y }: Prepared): Answers {
  const decoded = decode(preprocessing, model.predict(x));
  if (decoded instanceof Float64Array) {
    return { truths: Array.from(decode(preprocessing, y) as Float64Array), guesses: Array.from(decoded) };
  }
  return { truths: Array.from(y), guesses: Array.from(toIndices(decoded, classesIn(preprocessing))) };
}

export function scoresOf({ truths, guesses }: Answers, classes: readonly string[], metrics?: Measures): Scores {
  const scores = classes.length > 0 ? scoreClasses(truths, guesses, classes) : scoreNumbers(truths, guesses);
  return metrics ? { ...scores, metrics } : scores;
}
