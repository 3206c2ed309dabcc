// From tables to what a model takes, and from what it gives back to names and numbers.
import { SimdgradError, show } from "../errors.ts";
import { checkKeys, checkName } from "../options.ts";
import { applyFit } from "./numbers.ts";
import {
  type CategoryFeature,
  changedType,
  checkFitted,
  type NumberFeature,
  type Preprocessing,
  type Target,
  widthOf,
} from "./preprocessing.ts";
import {
  type Column,
  checkList,
  checkStream,
  checkTable,
  columnNamed,
  isMissing,
  type Table,
  textOf,
} from "./table.ts";

/** Samples as fit takes them. Shapes: x [rows, columns], y [rows]; class indices or scaled numbers. */
export interface Prepared {
  readonly rows: number;
  readonly x: Float32Array<ArrayBuffer>;
  readonly y: Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
}

/** Options of `apply` and its kin. */
export interface ApplyOptions {
  /** In place of what was fitted, for this once. */
  unknown?: "error" | "zeros" | undefined;
}

/** A table as samples. Errors: DATA for unknown categories, missing targets and columns that are not there. */
export function apply(preprocessing: Preprocessing, table: Table, options: ApplyOptions = {}): Prepared {
  checkFitted("apply", preprocessing);
  checkTable("apply", table);
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
export function applyInputs(
  preprocessing: Preprocessing,
  table: Table,
  options: ApplyOptions = {},
): Float32Array<ArrayBuffer> {
  checkFitted("applyInputs", preprocessing);
  checkTable("applyInputs", table);
  return fillInputs("applyInputs", preprocessing, table, options);
}

/** Tables that follow each other as the pieces that fit takes. Errors: as apply; the source's own. */
export async function* applyStream(
  preprocessing: Preprocessing,
  tables: AsyncIterable<Table> | Iterable<Table>,
  options: ApplyOptions = {},
): AsyncGenerator<Prepared, void, void> {
  for await (const table of checkStream("applyStream", tables))
    if (table?.rows !== 0) yield apply(preprocessing, table, options);
}

function fillInputs(
  where: string,
  { features, inputs }: Preprocessing,
  table: Table,
  options: ApplyOptions,
): Float32Array<ArrayBuffer> {
  checkKeys(where, options, ["unknown"]);
  if (options.unknown !== undefined) checkName(where, "unknown", options.unknown, ["error", "zeros"]);
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

const MISSING = "dropMissing(table) leaves rows without one out; fill says at prepare what takes its place.";

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
      throw badCell(where, column.name, rowNumbers[i], "a finite number", received, MISSING);
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

function targetsOf(where: string, target: Target, table: Table): Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer> {
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
export function decode(preprocessing: Preprocessing, outputs: ArrayLike<number>): string[] | Float64Array<ArrayBuffer> {
  checkFitted("decode", preprocessing);
  const wrong = Array.from(checkList("decode", "outputs", outputs)).findIndex((value) => typeof value !== "number");
  if (wrong >= 0) {
    throw new SimdgradError("DATA", `decode: expected numbers, received ${show(outputs[wrong])} at ${wrong}.`);
  }
  const { target } = preprocessing;
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
