// Scaling and filling of plain arrays, fitted on the training part and applied to all. Tables have `prepare`.
import { SimdgradError, show } from "../errors.ts";
import { checkCount, checkKeys, checkObject, lengthOf, orDefault } from "../options.ts";
import {
  applyFit,
  checkFit,
  type FillStrategy,
  isFit,
  NumberCollector,
  type NumberFit,
  type NumberFitOptions,
} from "./numbers.ts";

/** A fit a column: plain data, kept as JSON. */
export interface Scaling {
  readonly kind: "scaling";
  readonly columns: readonly NumberFit[];
}

/** Options of `standardize`, `minMax` and `impute`. */
export interface ScalingOptions {
  /** Columns of x, where x is flat. */
  columns?: number | undefined;
  /** What a NaN becomes. Default "error": there must be none. */
  fill?: FillStrategy | undefined;
}

type Rows = ArrayLike<number> | ArrayLike<ArrayLike<number>>;

/** Each column to mean 0 and standard deviation 1 (over n, not n - 1). Apply it with `scale`.
 *  Shapes: x [rows, columns], flat or rows. Errors: CONFIG, SHAPE, DATA. */
export function standardize(x: Rows, options: ScalingOptions = {}): Scaling {
  return learn("standardize", x, options, { fill: "error" });
}

/** Each column to the range 0..1. Apply it with `scale`. Shapes: x [rows, columns]. Errors: CONFIG, SHAPE, DATA. */
export function minMax(x: Rows, options: ScalingOptions = {}): Scaling {
  return learn("minMax", x, options, { fill: "error", scale: "min-max" });
}

/** Fills NaN and changes nothing else; the column's mean by default. Apply it with `scale`.
 *  Shapes: x [rows, columns]. Errors: CONFIG, SHAPE, DATA. */
export function impute(x: Rows, options: ScalingOptions = {}): Scaling {
  return learn("impute", x, options, { scale: "none" });
}

function learn(where: string, x: Rows, options: ScalingOptions, standard: NumberFitOptions): Scaling {
  checkKeys(where, options, ["columns", "fill"]);
  const strategies = checkFit(where, { ...standard, fill: orDefault(options.fill, standard.fill) });
  const { values, columns } = readRows(where, x, options.columns);
  const collectors = Array.from({ length: columns }, () => new NumberCollector(strategies));
  for (let i = 0; i < values.length; i++) {
    const value = checkValue(where, values[i], i, columns);
    collectors[i % columns].add(strategies.fill === "error" ? notMissing(where, value, i, columns) : value);
  }
  return { kind: "scaling", columns: collectors.map((collector, j) => collector.finish(where, String(j))) };
}

/** A fitted scaling on any rows. Shapes: [rows, columns], flat.
 *  Errors: SHAPE; DATA for what is no finite number, and for NaN where nothing fills it. */
export function scale(scaling: Scaling, x: Rows): Float32Array<ArrayBuffer> {
  const { columns } = checkScaling(scaling);
  const { values } = readRows("scale", x, columns.length);
  return Float32Array.from(values, (value, i) =>
    notMissing(
      "scale",
      applyFit(columns[i % columns.length], checkValue("scale", value, i, columns.length)),
      i,
      columns.length,
    ),
  );
}

/** Errors: CONFIG. */
function checkScaling(value: Scaling): Scaling {
  const { kind, columns } = checkObject("scale", value);
  if (kind === "scaling" && Array.isArray(columns) && columns.length > 0 && Array.from(columns).every(isFit))
    return value;
  throw new SimdgradError(
    "CONFIG",
    `scale: expected what standardize, minMax or impute returned, received ${show(value)}.`,
  );
}

function readRows(where: string, x: Rows, given: number | undefined): { values: ArrayLike<number>; columns: number } {
  if (lengthOf(x) === undefined) {
    throw new SimdgradError("DATA", `${where}: expected rows or a typed array, received ${show(x)}.`);
  }
  if (typeof x[0] === "object") {
    const rows = Array.from(x as ArrayLike<ArrayLike<number>>);
    const columns = given === undefined ? lengthOf(rows[0]) : checkCount(where, "columns", given);
    const ragged = rows.findIndex((row) => lengthOf(row) === undefined || lengthOf(row) !== columns);
    if (ragged < 0) return { values: rows.flatMap((row) => Array.from(row)), columns: columns as number };
    throw new SimdgradError(
      "SHAPE",
      `${where}: expected row ${ragged} to hold ${columns ?? "numbers"} values, received ${lengthOf(rows[ragged]) ?? show(rows[ragged])}.`,
    );
  }
  const columns = checkCount(where, "columns", given);
  if (x.length % columns === 0) return { values: x as ArrayLike<number>, columns };
  throw new SimdgradError("SHAPE", `${where}: expected rows of ${columns}, received ${x.length} values.`);
}

function checkValue(where: string, value: number, i: number, columns: number): number {
  if (typeof value === "number" && (Number.isNaN(value) || Number.isFinite(Math.fround(value)))) return value;
  throw bad(where, value, i, columns);
}

function notMissing(where: string, value: number, i: number, columns: number): number {
  if (Number.isNaN(value)) throw bad(where, value, i, columns);
  return value;
}

function bad(where: string, value: unknown, i: number, columns: number): SimdgradError {
  return new SimdgradError(
    "DATA",
    `${where}: expected a finite f32 number at row ${Math.floor(i / columns)}, column ${i % columns}, received ${show(value)}.`,
    "NaN counts as missing: fill says what takes its place.",
  );
}
