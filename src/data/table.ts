// Tables: named columns of numbers or text, with cells that may be missing.
import { SimdgradError, show } from "../errors.ts";

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
export function table(
  source: Readonly<Record<string, ArrayLike<Cell>>> | readonly Readonly<Record<string, Cell>>[],
): Table {
  const columns = Object.entries(Array.isArray(source) ? columnsOf(source) : source);
  const rows = columns[0]?.[1].length ?? 0;
  return {
    rows,
    columns: columns.map(([name, cells]) => columnOf(name, cells, rows)),
    rowNumbers: Uint32Array.from({ length: rows }, (_, i) => i),
  };
}

function columnsOf(records: readonly Readonly<Record<string, Cell>>[]): Record<string, Cell[]> {
  const names = new Set(records.flatMap((record) => Object.keys(record)));
  return Object.fromEntries([...names].map((name) => [name, records.map((record) => record[name])]));
}

function columnOf(name: string, cells: ArrayLike<Cell>, rows: number): Column {
  if (cells?.length !== rows) {
    throw new SimdgradError(
      "SHAPE",
      `table: expected column ${show(name)} to have ${rows} rows, as the first has, received ${cells?.length ?? show(cells)}.`,
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
export function take({ rows: all, columns, rowNumbers }: Table, rows: ArrayLike<number>): Table {
  const length = rows.length;
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
export function dropMissing(source: Table, names: readonly string[] = source.columns.map(({ name }) => name)): Table {
  const columns = names.map((name) => columnNamed("dropMissing", source, name));
  const whole: number[] = [];
  for (let i = 0; i < source.rows; i++) if (!columns.some((column) => isMissing(column, i))) whole.push(i);
  return whole.length === source.rows ? source : take(source, whole);
}
