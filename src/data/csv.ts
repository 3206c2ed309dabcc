// CSV to tables: whole texts, and streams cut into tables of so many rows. Papa Parse finds cells; types, missing cells
// and errors that name row and column are decided here.
import { SimdgradError, show } from "../errors.ts";
import { papa } from "../generated/papaparse.ts";
import { checkCount, checkKeys, checkName, checkObject, orDefault } from "../options.ts";
import { type Column, type ColumnType, columnNamed, type Table } from "./table.ts";

/** Options of `csv`. */
export interface CsvOptions {
  /** One character; found out by default: comma, tab, bar or semicolon. */
  delimiter?: string | undefined;
  /** Default true: the first row names the columns. false: they are column1, column2, ...; or the names themselves,
   *  for a file that has none. */
  header?: boolean | readonly string[] | undefined;
  /** Rows before the header (or the first row) that are passed over. Default 0. */
  skip?: number | undefined;
  /** Cells that count as missing, beside those that are empty. Default NA, N/A, NaN, nan, null, NULL, ?. */
  missing?: readonly string[] | undefined;
  /** By column name; found out by default: numbers when all cells that are there are. */
  types?: Readonly<Record<string, ColumnType>> | undefined;
  /** The columns to keep, in this order; all by default. The others are not looked at. */
  columns?: readonly string[] | undefined;
  /** The decimal sign. Default ".". */
  decimal?: "." | "," | undefined;
}

/** Options of `csvStream`. */
export interface CsvStreamOptions extends CsvOptions {
  /** Rows of each table but the last; types are found out from the first. Default 4096. */
  rows?: number | undefined;
}

/** Pieces of text or of UTF-8, such as Node's createReadStream(path) or the body of a fetch. */
export type CsvSource =
  | AsyncIterable<string | Uint8Array>
  | Iterable<string | Uint8Array>
  | { getReader(): { read(): Promise<{ done: boolean; value?: string | Uint8Array | undefined }>; cancel(): unknown } };

const OPTIONS = ["delimiter", "header", "skip", "missing", "types", "columns", "decimal"];
const MISSING = ["NA", "N/A", "NaN", "nan", "null", "NULL", "?"];
/** Enough text to see the delimiter in. Units: characters. */
const SAMPLE = 1 << 16;
/** No row is as long as that: its quote was never closed. Units: characters. */
const LONGEST_ROW = 1 << 26;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** A whole CSV file as a table.
 *  Errors: DATA for rows of another length than the header, open quotes, text in columns of numbers; CONFIG. */
export function csv(source: string | Uint8Array, options: CsvOptions = {}): Table {
  const reader = new Reader("csv", checkCsv("csv", options, OPTIONS));
  if (typeof source !== "string" && !(source instanceof Uint8Array)) {
    throw new SimdgradError(
      "DATA",
      `csv: expected text or a Uint8Array, received ${show(source)}.`,
      "Streams go through csvStream.",
    );
  }
  reader.push(source, true);
  return reader.table(reader.count);
}

/** A CSV stream as tables, in bounded memory.
 *  Errors: as csv, at the table where they are; the source's own. */
export async function* csvStream(source: CsvSource, options: CsvStreamOptions = {}): AsyncGenerator<Table, void, void> {
  const reader = new Reader("csvStream", checkCsv("csvStream", options, [...OPTIONS, "rows"]));
  const rows = checkCount("csvStream", "rows", orDefault(options.rows, 4096));
  let any = false;
  for await (const piece of piecesOf(source)) {
    reader.push(piece, false);
    while (reader.count >= rows) {
      any = true;
      yield reader.table(rows);
    }
  }
  reader.push("", true);
  while (reader.count > 0 || !any) {
    any = true;
    yield reader.table(Math.min(rows, reader.count));
  }
}

