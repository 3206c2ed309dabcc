// Tables: named columns of numbers or text, with cells that may be missing.
import { SimdgradError, show } from "../errors.ts";
import { lengthOf } from "../options.ts";

/** What a column holds. */
export type ColumnType = "number" | "text";

/** A column of numbers. */
export interface NumberColumn {
  readonly name: string;
  readonly type: "number";
  /** NaN where the cell is missing. */
  readonly values: Float64Array;
}

/** A column of text. */
export interface TextColumn {
  readonly name: string;
  readonly type: "text";
  /** null where the cell is missing. */
  readonly values: readonly (string | null)[];
  /** Set where `types` of csv says that it is text: then it is, whatever its cells look like. */
  readonly asText?: true | undefined;
}

/** A column of a table. */
export type Column = NumberColumn | TextColumn;

/** Columns of equal length. */
export interface Table {
  readonly rows: number;
  readonly columns: readonly Column[];
  /** What errors call each row: its row in the CSV file (from 1, the header is a row too), else its index. */
  readonly rowNumbers: Uint32Array;
}

/** What a cell may be; null, undefined and NaN are missing. */
export type Cell = string | number | boolean | null | undefined;

/** A table of columns by name, or of records. A column is of numbers when all that is there is.
 *  Errors: DATA for cells that are neither number nor text, SHAPE for columns of different lengths. */
export function table<
  Columns extends object & Record<keyof Columns, ArrayLike<Cell>>,
  Row extends object & Partial<Record<keyof Row, Cell>>,
>(source: Columns | readonly Row[]): Table {
  const columns = Object.entries<ArrayLike<Cell>>(
    Array.isArray(source) ? columnsOf(source) : checkRecord(source as Columns, ""),
  );
  const rows = columns.length > 0 ? (lengthOf(columns[0][1]) ?? 0) : 0;
  return {
    rows,
    columns: columns.map(([name, cells]) => columnOf(name, cells, rows)),
    rowNumbers: Uint32Array.from({ length: rows }, (_, i) => i),
  };
}

function columnsOf(records: readonly Readonly<Record<string, Cell>>[]): Record<string, Cell[]> {
  const names = new Set(Array.from(records, (record, i) => Object.keys(checkRecord(record, ` at row ${i}`))).flat());
  return Object.fromEntries([...names].map((name) => [name, records.map((record) => record[name])]));
}

/** Errors: DATA. */
function checkRecord<T extends object>(value: T, at: string): T {
  if (Object.prototype.toString.call(value) === "[object Object]" && lengthOf(value) === undefined) return value;
  throw new SimdgradError("DATA", `table: expected columns by name, or records${at}, received ${show(value)}.`);
}

/** A list that was passed for one. Errors: DATA. */
export function checkList<T>(where: string, name: string, value: ArrayLike<T>): ArrayLike<T> {
  if (lengthOf(value) !== undefined) return value;
  throw new SimdgradError("DATA", `${where}: expected ${name} to be an array, received ${show(value)}.`);
}

/** An array of text that was passed for one. Errors: CONFIG. */
export function checkTexts(where: string, name: string, value: readonly string[]): readonly string[] {
  if (Array.isArray(value) && Array.from(value).every((item) => typeof item === "string")) return value;
  throw new SimdgradError("CONFIG", `${where}: expected ${name} to be an array of texts, received ${show(value)}.`);
}

/** A table that was passed for one. Errors: DATA. */
export function checkTable(where: string, value: Table): Table {
  const { rows, columns, rowNumbers } = Object(value) as Table;
  const sound =
    lengthOf(rowNumbers) === rows &&
    Array.isArray(columns) &&
    Array.from(columns).every(
      (column) =>
        typeof column?.name === "string" &&
        (column.type === "text"
          ? Array.isArray(column.values)
          : column.type === "number" && ArrayBuffer.isView(column.values)) &&
        lengthOf(column.values) === rows,
    );
  if (sound) return value;
  throw new SimdgradError(
    "DATA",
    `${where}: expected a table, received ${show(value)}.`,
    "csv and csvStream read tables, and table() makes one of columns or records.",
  );
}

