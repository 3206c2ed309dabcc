// Parts of a data set: training, validation and test, and folds; by class where asked, the same for the same seed.
import { SimdgradError, show } from "../errors.ts";
import { checkBoolean, checkCount, checkKeys, checkNumber, lengthOf, orDefault } from "../options.ts";
import { shuffled } from "./random.ts";
import { checkTable, columnNamed, type Table, take, textOf } from "./table.ts";

/** A table; samples { x, y, sampleWeight? } with any other arrays of so many rows; or a number of rows, whose parts
 *  are row indices. */
export type Splittable = Table | { readonly x: ArrayLike<unknown>; readonly y: ArrayLike<unknown> } | number;

/** What the parts of a data set are. */
export type PartOf<T extends Splittable> = T extends number ? Uint32Array<ArrayBuffer> : T;

interface DrawOptions {
  /** Default 0. */
  seed?: number | undefined;
  /** Default true; without it, parts are taken in the data's order. */
  shuffle?: boolean | undefined;
  /** Gives each part its share of every class: a table's column; true for the class indices in y; or a class a row. */
  stratify?: string | boolean | ArrayLike<string | number> | undefined;
  /** Rows of { x, y }, where y is flat and has several values a row. */
  rows?: number | undefined;
}

/** Options of `split`. */
export interface SplitOptions extends DrawOptions {
  /** The test part's share of all rows. Default 0.2. */
  test?: number | undefined;
  /** The validation part's share of all rows. Default 0. */
  validation?: number | undefined;
}

/** Options of `kFold`. */
export interface KFoldOptions extends DrawOptions {
  /** Default 5. */
  folds?: number | undefined;
}

/** What one fold is trained on, and what it is tested on. */
export interface Fold<T> {
  readonly train: T;
  readonly test: T;
}

/** As many as an array can be long. */
const MAX_ROWS = 2 ** 32 - 1;

const DRAW_OPTIONS = ["seed", "shuffle", "stratify", "rows"];

/** Training, validation and test parts; rows keep the data's order within a part. Stratified, every class gives each
 *  part its share, to the row.
 *  Errors: CONFIG; SHAPE and DATA for data that has no rows to split. */
export function split<T extends Splittable>(
  data: T,
  options: SplitOptions = {},
): Fold<PartOf<T>> & { readonly validation: PartOf<T> } {
  checkKeys("split", options, ["test", "validation", ...DRAW_OPTIONS]);
  const share = (name: "test" | "validation", standard: number) =>
    checkNumber("split", name, orDefault(options[name], standard), { low: 0, high: 1, openHigh: true });
  const test = share("test", 0.2);
  const validation = share("validation", 0);
  const rows = rowsOf("split", data, options);
  const groups = draw("split", data, rows, options);
  const [testRows, rest] = divide(groups, Math.round(rows * test), rows);
  const [validationRows, trainRows] = divide(rest, Math.round(rows * validation), rows - Math.round(rows * test));
  const asked = [trainRows, ...(test > 0 ? [testRows] : []), ...(validation > 0 ? [validationRows] : [])];
  if (asked.some((part) => part.every((group) => group.length === 0))) {
    throw new SimdgradError(
      "CONFIG",
      `split: expected shares that leave a row in every part, received test ${test} and validation ${validation} of ${rows} rows.`,
    );
  }
  return {
    train: part(data, rows, trainRows.flat()),
    test: part(data, rows, testRows.flat()),
    validation: part(data, rows, validationRows.flat()),
  };
}

/** Each row is in the test part of one fold and in the training part of the others. Stratified, folds differ by at most
 *  one row of each class.
 *  Errors: CONFIG for more folds than rows; SHAPE, DATA. */
export function kFold<T extends Splittable>(data: T, options: KFoldOptions = {}): Fold<PartOf<T>>[] {
  checkKeys("kFold", options, ["folds", ...DRAW_OPTIONS]);
  const folds = checkCount("kFold", "folds", orDefault(options.folds, 5), 2);
  const rows = rowsOf("kFold", data, options);
  if (rows < folds) {
    throw new SimdgradError(
      "CONFIG",
      `kFold: expected at most as many folds as rows, received ${folds} of ${rows} rows.`,
    );
  }
  const fold = new Uint32Array(rows);
  // Dealt like cards, class after class.
  const order = draw("kFold", data, rows, options).flat();
  const shuffles = orDefault(options.shuffle, true) || options.stratify;
  order.forEach((row, i) => {
    fold[row] = shuffles ? i % folds : Math.floor((i * folds) / rows);
  });
  return Array.from({ length: folds }, (_, i) => ({
    train: part(
      data,
      rows,
      order.filter((row) => fold[row] !== i),
    ),
    test: part(
      data,
      rows,
      order.filter((row) => fold[row] === i),
    ),
  }));
}

