// From pieces of text to rows of cells: Papa Parse finds the cells; what is a row, and which names it has, is decided here.
import { SimdgradError, show } from "../errors.ts";
import { papa } from "../generated/papaparse.ts";
import { orDefault } from "../options.ts";
import type { CsvOptions } from "./csv-options.ts";

/** Enough text to see the delimiter in. Units: characters. */
const SAMPLE = 1 << 16;
/** No row is as long as that: its quote was never closed. Units: characters. */
const LONGEST_ROW = 1 << 26;

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

/** Rows of a file, as they stand there. */
export interface CsvRows {
  readonly names: readonly string[];
  readonly cells: readonly string[][];
  readonly rowNumbers: Uint32Array;
}

/** Takes text in, gives rows out; holds those that nobody has taken yet. */
export class RowReader {
  private readonly where: string;
  private readonly options: CsvOptions;
  private readonly decoder = new TextDecoder("utf-8", { fatal: true });
  private text = "";
  /** A row that does not end is looked at again when the text has doubled. Units: characters. */
  private enough = 0;
  private started = false;
  private parser: Parser | undefined;
  private names: readonly string[] | undefined;
  /** Rows of the file that were read, those passed over included. */
  private row = 0;
  private rows: string[][] = [];
  private rowNumbers: number[] = [];

  constructor(where: string, options: CsvOptions) {
    this.where = where;
    this.options = options;
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
    if (this.text.length < (this.parser ? this.enough : SAMPLE) && !last) return;
    this.parser ??= this.makeParser();
    const { data, errors, meta } = this.parser.parse(this.text, 0, !last);
    for (const { row = 0, code, index } of errors) {
      // The last row may only look wrong because the text ends within it.
      if (row < data.length) throw this.badQuotes(this.row + row + 1, code, index ?? 0);
    }
    this.enough = meta.cursor > 0 ? 0 : Math.min(2 * this.text.length, LONGEST_ROW + 1);
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

  /** The first `count` rows that wait. Errors: DATA for a file of nothing. */
  next(count: number): CsvRows {
    if (!this.names) throw new SimdgradError("DATA", `${this.where}: expected a header or rows, found neither.`);
    const cells = this.rows.slice(0, count);
    const rowNumbers = Uint32Array.from(this.rowNumbers.slice(0, count));
    this.rows = this.rows.slice(count);
    this.rowNumbers = this.rowNumbers.slice(count);
    return { names: this.names, cells, rowNumbers };
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
  for (let i = 0; i < rows && start < text.length; i++) start = text.indexOf(newline, start) + 1 || text.length;
  return text.slice(start);
}
