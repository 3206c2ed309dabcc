// From rows of cells to columns: which are numbers, which cells are missing.
import { SimdgradError, show } from "../errors.ts";
import { orDefault } from "../options.ts";
import { type CsvOptions, MISSING_CELLS } from "./csv-options.ts";
import type { CsvRows } from "./csv-rows.ts";
import { readNumber, readPlain } from "./read-number.ts";
import { type Column, type ColumnType, columnNamed, type Table } from "./table.ts";

/** Makes tables; the first one decides the types of all. */
export class ColumnReader {
  private readonly where: string;
  private readonly options: CsvOptions;
  private readonly missing: ReadonlySet<string>;
  /** Whether some number counts as missing. */
  private readonly losesNumbers: boolean;
  private types: readonly ColumnType[] | undefined;

  constructor(where: string, options: CsvOptions) {
    this.where = where;
    this.options = options;
    this.missing = new Set(["", ...orDefault(options.missing, MISSING_CELLS)]);
    this.losesNumbers = [...this.missing].some((cell) => readNumber(cell, options.decimal) !== undefined);
  }

  /** Errors: DATA, also for a column to keep that there is not, and types of none that there is. */
  table(rows: CsvRows): Table {
    const all = rows.names.map((name, place) => ({ name, place }));
    const typed = Object.keys(orDefault(this.options.types, {}));
    // Some may be of another file, as a target is that is yet to be predicted; not all.
    if (typed.length > 0 && !typed.some((name) => rows.names.includes(name)))
      columnNamed(this.where, { columns: all }, typed[0]);
    const kept = this.options.columns?.map((name) => columnNamed(this.where, { columns: all }, name)) ?? all;
    const columns = kept.map(({ name, place }, i) => this.column(name, place, i, rows));
    this.types ??= columns.map(({ type }) => type);
    return { rows: rows.cells.length, columns, rowNumbers: rows.rowNumbers };
  }

  /** The column at `j` of the file, at `kept` among those that are kept. */
  private column(name: string, j: number, kept: number, { cells: rows, rowNumbers }: CsvRows): Column {
    const given = this.options.types?.[name];
    const type = given ?? this.types?.[kept];
    if (type === "text") return this.text(name, j, rows, given !== undefined);
    const values = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) {
      const value = this.number(rows[i][j]);
      if (value !== undefined) values[i] = value;
      else if (type === undefined) return this.text(name, j, rows, false);
      else throw this.noNumber(name, rowNumbers[i], rows[i][j].trim(), given !== undefined);
    }
    return { name, type: "number", values };
  }

  private text(name: string, j: number, rows: readonly string[][], asked: boolean): Column {
    const cellOf = (cell: string) => (this.missing.has(cell) ? null : cell);
    const values = rows.map((row) => cellOf(row[j].trim()));
    return asked ? { name, type: "text", values, asText: true } : { name, type: "text", values };
  }

  /** NaN where it is missing; undefined for what is no finite number. */
  private number(given: string): number | undefined {
    const { decimal } = this.options;
    const plain = this.losesNumbers ? Number.NaN : readPlain(given, decimal);
    if (!Number.isNaN(plain)) return plain;
    const cell = given.trim();
    return this.missing.has(cell) ? Number.NaN : readNumber(cell, decimal);
  }

  private noNumber(name: string, row: number, cell: string, given: boolean): SimdgradError {
    return new SimdgradError(
      "DATA",
      `${this.where}: expected a number in column ${show(name)} at row ${row}, received ${show(cell)}.`,
      given
        ? "types says that the column has numbers; missing lists cells that count as missing."
        : `The rows before have numbers there; missing: [...MISSING_CELLS, ${show(cell)}] takes such cells for missing, types: { ${JSON.stringify(name)}: "text" } reads the column as text.`,
    );
  }
}
