// How CSV is to be read.
import { SimdgradError, show } from "../errors.ts";
import { checkCount, checkKeys, checkName, checkObject, orDefault } from "../options.ts";
import { type ColumnType, checkTexts } from "./table.ts";

/** Cells that `csv` takes for missing by default, beside those that are empty. */
export const MISSING_CELLS: readonly string[] = ["NA", "N/A", "NaN", "nan", "null", "NULL", "?"];

/** Options of `csv`. */
export interface CsvOptions {
  /** One character; found out by default: comma, tab, bar or semicolon. */
  delimiter?: string | undefined;
  /** Default true: the first row names the columns. false: they are column1, column2, ...; or the names themselves,
   *  for a file that has none. */
  header?: boolean | readonly string[] | undefined;
  /** Rows before the header (or the first row) that are passed over. Default 0. */
  skip?: number | undefined;
  /** Cells that count as missing, beside those that are empty. Default MISSING_CELLS: NA, N/A, NaN, nan, null,
   *  NULL, ?. */
  missing?: readonly string[] | undefined;
  /** By column name, of which one has to be there; found out by default: numbers when all cells that are there are. */
  types?: Readonly<Record<string, ColumnType>> | undefined;
  /** The columns to keep, in this order; all by default. The others are not looked at. */
  columns?: readonly string[] | undefined;
  /** The decimal sign. Default ".". */
  decimal?: "." | "," | undefined;
}

export const CSV_KEYS = ["delimiter", "header", "skip", "missing", "types", "columns", "decimal"];

/** `known`: the keys that the caller takes. Errors: CONFIG. */
export function checkCsv(where: string, options: CsvOptions, known: readonly string[]): void {
  checkKeys(where, options, known);
  const { delimiter, header, skip, missing, types, decimal } = options;
  if (delimiter !== undefined && (typeof delimiter !== "string" || !/^[^"\r\n\uFEFF]$/.test(delimiter))) {
    throw new SimdgradError("CONFIG", `${where}: expected delimiter to be one character, received ${show(delimiter)}.`);
  }
  if (header !== undefined && typeof header !== "boolean") checkTexts(where, "header", header);
  checkTexts(where, "missing", orDefault(missing, []));
  checkTexts(where, "columns", orDefault(options.columns, []));
  checkCount(where, "skip", orDefault(skip, 0), 0);
  checkName(where, "decimal", orDefault(decimal, "."), [".", ","]);
  for (const type of Object.values(checkObject(where, orDefault(types, {})))) {
    checkName(where, "types", type, ["number", "text"]);
  }
}
