// From tables to what a model takes: fitted once, on the training part alone, and kept as plain data beside the model.
import { SimdgradError, show } from "../errors.ts";
import { checkBoolean, checkKeys, checkName, checkObject, orDefault } from "../options.ts";
import { classesOf } from "./classes.ts";
import {
  applyFit,
  type CheckedFit,
  checkFit,
  NumberCollector,
  type NumberFit,
  type NumberFitOptions,
} from "./numbers.ts";
import { type Column, type ColumnType, columnNamed, isMissing, type Table, textOf } from "./table.ts";

/** A column of numbers: one input. */
export interface NumberFeature extends NumberFit {
  readonly column: string;
  readonly kind: "number";
}

/** A column of categories: an input each. */
export interface CategoryFeature {
  readonly column: string;
  readonly kind: "category";
  /** The column's type in the table. */
  readonly type: ColumnType;
  readonly categories: readonly string[];
  /** The category of a missing cell; null: zeros or an error, as for unknown ones. */
  readonly fill: string | null;
  readonly unknown: "error" | "zeros";
}

/** What a column becomes. */
export type Feature = NumberFeature | CategoryFeature;

/** What is predicted: a number, scaled as (value - offset) * factor. */
export interface NumberTarget {
  readonly column: string;
  readonly kind: "number";
  readonly offset: number;
  readonly factor: number;
}

/** What is predicted: a class, by its index. */
export interface ClassTarget {
  readonly column: string;
  readonly kind: "class";
  readonly type: ColumnType;
  readonly classes: readonly string[];
}

/** What is predicted. */
export type Target = NumberTarget | ClassTarget;

/** What was learned from the training part: plain data, kept as JSON. */
export interface Preprocessing {
  readonly kind: "preprocessing";
  readonly version: 1;
  /** Number of inputs. */
  readonly inputs: number;
  readonly features: readonly Feature[];
  readonly target?: Target | undefined;
}

/** Options of `prepare`. */
export interface PrepareOptions extends NumberFitOptions {
  /** The column to predict. */
  target?: string | undefined;
  /** Default: a class when the target is text, else a number. */
  task?: "classification" | "regression" | undefined;
  /** Columns that are no inputs. */
  ignore?: readonly string[] | undefined;
  /** Columns of numbers that are categories. */
  categories?: readonly string[] | undefined;
  /** What a missing category becomes: the most frequent one, or zeros in all its inputs. Default "most-frequent". */
  fillCategory?: "most-frequent" | "zeros" | undefined;
  /** What a category becomes that the training part did not have: an error, or zeros in all its inputs. Default "error". */
  unknown?: "error" | "zeros" | undefined;
  /** Whether a number to predict is standardized. Default true. */
  scaleTarget?: boolean | undefined;
}

/** Samples as fit takes them. Shapes: x [rows, columns], y [rows]; class indices or scaled numbers. */
export interface Prepared {
  readonly rows: number;
  readonly x: Float32Array;
  readonly y: Int32Array | Float32Array;
}

/** Options of `apply` and its kin. */
export interface ApplyOptions {
  /** In place of what was fitted, for this once. */
  unknown?: "error" | "zeros" | undefined;
}

const OPTIONS = [
  "target",
  "task",
  "ignore",
  "categories",
  "fill",
  "scale",
  "fillCategory",
  "unknown",
  "scaleTarget",
] as const;

/** Learns from a table what turns it into numbers: pass the training part alone.
 *  Errors: CONFIG; DATA for columns that are not there or hold nothing. */
export function prepare(table: Table, options: PrepareOptions = {}): Preprocessing {
  const learner = new Learner("prepare", table, options);
  learner.add(table);
  return learner.finish();
}

/** The same from tables that follow each other, such as csvStream's, in bounded memory.
 *  Errors: as prepare; the source's own. */
export async function prepareStream(
  tables: AsyncIterable<Table> | Iterable<Table>,
  options: PrepareOptions = {},
): Promise<Preprocessing> {
  let learner: Learner | undefined;
  for await (const table of tables) {
    learner ??= new Learner("prepareStream", table, options);
    learner.add(table);
  }
  if (!learner) throw new SimdgradError("DATA", "prepareStream: expected at least one table, received none.");
  return learner.finish();
}

interface Collector {
  add(column: Column): void;
  finish(): Feature;
}

/** Collects what there is to know about each column. */
class Learner {
  private readonly where: string;
  private readonly options: PrepareOptions;
  private readonly collectors: ReadonlyMap<string, Collector>;
  private readonly target: { readonly name: string; readonly collector: TargetCollector } | undefined;