function checkCsv<T extends CsvOptions>(where: string, options: T, known: readonly string[]): T {
  checkKeys(where, options, known);
  const { delimiter, header, skip, missing, types, decimal } = options;
  if (delimiter !== undefined && (typeof delimiter !== "string" || !/^[^"\r\n\uFEFF]$/.test(delimiter))) {
    throw new SimdgradError("CONFIG", `${where}: expected delimiter to be one character, received ${show(delimiter)}.`);
  }
  if (header !== undefined && typeof header !== "boolean" && !isTexts(header)) {
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected header to be true, false or column names, received ${show(header)}.`,
    );
  }
  for (const [name, texts] of Object.entries({ missing, columns: options.columns })) {
    if (texts === undefined || isTexts(texts)) continue;
    throw new SimdgradError("CONFIG", `${where}: expected ${name} to be an array of texts, received ${show(texts)}.`);
  }
  checkCount(where, "skip", orDefault(skip, 0), 0);
  checkName(where, "decimal", orDefault(decimal, "."), [".", ","]);
  for (const type of Object.values(checkObject(where, orDefault(types, {})))) {
    checkName(where, "types", type, ["number", "text"]);
  }
  return options;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

async function* piecesOf(source: CsvSource): AsyncGenerator<string | Uint8Array, void, void> {
  if (typeof source === "object" && source !== null) {
    if (Symbol.asyncIterator in source || Symbol.iterator in source) return yield* source;
    if ("getReader" in source) return yield* readAll(source.getReader());
  }
  throw new SimdgradError(
    "DATA",
    `csvStream: expected a stream or an iterable of text or bytes, received ${show(source)}.`,
    "Whole texts go through csv.",
  );
}

/** Streams of browsers that cannot be iterated over. */
async function* readAll(
  reader: ReturnType<Extract<CsvSource, { getReader(): unknown }>["getReader"]>,
): AsyncGenerator<string | Uint8Array, void, void> {
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (value !== undefined) yield value;
    }
  } finally {
    await reader.cancel();
  }
}

/** What is used of Papa Parse's parser: the rows of a text, without the last one where the text may end within it. */
interface Parser {
  parse(
    text: string,
    baseIndex: number,
    ignoreLastRow: boolean,
  ): {
    data: string[][];
    errors: { code: string; row?: number; index?: number }[];
    meta: { cursor: number };
  };
}

/** Takes text in, gives tables out; holds the rows that no table has taken yet. */
class Reader {
  private readonly where: string;
  private readonly options: CsvOptions;
  private readonly missing: ReadonlySet<string>;
  private readonly decoder = new TextDecoder("utf-8", { fatal: true });
  private text = "";
  private started = false;
  private parser: Parser | undefined;
  private names: readonly string[] | undefined;
  private types: readonly ColumnType[] | undefined;
  /** Rows of the file that were read, those passed over included. */
  private row = 0;
  private rows: string[][] = [];
  private rowNumbers: number[] = [];

  constructor(where: string, options: CsvOptions) {
    this.where = where;
    this.options = options;
    this.missing = new Set(["", ...orDefault(options.missing, MISSING)]);
  }

  /** Rows that wait. */
  get count(): number {
    return this.rows.length;
  }

  push(piece: string | Uint8Array, last: boolean): void {
    this.text += this.decode(piece, last);
    if (!this.started && this.text.length > 0) {
      this.started = true;
      if (this.text.charCodeAt(0) === 0xfeff) this.text = this.text.slice(1);
    }
    if (!this.parser && this.text.length < SAMPLE && !last) return;
    this.parser ??= this.makeParser();
    const { data, errors, meta } = this.parser.parse(this.text, 0, !last);
    for (const { row = 0, code, index } of errors) {
      // The last row may only look wrong because the text ends within it.
      if (row < data.length) throw this.badQuotes(this.row + row + 1, code, index ?? 0);
    }
    this.text = last ? "" : this.text.slice(meta.cursor);
    if (this.text.length > LONGEST_ROW) throw this.badQuotes(this.row + data.length + 1, "MissingQuotes", 0);
    for (const cells of data) this.take(cells);
  }

  private decode(piece: string | Uint8Array, last: boolean): string {
    if (typeof piece === "string" && !last) return piece;
    try {
      if (typeof piece === "string") return piece + this.decoder.decode();
      return this.decoder.decode(piece, { stream: !last });
    } catch (cause) {
      throw new SimdgradError(
        "DATA",
        `${this.where}: expected text in UTF-8, received other bytes after row ${this.row}.`,
        "Save the file as UTF-8, or decode it first: new TextDecoder(encoding).",
        { cause },
      );
    }
  }

  private makeParser(): Parser {
    const sample = this.text.slice(0, SAMPLE);
    const newline = sample.includes("\n") || !sample.includes("\r") ? "\n" : "\r";
    const whole = sample.slice(0, sample.lastIndexOf(newline) + 1) || sample;
    const lines = afterRows(whole, newline, orDefault(this.options.skip, 0));
    const delimiter =
      this.options.delimiter ?? papa.parse(lines, { newline, preview: 20, skipEmptyLines: true }).meta.delimiter;
    return new papa.Parser({ delimiter, newline });
  }

  private take(cells: string[]): void {
    this.row++;
    if (this.row <= orDefault(this.options.skip, 0)) return;
    if (cells.length === 1 && cells[0].trim() === "") return;
    if (this.names) return this.takeRow(this.names, cells);
    const { header } = this.options;
    if (header === undefined || header === true) this.names = this.checkNames(cells.map((cell) => cell.trim()));
    else {
      this.names = header === false ? cells.map((_, i) => `column${i + 1}`) : this.checkNames(header);
      this.takeRow(this.names, cells);
    }
  }

  private takeRow(names: readonly string[], cells: string[]): void {
    if (cells.length !== names.length) {
      const at = Math.min(cells.length, names.length);
      throw new SimdgradError(
        "DATA",
        `${this.where}: expected ${names.length} cells at row ${this.row}, as there are columns, received ${cells.length}: ${
          cells.length < names.length ? `none for column ${show(names[at])}` : `${show(cells[at])} is too much`
        }.`,
        "Quote cells that contain the delimiter; skip passes over lines before the header, header: false is for files that have none.",
      );
    }
    this.rows.push(cells);
    this.rowNumbers.push(this.row);
  }

  private checkNames(given: readonly string[]): readonly string[] {
    const names = given.map((name, i) => name || `column${i + 1}`);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice === undefined) return names;
    throw new SimdgradError(
      "DATA",
      `${this.where}: expected different column names, found ${show(twice)} twice at row ${this.row}.`,
      "header: false is for files whose first row is data.",
    );
  }

  /** The first `rows` rows that wait. Errors: DATA. */
  table(rows: number): Table {
    if (!this.names) throw new SimdgradError("DATA", `${this.where}: expected a header or rows, found neither.`);
    const cells = this.rows.slice(0, rows);
    const rowNumbers = Uint32Array.from(this.rowNumbers.slice(0, rows));
    this.rows = this.rows.slice(rows);
    this.rowNumbers = this.rowNumbers.slice(rows);
    const kept = this.options.columns ?? this.names;
    const columns = kept.map((name, j) => this.column(name, j, cells, rowNumbers));
    this.types ??= columns.map(({ type }) => type);
    return { rows, columns, rowNumbers };
  }

  /** `kept` is the column's place among those that are kept. */
  private column(name: string, kept: number, rows: readonly string[][], rowNumbers: Uint32Array): Column {
    const j = this.placeOf(name);
    const given = this.options.types?.[name];
    const type = given ?? this.types?.[kept] ?? this.infer(j, rows);
    if (type === "text") {
      const text = (cell: string) => (this.missing.has(cell) ? null : cell);
      return { name, type, values: rows.map((row) => text(row[j].trim())) };
    }
    const values = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) {
      const cell = rows[i][j].trim();
      const value = this.missing.has(cell) ? Number.NaN : this.number(cell);
      if (value === undefined) throw this.noNumber(name, rowNumbers[i], cell, given !== undefined);
      values[i] = value;
    }
    return { name, type, values };
  }

  private placeOf(name: string): number {
    const { names = [], where } = this;
    const columns = names.map((other) => ({ name: other }));
    return columns.indexOf(columnNamed(where, { columns }, name));
  }

  /** Undefined for what is no finite number. */
  private number(cell: string): number | undefined {
    const text = this.options.decimal === "," ? cell.replace(",", ".") : cell;
    const value = NUMBER.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
    return Number.isFinite(value) ? value : undefined;
  }

  private infer(j: number, rows: readonly string[][]): ColumnType {
    const fits = (cell: string) => this.missing.has(cell) || this.number(cell) !== undefined;
    return rows.every((row) => fits(row[j].trim())) ? "number" : "text";
  }

  private noNumber(name: string, row: number, cell: string, given: boolean): SimdgradError {
    return new SimdgradError(
      "DATA",
      `${this.where}: expected a number in column ${show(name)} at row ${row}, received ${show(cell)}.`,
      given
        ? "types says that the column has numbers; missing lists cells that count as missing."
        : `The rows before have numbers there; types: { ${JSON.stringify(name)}: "text" } reads it as text.`,
    );
  }

  private badQuotes(row: number, code: string, index: number): SimdgradError {
    const what = code === "MissingQuotes" ? "is never closed" : "is closed within a cell";
    return new SimdgradError(
      "DATA",
      `${this.where}: expected whole quoted cells, found a quote at row ${row} that ${what}: ${show(this.text.slice(Math.max(0, index - 1), index + 60))}.`,
      'A quote within a quoted cell is written twice: "".',
    );
  }
}

function afterRows(text: string, newline: string, rows: number): string {
  let start = 0;
  for (let i = 0; i < rows; i++) start = text.indexOf(newline, start) + 1 || text.length;
  return text.slice(start);
}