function isTable(data: Splittable): data is Table {
  return typeof data === "object" && "columns" in data;
}

function rowsOf(where: string, data: Splittable, { rows }: DrawOptions): number {
  if (typeof data === "number") return checkRows(where, data);
  const lists = typeof data === "object" && data !== null && "x" in data && "y" in data ? [data.x, data.y] : [null];
  if (
    typeof data !== "object" ||
    data === null ||
    !(isTable(data) || lists.every((list) => lengthOf(list) !== undefined))
  ) {
    throw new SimdgradError(
      "DATA",
      `${where}: expected a table, { x, y } or a number of rows, received ${show(data)}.`,
    );
  }
  if (isTable(data)) return checkRows(where, checkTable(where, data).rows);
  return checkRows(where, orDefault(rows, (ArrayBuffer.isView(data.x) ? data.y : data.x).length));
}

function checkRows(where: string, rows: number): number {
  checkNumber(where, "the number of rows", rows, { high: MAX_ROWS });
  return checkCount(where, "the number of rows", rows);
}

/** The rows by class, in the order in which parts take them. */
function draw(where: string, data: Splittable, rows: number, options: DrawOptions): number[][] {
  const seed = checkCount(where, "seed", orDefault(options.seed, 0), 0);
  const shuffle = checkBoolean(where, "shuffle", orDefault(options.shuffle, true));
  const groups = groupRows(where, data, rows, options.stratify);
  return shuffle ? groups.map((group, i) => shuffled(group, seed, i)) : groups;
}

function groupRows(where: string, data: Splittable, rows: number, stratify: DrawOptions["stratify"]): number[][] {
  if (stratify === undefined || stratify === false) return [Array.from({ length: rows }, (_, i) => i)];
  const classOf = readClasses(where, data, rows, stratify);
  const groups = new Map<unknown, number[]>();
  for (let i = 0; i < rows; i++) {
    const group = groups.get(classOf(i));
    if (group) group.push(i);
    else groups.set(classOf(i), [i]);
  }
  return [...groups.values()];
}

function readClasses(
  where: string,
  data: Splittable,
  rows: number,
  stratify: string | true | ArrayLike<string | number>,
): (row: number) => unknown {
  if (typeof stratify === "string" && isTable(data)) {
    const column = columnNamed(where, data, stratify);
    return (row) => textOf(column, row);
  }
  const list = stratify === true && typeof data === "object" && !isTable(data) ? data.y : stratify;
  if (typeof list !== "object" || lengthOf(list) !== rows) {
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected stratify to name a table's column, to be true for { x, y } with a class a row in y, or to hold ${rows} classes, received ${show(stratify)}.`,
    );
  }
  return (row) => list[row];
}

/** Takes `count` rows of `rows` off the groups, from each its share; remainders go to those that are due most. */
function divide(groups: readonly number[][], count: number, rows: number): [taken: number[][], rest: number[][]] {
  const due = groups.map((group) => (group.length * count) / rows);
  const sizes = due.map(Math.floor);
  const missing = count - sizes.reduce((sum, size) => sum + size, 0);
  const order = due.map((_, i) => i).sort((a, b) => due[b] - sizes[b] - (due[a] - sizes[a]) || a - b);
  for (const i of order.slice(0, missing)) sizes[i]++;
  return [groups.map((group, i) => group.slice(0, sizes[i])), groups.map((group, i) => group.slice(sizes[i]))];
}

function part<T extends Splittable>(data: T, rows: number, chosen: number[]): PartOf<T> {
  const order = Uint32Array.from(chosen).sort();
  return pick(data, rows, order) as PartOf<T>;
}

function pick(data: Splittable, rows: number, order: Uint32Array): Splittable | Uint32Array {
  if (typeof data === "number") return order;
  if (isTable(data)) return take(data, order);
  const arrays = Object.entries(data).map(([name, values]) => [name, takeRows(name, values, rows, order)]);
  return Object.fromEntries(arrays);
}

/** Rows of an array of rows, or of a flat one. A count of rows becomes the part's. */
function takeRows(name: string, values: unknown, rows: number, order: Uint32Array): unknown {
  if (name === "rows") return order.length;
  if (lengthOf(values) === undefined) return values;
  const source = values as ArrayLike<number>;
  const width = source.length / rows;
  if (!Number.isInteger(width)) {
    throw new SimdgradError("SHAPE", `split: expected ${name} to hold ${rows} rows, received ${source.length} values.`);
  }
  if (!ArrayBuffer.isView(values)) return Array.from(order, (row) => source[row]);
  const taken = new (values.constructor as Float32ArrayConstructor)(order.length * width);
  order.forEach((row, i) => {
    taken.set((values as Float32Array).subarray(row * width, (row + 1) * width), i * width);
  });
  return taken;
}