  constructor(where: string, first: Table, options: PrepareOptions) {
    checkPrepare(where, options, first);
    this.where = where;
    this.options = options;
    const { target, ignore = [] } = options;
    const columns = first.columns.filter(({ name }) => name !== target && !ignore.includes(name));
    this.collectors = new Map(columns.map((column) => [column.name, this.collectorOf(column)]));
    if (columns.length === 0)
      throw new SimdgradError("DATA", `${where}: expected at least one input column, found none.`);
    if (target === undefined) return;
    const collector = new TargetCollector(where, columnNamed(where, first, target), options);
    this.target = { name: target, collector };
  }

  private collectorOf({ name, type }: Column): Collector {
    const { where, options } = this;
    if (type === "number" && !options.categories?.includes(name))
      return numberCollector(where, name, checkFit(where, options));
    return new CategoryCollector(where, name, type, options);
  }

  add(table: Table): void {
    for (const [name, collector] of this.collectors) collector.add(columnNamed(this.where, table, name));
    if (this.target) this.target.collector.add(columnNamed(this.where, table, this.target.name));
  }

  finish(): Preprocessing {
    const features = [...this.collectors.values()].map((collector) => collector.finish());
    return {
      kind: "preprocessing",
      version: 1,
      inputs: features.reduce((sum, feature) => sum + widthOf(feature), 0),
      features,
      ...(this.target ? { target: this.target.collector.finish() } : {}),
    };
  }
}

function checkPrepare(where: string, options: PrepareOptions, table: Table): void {
  checkKeys(where, options, OPTIONS);
  const { task, ignore = [], categories = [], fillCategory, unknown, scaleTarget } = options;
  for (const name of [...ignore, ...categories]) columnNamed(where, table, name);
  if (task !== undefined) checkName(where, "task", task, ["classification", "regression"]);
  checkName(where, "fillCategory", orDefault(fillCategory, "most-frequent"), ["most-frequent", "zeros"]);
  checkName(where, "unknown", orDefault(unknown, "error"), ["error", "zeros"]);
  checkBoolean(where, "scaleTarget", orDefault(scaleTarget, true));
}

function numberCollector(where: string, name: string, fit: CheckedFit): Collector {
  const collector = new NumberCollector(fit);
  return {
    add: ({ type, values }) => {
      if (type !== "number") throw changedType(where, name, "number", type);
      for (const value of values) collector.add(value);
    },
    finish: () => ({ column: name, kind: "number", ...collector.finish(where, show(name)) }),
  };
}

class CategoryCollector implements Collector {
  private readonly counts = new Map<string, number>();
  private readonly where: string;
  private readonly name: string;
  private readonly type: ColumnType;
  private readonly options: PrepareOptions;

  constructor(where: string, name: string, type: ColumnType, options: PrepareOptions) {
    this.where = where;
    this.name = name;
    this.type = type;
    this.options = options;
  }

  add(column: Column): void {
    if (column.type !== this.type) throw changedType(this.where, this.name, this.type, column.type);
    for (let i = 0; i < column.values.length; i++) {
      const category = textOf(column, i);
      if (category !== null) this.counts.set(category, (this.counts.get(category) ?? 0) + 1);
    }
  }

  finish(): CategoryFeature {
    const categories = classesOf([...this.counts.keys()]);
    if (categories.length === 0) {
      throw new SimdgradError(
        "DATA",
        `${this.where}: expected a category in column ${show(this.name)}, found only missing ones.`,
        "Leave the column out (ignore).",
      );
    }
    const count = (category: string) => this.counts.get(category) as number;
    const frequent = categories.reduce((best, category) => (count(category) > count(best) ? category : best));
    return {
      column: this.name,
      kind: "category",
      type: this.type,
      categories,
      fill: this.options.fillCategory === "zeros" ? null : frequent,
      unknown: this.options.unknown ?? "error",
    };
  }
}

/** Errors: DATA where a target is missing. */
class TargetCollector {
  private readonly where: string;
  private readonly column: Pick<Column, "name" | "type">;
  private readonly classes: Set<string> | undefined;
  private readonly numbers: NumberCollector | undefined;

  constructor(where: string, column: Column, { task, scaleTarget }: PrepareOptions) {
    this.where = where;
    this.column = { name: column.name, type: column.type };
    if ((task ?? (column.type === "text" ? "classification" : "regression")) === "classification") {
      this.classes = new Set();
    } else {
      this.numbers = new NumberCollector({ fill: "error", scale: scaleTarget === false ? "none" : "standardize" });
      if (column.type === "text") throw changedType(where, column.name, "number", "text");
    }
  }

  add(column: Column): void {
    if (column.type !== this.column.type) throw changedType(this.where, column.name, this.column.type, column.type);
    for (let i = 0; i < column.values.length; i++) {
      if (isMissing(column, i)) continue;
      this.classes?.add(textOf(column, i) as string);
      this.numbers?.add(column.values[i] as number);
    }
  }

