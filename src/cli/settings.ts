// What a training is asked for: read from the command line once, kept in the model's file, found there by all commands.

import {
  type CsvOptions,
  columnTypes,
  dropMissing,
  type Preprocessing,
  parsePreprocessing,
  type Table,
} from "../data.ts";
import type { ActivationName, EpochReport, MetricName, Model } from "../index.ts";
import { CommandError } from "./errors.ts";
import { readBytes, readTable } from "./files.ts";
import { cut, oneLine } from "./terminal.ts";

export const TASKS = ["regression", "binary", "multi-class"] as const;
export type Task = (typeof TASKS)[number];

export const OPTIMIZERS = ["adam", "adamw", "sgd", "rmsprop", "adagrad"] as const;
export const ACTIVATIONS = [
  "relu",
  "leaky-relu",
  "elu",
  "selu",
  "gelu",
  "silu",
  "tanh",
  "sigmoid",
] as const satisfies readonly ActivationName[];

/** Units: every in epochs. */
export type ScheduleSettings =
  | { readonly kind: "cosine"; readonly final: number }
  | { readonly kind: "step" | "exponential"; readonly rate: number; readonly every: number };

export interface Settings {
  readonly target: string;
  readonly task: Task;
  readonly ignore: readonly string[];
  readonly categories: readonly string[];
  readonly fill: "mean" | "median" | "most-frequent";
  readonly scale: "standardize" | "min-max" | "none";
  readonly unknown: "error" | "zeros";
  readonly hidden: readonly number[];
  readonly activation: (typeof ACTIVATIONS)[number];
  readonly dropout?: number | undefined;
  readonly optimizer: (typeof OPTIMIZERS)[number];
  readonly learningRate?: number | undefined;
  readonly weightDecay?: number | undefined;
  readonly batchSize: number;
  readonly seed: number;
  /** The share of rows that are kept from training. */
  readonly validation: number;
  readonly patience?: number | undefined;
  /** Undefined: the rate stays as it is. */
  readonly schedule?: ScheduleSettings | undefined;
  /** Epochs in which the rate grows from 0. */
  readonly warmup?: number | undefined;
  readonly clipNorm?: number | undefined;
  readonly clipValue?: number | undefined;
  readonly labelSmoothing?: number | undefined;
  readonly metrics?: readonly MetricName[] | undefined;
  /** The column with the rows' weights. */
  readonly sampleWeight?: string | undefined;
  /** By class name, or "balanced". */
  readonly classWeight?: Readonly<Record<string, number>> | "balanced" | undefined;
  readonly csv: CsvOptions;
}

/** What training says of an epoch, without its speed: equal trainings keep equal files. */
export type EpochRecord = Omit<EpochReport, "rowsPerSecond">;

/** What a model's file says of its training. */
export interface TrainingRecord {
  readonly settings: Settings;
  /** The data's rows, and a hash of the file: what a resumed training must see again. */
  readonly data: { readonly rows: number; readonly hash: string };
  /** Epochs wanted in all. */
  epochs: number;
  /** Epochs that were finished before the present run began. */
  start: number;
  finished: boolean;
  /** In a file not every epoch of a long training. */
  history: EpochRecord[];
  bestEpoch?: number | undefined;
}

/** A model's file as the commands see it. */
export interface KeptModel {
  readonly preprocessing: Preprocessing;
  readonly training: TrainingRecord;
}

export function keep(model: Model, { preprocessing, training }: KeptModel): void {
  model.metadata.preprocessing = JSON.stringify(preprocessing);
  model.metadata.training = JSON.stringify({ ...training, history: thinned(training.history) });
}

/** A file's metadata have a limit. */
const MOST_EPOCHS = 2000;

/** Every second, fourth, ... epoch of a long training, and the last: the same, whether it was thinned before or not. */
function thinned(history: readonly EpochRecord[]): readonly EpochRecord[] {
  const done = epochsDone(history);
  let step = 1;
  while (done / step > MOST_EPOCHS) step *= 2;
  return step === 1 ? history : history.filter(({ epoch }) => epoch % step === 0 || epoch === done);
}

export function epochsDone(history: readonly EpochRecord[]): number {
  return history.at(-1)?.epoch ?? 0;
}

/** Errors: CommandError for a model that the command did not train; FORMAT. */
export function keptIn(model: Model, path: string): KeptModel {
  const { preprocessing, training } = model.metadata;
  if (preprocessing === undefined || training === undefined) {
    throw new CommandError(
      `${path}: expected a model that simdgrad train saved, found one without its preprocessing. "simdgrad inspect" shows it.`,
    );
  }
  try {
    return { preprocessing: parsePreprocessing(preprocessing), training: readTraining(training) };
  } catch (cause) {
    throw new CommandError(`${path}: its metadata are damaged: ${(cause as Error).message}`, { cause });
  }
}

/** The rows of a file whose target is known, read as the model's own data were. Errors: CommandError when there are none. */
export async function readKnown(
  { preprocessing, training }: KeptModel,
  path: string,
  options: CsvOptions,
): Promise<{ table: Table; left: number }> {
  const { target, csv: own } = training.settings;
  const types = columnTypes(preprocessing);
  const whole = readTable(path, await readBytes(path), { ...own, ...options, types, columns: Object.keys(types) });
  const table = rowsWith(path, whole, target);
  return { table, left: whole.rows - table.rows };
}

/** Errors: CommandError where a file has none. */
export function rowsWith(path: string, whole: Table, target: string): Table {
  const table = dropMissing(whole, [target]);
  if (table.rows > 0) return table;
  const wanted =
    whole.rows > 0 ? `rows with a ${oneLine(cut(target, 40))}` : "rows after the header (--header no: there is none)";
  throw new CommandError(`${path}: expected ${wanted}, found none.`);
}

function readTraining(text: string): TrainingRecord {
  const record = JSON.parse(text) as TrainingRecord;
  const sound =
    TASKS.includes(record?.settings?.task) &&
    typeof record.settings.csv === "object" &&
    typeof record.data?.hash === "string" &&
    [record.epochs, record.start].every(Number.isSafeInteger) &&
    Array.isArray(record.history) &&
    record.history.every((epoch) => Number.isSafeInteger(epoch?.epoch));
  if (!sound) throw new Error("expected a training's record, found something else.");
  return record;
}

export const isClassifier = ({ task }: Pick<Settings, "task">): boolean => task !== "regression";
