// The data: 1,797 handwritten digits, every fifth kept for the test.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { DemoError } from "./options.ts";

export const SIDE = 8;
export const PIXELS = SIDE * SIDE;
export const CLASSES = 10;
const INK = 16;

/** Shapes: x [rows, 64], y [rows]. Units: pixels 0 (paper) to 1 (ink). */
export interface Samples {
  readonly rows: number;
  readonly x: Float32Array;
  readonly y: Int32Array;
}

export interface Digits {
  readonly train: Samples;
  readonly test: Samples;
}

/** The same two folders up from this file and from its bundle in build/examples/. */
const PACKAGED = fileURLToPath(new URL("../../data/digits.csv.gz", import.meta.url));

export function readDigits(path = PACKAGED): Digits {
  const lines = readText(path).trim().split("\n");
  const rows = lines.map((line, i) => parseRow(path, i + 1, line));
  const test = samples(rows.filter((_, i) => i % 5 === 0));
  const train = samples(rows.filter((_, i) => i % 5 !== 0));
  if (train.rows === 0) throw new DemoError(`${path}: expected at least 2 rows, found ${rows.length}.`);
  return { train, test };
}

function readText(path: string): string {
  try {
    return gunzipSync(readFileSync(path)).toString();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new DemoError(`${path}: no such file; a clone of the repository has it.`);
    throw new DemoError(`${path}: cannot be read as a gzipped file (${message}).`);
  }
}

function parseRow(path: string, line: number, text: string): number[] {
  const row = text.split(",").map(Number);
  const label = row[PIXELS];
  const pixelsFit = row.slice(0, PIXELS).every((pixel) => pixel >= 0 && pixel <= INK);
  const labelFits = Number.isInteger(label) && label >= 0 && label < CLASSES;
  if (row.length === PIXELS + 1 && pixelsFit && labelFits) return row;
  throw new DemoError(
    `${path}: line ${line}: expected ${PIXELS} pixels 0 to ${INK}, then a label 0 to ${CLASSES - 1}.`,
  );
}

function samples(rows: readonly number[][]): Samples {
  return {
    rows: rows.length,
    x: Float32Array.from(rows.flatMap((row) => row.slice(0, PIXELS).map((pixel) => pixel / INK))),
    y: Int32Array.from(rows, (row) => row[PIXELS]),
  };
}