  finish(): Target {
    const { name, type } = this.column;
    if (!this.classes) {
      const { offset, factor } = (this.numbers as NumberCollector).finish(this.where, show(name));
      return { column: name, kind: "number", offset, factor };
    }
    if (this.classes.size >= 2) return { column: name, kind: "class", type, classes: classesOf([...this.classes]) };
    throw new SimdgradError(
      "DATA",
      `${this.where}: expected at least 2 classes in column ${show(name)}, found ${this.classes.size}.`,
    );
  }
}

function changedType(where: string, name: string, expected: ColumnType, received: ColumnType): SimdgradError {
  return new SimdgradError(
    "DATA",
    `${where}: expected column ${show(name)} to be of type ${expected}, received ${received}.`,
    "csv and csvStream take types: columnTypes(preprocessing), or { name: type }.",
  );
}

/** A table as samples. Errors: DATA for unknown categories, missing targets and columns that are not there. */
export function apply(preprocessing: Preprocessing, table: Table, options: ApplyOptions = {}): Prepared {
  checkFitted("apply", preprocessing);
  const { target } = preprocessing;
  if (!target) {
    throw new SimdgradError(
      "CONFIG",
      "apply: expected preprocessing with a target, this has none.",
      "Pass target to prepare, or use applyInputs.",
    );
  }
  const x = fillInputs("apply", preprocessing, table, options);
  return { rows: table.rows, x, y: targetsOf("apply", target, table) };
}

/** A table's inputs alone. Shapes: [rows, inputs], flat. Errors: DATA. */
export function applyInputs(preprocessing: Preprocessing, table: Table, options: ApplyOptions = {}): Float32Array {
  checkFitted("applyInputs", preprocessing);
  return fillInputs("applyInputs", preprocessing, table, options);
}

/** Tables that follow each other as the pieces that fit takes. Errors: as apply; the source's own. */
export async function* applyStream(
  preprocessing: Preprocessing,
  tables: AsyncIterable<Table> | Iterable<Table>,
  options: ApplyOptions = {},
): AsyncGenerator<Prepared, void, void> {
  for await (const table of tables) if (table.rows > 0) yield apply(preprocessing, table, options);
}

function widthOf(feature: Feature): number {
  return feature.kind === "number" ? 1 : feature.categories.length;
}

function fillInputs(
  where: string,
  { features, inputs }: Preprocessing,
  table: Table,
  options: ApplyOptions,
): Float32Array {
  checkKeys(where, options, ["unknown"]);
  const x = new Float32Array(table.rows * inputs);
  let at = 0;
  for (const feature of features) {
    const column = columnNamed(where, table, feature.column);
    if (feature.kind === "number") fillNumbers(where, feature, column, table, x.subarray(at), inputs);
    else fillCategories(where, { ...feature, ...options }, column, table, x.subarray(at), inputs);
    at += widthOf(feature);
  }
  return x;
}

function fillNumbers(
  where: string,
  feature: NumberFeature,
  column: Column,
  { rows, rowNumbers }: Table,
  x: Float32Array,
  stride: number,
): void {
  if (column.type !== "number") throw changedType(where, column.name, "number", column.type);
  for (let i = 0; i < rows; i++) {
    const value = Math.fround(applyFit(feature, column.values[i]));
    if (!Number.isFinite(value)) {
      const received = Number.isNaN(column.values[i]) ? "a missing one" : show(column.values[i]);
      throw badCell(where, column.name, rowNumbers[i], "a finite number", received);
    }
    x[i * stride] = value;
  }
}

function fillCategories(
  where: string,
  { categories, fill, unknown, type }: CategoryFeature,
  column: Column,
  { rows, rowNumbers }: Table,
  x: Float32Array,
  stride: number,
): void {
  if (column.type !== type) throw changedType(where, column.name, type, column.type);
  const index = new Map(categories.map((category, i) => [category, i]));
  for (let i = 0; i < rows; i++) {
    const category = textOf(column, i) ?? fill;
    const found = category === null ? undefined : index.get(category);
    if (found !== undefined) x[i * stride + found] = 1;
    else if (category !== null && unknown === "error") {
      throw badCell(
        where,
        column.name,
        rowNumbers[i],
        `one of ${categories.length} known categories`,
        show(category),
        `Known: ${categories.slice(0, 20).join(", ")}. unknown: "zeros" lets it pass.`,
      );
    }
  }
}