/** A stream of tables that was passed for one. Errors: DATA. */
export function checkStream<T extends object>(where: string, value: T): T {
  const source: object = Object(value);
  if (
    lengthOf(value) !== undefined ? Array.isArray(value) : Symbol.asyncIterator in source || Symbol.iterator in source
  )
    return value;
  throw new SimdgradError("DATA", `${where}: expected a stream or an array of tables, received ${show(value)}.`);
}

function columnOf(name: string, cells: ArrayLike<Cell>, rows: number): Column {
  if (lengthOf(cells) !== rows) {
    throw new SimdgradError(
      "SHAPE",
      `table: expected column ${show(name)} to have ${rows} rows, as the first has, received ${lengthOf(cells) ?? show(cells)}.`,
    );
  }
  const list = Array.from(cells);
  const wrong = list.findIndex((cell) => cell != null && !["string", "number", "boolean"].includes(typeof cell));
  if (wrong >= 0) {
    throw new SimdgradError(
      "DATA",
      `table: expected text, a number or nothing in column ${show(name)} at row ${wrong}, received ${show(list[wrong])}.`,
    );
  }
  if (list.every((cell) => cell == null || typeof cell === "number")) {
    return {
      name,
      type: "number",
      values: Float64Array.from(list, (cell) => (cell == null ? Number.NaN : Number(cell))),
    };
  }
  const text = (cell: Cell) => (cell == null || Number.isNaN(cell) ? null : String(cell));
  return { name, type: "text", values: list.map(text) };
}

/** Errors: DATA when there is no such column, naming those that there are. */
export function columnNamed<T extends { readonly name: string }>(
  where: string,
  { columns }: { readonly columns: readonly T[] },
  name: string,
): T {
  const found = columns.find((column) => column.name === name);
  if (found) return found;
  const names = columns.map((column) => show(column.name));
  const shown = names.length > 20 ? [...names.slice(0, 20), `and ${names.length - 20} more`] : names;
  throw new SimdgradError(
    "DATA",
    `${where}: expected a column ${show(name)}, found none of that name.`,
    `Columns: ${shown.join(", ")}.`,
  );
}

/** Whether a cell is missing. */
export function isMissing({ type, values }: Column, row: number): boolean {
  return type === "number" ? Number.isNaN(values[row]) : values[row] === null;
}

/** A cell as text; null where it is missing. */
export function textOf({ type, values }: Column, row: number): string | null {
  if (type === "text") return values[row];
  return Number.isNaN(values[row]) ? null : String(values[row]);
}

/** These rows, in this order. Errors: DATA for a row that is not there. */
export function take(source: Table, rows: ArrayLike<number>): Table {
  const { rows: all, columns, rowNumbers } = checkTable("take", source);
  const { length } = checkList("take", "rows", rows);
  for (let i = 0; i < length; i++) {
    if (Number.isInteger(rows[i]) && rows[i] >= 0 && rows[i] < all) continue;
    throw new SimdgradError("DATA", `take: expected rows from 0 to ${all - 1}, received ${show(rows[i])} at ${i}.`);
  }
  const picked = (column: Column): Column =>
    column.type === "number"
      ? { ...column, values: Float64Array.from({ length }, (_, i) => column.values[rows[i]]) }
      : { ...column, values: Array.from({ length }, (_, i) => column.values[rows[i]]) };
  return {
    rows: length,
    columns: columns.map(picked),
    rowNumbers: Uint32Array.from({ length }, (_, i) => rowNumbers[rows[i]]),
  };
}

/** The rows that have a value in each of these columns; in all columns by default. Errors: DATA for unknown columns. */
export function dropMissing(source: Table, names?: readonly string[]): Table {
  const all = checkTable("dropMissing", source).columns;
  const named = (name: string) => columnNamed("dropMissing", source, name);
  const columns = names === undefined ? all : checkTexts("dropMissing", "names", names).map(named);
  const whole: number[] = [];
  for (let i = 0; i < source.rows; i++) if (!columns.some((column) => isMissing(column, i))) whole.push(i);
  return whole.length === source.rows ? source : take(source, whole);
}
