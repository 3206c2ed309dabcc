// How good predictions are: confusion and what follows from it for classes; errors for numbers.
import type { Measures } from "../index.ts";
import { layTable, longest, oneLine, type Terminal } from "./terminal.ts";

export interface ClassScore {
  readonly name: string;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Rows of that class. */
  readonly rows: number;
}

export interface ClassScores {
  readonly accuracy: number;
  readonly classes: readonly ClassScore[];
  /** confusion[truth][guess]. */
  readonly confusion: readonly (readonly number[])[];
}

export interface NumberScores {
  readonly meanAbsoluteError: number;
  readonly rootMeanSquaredError: number;
  /** 1 - squared error / variance; 0 is no better than the mean. */
  readonly r2: number;
}

export type Scores = (ClassScores | NumberScores) & {
  /** Those that `--metrics` named. */
  readonly metrics?: Measures | undefined;
};

/** Shares of nothing count as 0, as scikit-learn has it. */
export function scoreClasses(
  truths: ArrayLike<number>,
  guesses: ArrayLike<number>,
  names: readonly string[],
): ClassScores {
  const confusion = names.map(() => new Array<number>(names.length).fill(0));
  let right = 0;
  for (let i = 0; i < truths.length; i++) {
    confusion[truths[i]][guesses[i]]++;
    if (truths[i] === guesses[i]) right++;
  }
  const share = (part: number, whole: number) => (whole > 0 ? part / whole : 0);
  const classes = names.map((name, i) => {
    const rows = confusion[i].reduce((sum, n) => sum + n, 0);
    const guessed = confusion.reduce((sum, row) => sum + row[i], 0);
    const hits = confusion[i][i];
    return {
      name,
      precision: share(hits, guessed),
      recall: share(hits, rows),
      f1: share(2 * hits, rows + guessed),
      rows,
    };
  });
  return { accuracy: share(right, truths.length), classes, confusion };
}

export function scoreNumbers(truths: ArrayLike<number>, guesses: ArrayLike<number>): NumberScores {
  const rows = truths.length;
  let [absolute, squared, sum] = [0, 0, 0];
  for (let i = 0; i < rows; i++) {
    const error = guesses[i] - truths[i];
    absolute += Math.abs(error);
    squared += error * error;
    sum += truths[i];
  }
  let spread = 0;
  for (let i = 0; i < rows; i++) spread += (truths[i] - sum / rows) ** 2;
  return {
    meanAbsoluteError: absolute / rows,
    rootMeanSquaredError: Math.sqrt(squared / rows),
    r2: spread > 0 ? 1 - squared / spread : 0,
  };
}

export function printScores(terminal: Terminal, scores: Scores): void {
  printMain(terminal, scores);
  if (scores.metrics) terminal.print(`\n${describeMeasures(scores.metrics)}`);
}

/** In a line. */
export function describeMeasures(measures: Measures): string {
  return shownMeasures(measures).flat().join(" ");
}

/** Names and figures. */
export function shownMeasures(measures: Measures): [name: string, value: string][] {
  return Object.entries(measures).map(([name, value]) => [name, figure(value ?? Number.NaN)]);
}

function printMain(terminal: Terminal, scores: Scores): void {
  if (!("confusion" in scores)) {
    const rows = [
      ["mean absolute error", figure(scores.meanAbsoluteError)],
      ["root mean squared error", figure(scores.rootMeanSquaredError)],
      ["R2", scores.r2.toFixed(4)],
    ];
    terminal.print(rows.map(([name, value]) => `${name.padEnd(25)}${value}`).join("\n"));
    return;
  }
  terminal.print(`accuracy ${scores.accuracy.toFixed(4)}\n`);
  const table = scores.classes.map(({ name, precision, recall, f1, rows }) => [
    name,
    ...[precision, recall, f1].map((share) => share.toFixed(4)),
    String(rows),
  ]);
  terminal.print(layTable([["class", "precision", "recall", "F1", "rows"], ...table]));
  terminal.print("\nrows are what is true, columns what was predicted");
  terminal.print(drawConfusion(scores, terminal));
}

function drawConfusion({ confusion, classes }: ClassScores, terminal: Terminal): string {
  const names = classes.map(({ name }) => oneLine(name.length > 16 ? `${name.slice(0, 15)}…` : name));
  const first = longest(names);
  const width = Math.max(first, longest(confusion.flat().map(String))) + 2;
  const cell = (n: number, right: boolean) => {
    const text = (n === 0 ? "." : String(n)).padStart(width);
    return n === 0 ? terminal.paint("dim", text) : terminal.paint(right ? "green" : "red", text);
  };
  return [
    " ".repeat(first) + names.map((name) => name.padStart(width)).join(""),
    ...confusion.map((row, i) => names[i].padEnd(first) + row.map((n, j) => cell(n, i === j)).join("")),
  ].join("\n");
}

function figure(value: number): string {
  return String(Number(value.toPrecision(5)));
}