function targetsOf(where: string, target: Target, table: Table): Int32Array | Float32Array {
  const column = columnNamed(where, table, target.column);
  const type = target.kind === "number" ? "number" : target.type;
  if (column.type !== type) throw changedType(where, column.name, type, column.type);
  const bad = (i: number, expected: string, hint?: string) =>
    badCell(where, column.name, table.rowNumbers[i], expected, show(textOf(column, i) ?? "a missing one"), hint);
  const { length } = column.values;
  if (target.kind === "number") {
    return Float32Array.from({ length }, (_, i) => {
      const value = Math.fround(((column.values[i] as number) - target.offset) * target.factor);
      if (Number.isFinite(value)) return value;
      throw bad(i, "a finite number", "dropMissing(table, [target]) leaves such rows out.");
    });
  }
  const index = new Map(target.classes.map((name, i) => [name, i]));
  return Int32Array.from({ length }, (_, i) => {
    const found = index.get(textOf(column, i) ?? "");
    if (found !== undefined && !isMissing(column, i)) return found;
    throw bad(
      i,
      `one of the classes ${target.classes.slice(0, 20).join(", ")}`,
      "dropMissing(table, [target]) leaves rows without one out.",
    );
  });
}

function badCell(
  where: string,
  column: string,
  row: number,
  expected: string,
  received: string,
  hint?: string,
): SimdgradError {
  return new SimdgradError(
    "DATA",
    `${where}: expected ${expected} in column ${show(column)} at row ${row}, received ${received}.`,
    hint,
  );
}

/** What a model's outputs mean: class names, or numbers in the target's own units. With one output a class, it is the
 *  probability of the second of two. Shapes: outputs [rows, k], flat. Errors: CONFIG, SHAPE. */
export function decode({ target }: Preprocessing, outputs: ArrayLike<number>): string[] | Float64Array {
  if (!target) throw new SimdgradError("CONFIG", "decode: expected preprocessing with a target, this has none.");
  if (target.kind === "number") return Float64Array.from(outputs, (value) => value / target.factor + target.offset);
  const { classes } = target;
  if (classes.length === 2) return Array.from(outputs, (value) => classes[value > 0.5 ? 1 : 0]);
  const rows = outputs.length / classes.length;
  if (!Number.isInteger(rows)) {
    throw new SimdgradError(
      "SHAPE",
      `decode: expected rows of ${classes.length} outputs, received ${outputs.length} values.`,
    );
  }
  return Array.from({ length: rows }, (_, i) => {
    let best = 0;
    for (let j = 1; j < classes.length; j++) {
      if (outputs[i * classes.length + j] > outputs[i * classes.length + best]) best = j;
    }
    return classes[best];
  });
}

/** The types of the columns that were fitted, for reading another file as the first one was. */
export function columnTypes({ features, target }: Preprocessing): Record<string, ColumnType> {
  const typeOf = (part: Feature | Target) => (part.kind === "number" ? "number" : part.type);
  return Object.fromEntries([...features, ...(target ? [target] : [])].map((part) => [part.column, typeOf(part)]));
}

/** A name for each input: the column's, or "column=category". */
export function featureNames({ features }: Preprocessing): string[] {
  return features.flatMap((feature) =>
    feature.kind === "number"
      ? [feature.column]
      : feature.categories.map((category) => `${feature.column}=${category}`),
  );
}

/** What was kept as JSON. Errors: FORMAT for text that is something else. */
export function parsePreprocessing(text: string): Preprocessing {
  try {
    const value = JSON.parse(text) as Preprocessing;
    checkFitted("parsePreprocessing", value);
    return value;
  } catch (cause) {
    const why = cause instanceof SimdgradError ? "" : " of JSON";
    throw new SimdgradError(
      "FORMAT",
      `parsePreprocessing: expected fitted preprocessing${why}, received ${show(text)}.`,
      "It is what JSON.stringify makes of prepare's result.",
      { cause },
    );
  }
}

/** Errors: CONFIG for what is no fitted preprocessing of this version. */
function checkFitted(where: string, value: Preprocessing): void {
  const { kind, version, inputs, features, target } = checkObject(where, value);
  const sound =
    kind === "preprocessing" &&
    version === 1 &&
    Array.isArray(features) &&
    features.every(isFeature) &&
    features.reduce((sum, feature) => sum + widthOf(feature), 0) === inputs &&
    (target === undefined || isTarget(target));
  if (!sound) throw new SimdgradError("CONFIG", `${where}: expected what prepare returned, received ${show(value)}.`);
}

function isFeature(value: Feature): boolean {
  if (typeof value?.column !== "string") return false;
  if (value.kind === "category") return isClasses(value.categories) && isType(value.type);
  const { kind, fill, offset, factor } = value;
  return kind === "number" && [fill ?? 0, offset, factor].every(Number.isFinite);
}

function isTarget(value: Target): boolean {
  if (typeof value?.column !== "string") return false;
  if (value.kind === "class") return isClasses(value.classes) && isType(value.type);
  return value.kind === "number" && [value.offset, value.factor].every(Number.isFinite) && value.factor !== 0;
}

function isClasses(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string");
}

function isType(value: unknown): boolean {
  return value === "number" || value === "text";
}
