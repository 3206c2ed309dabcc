// CSV to tables: whole texts, and streams cut into tables of so many rows.
import { SimdgradError, show } from "../errors.ts";
import { checkCount, orDefault } from "../options.ts";
import { ColumnReader } from "./csv-columns.ts";
import { CSV_KEYS, type CsvOptions, checkCsv } from "./csv-options.ts";
import { RowReader } from "./csv-rows.ts";
import { type CsvSource, piecesOf } from "./csv-source.ts";
import type { Table } from "./table.ts";

/** Options of `csvStream`. */
export interface CsvStreamOptions extends CsvOptions {
  /** Rows of each table but the last; types are found out from the first. Default 4096. */
  rows?: number | undefined;
}

/** A whole CSV file as a table.
 *  Errors: DATA for rows of another length than the header, open quotes, text in columns of numbers; CONFIG. */
export function csv(source: string | Uint8Array, options: CsvOptions = {}): Table {
  checkCsv("csv", options, CSV_KEYS);
  if (typeof source !== "string" && !(source instanceof Uint8Array)) {
    throw new SimdgradError(
      "DATA",
      `csv: expected text or a Uint8Array, received ${show(source)}.`,
      "Streams go through csvStream.",
    );
  }
  const reader = new RowReader("csv", options);
  reader.push(source, true);
  if (source.length > 0 && reader.count === 0 && typeof source === "string" && !/[\r\n]/.test(source)) {
    throw new SimdgradError(
      "DATA",
      `csv: expected a file's text, received one line and no row: ${show(source)}.`,
      "Of a path read the file first: csv(await readFile(path)), of a URL csv(await (await fetch(url)).text()).",
    );
  }
  return new ColumnReader("csv", options).table(reader.next(reader.count));
}

/** A CSV stream as tables, in bounded memory.
 *  Errors: as csv, at the table where they are; the source's own. */
export async function* csvStream(source: CsvSource, options: CsvStreamOptions = {}): AsyncGenerator<Table, void, void> {
  checkCsv("csvStream", options, [...CSV_KEYS, "rows"]);
  const rows = checkCount("csvStream", "rows", orDefault(options.rows, 4096));
  const reader = new RowReader("csvStream", options);
  const columns = new ColumnReader("csvStream", options);
  let any = false;
  for await (const piece of piecesOf(source)) {
    reader.push(piece, false);
    while (reader.count >= rows) {
      any = true;
      yield columns.table(reader.next(rows));
    }
  }
  reader.push("", true);
  while (reader.count > 0 || !any) {
    any = true;
    yield columns.table(reader.next(rows));
  }
}
