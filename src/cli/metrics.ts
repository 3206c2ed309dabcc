// How good predictions are: confusion and what follows from it for classes; errors for numbers.
import type { Measures } from "../index.ts";
import { cut, grouped, layTable, longest, oneLine, type Terminal } from "./terminal.ts";

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
  /** confusion[truth][guess], of at most 20 classes. */
  readonly confusion?: readonly (readonly number[])[];
  /** Of more classes: what was taken for what, the most frequent first. */
  readonly confusions?: readonly Confusion[];
}

export interface Confusion {
  readonly actual: string;
  readonly predicted: string;
  /** Rows. */
  readonly count: number;
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

/** More classes than that, or mistakes, are told of in part. */
const MANY = 20;

/** Shares of nothing count as 0, as scikit-learn has it. */
export function scoreClasses(
  truths: ArrayLike<number>,
  guesses: ArrayLike<number>,
  names: readonly string[],
): ClassScores {
  const [rows, guessed, hits] = [0, 0, 0].map(() => new Array<number>(names.length).fill(0));
  // A matrix of thousands of classes would be most of the memory, and nearly all of it empty.
  const mistakes = new Map<number, number>();
  for (let i = 0; i < truths.length; i++) {
    const [truth, guess] = [truths[i], guesses[i]];
    rows[truth]++;
    guessed[guess]++;
    if (truth === guess) hits[truth]++;
    else mistakes.set(truth * names.length + guess, (mistakes.get(truth * names.length + guess) ?? 0) + 1);
  }
  const share = (part: number, whole: number) => (whole > 0 ? part / whole : 0);
  const classes = names.map((name, i) => ({
    name,
    precision: share(hits[i], guessed[i]),
    recall: share(hits[i], rows[i]),
    f1: share(2 * hits[i], rows[i] + guessed[i]),
    rows: rows[i],
  }));
  const accuracy = share(
    hits.reduce((sum, n) => sum + n, 0),
    truths.length,
  );
  if (names.length > MANY) return { accuracy, classes, confusions: listMistakes(mistakes, names) };
  const at = (i: number, j: number) => (i === j ? hits[i] : (mistakes.get(i * names.length + j) ?? 0));
  return { accuracy, classes, confusion: names.map((_, i) => names.map((_, j) => at(i, j))) };
}

/** The most frequent first, then as classes are in order. */
function listMistakes(mistakes: ReadonlyMap<number, number>, names: readonly string[]): Confusion[] {
  const sorted = [...mistakes].sort(([a, m], [b, n]) => n - m || a - b);
  return sorted.map(([pair, count]) => ({
    actual: names[Math.floor(pair / names.length)],
    predicted: names[pair % names.length],
    count,
  }));
}

/** The classes to show: all, or of many those with most mistakes. */
export function shownClasses({ classes }: ClassScores): readonly ClassScore[] {
  if (classes.length <= MANY) return classes;
  const missed = ({ rows, recall }: ClassScore) => Math.round(rows * (1 - recall));
  return classes.toSorted((a, b) => missed(b) - missed(a)).slice(0, MANY);
}

/** What is said of them, where they are not all. */
export function saidOfClasses({ classes }: ClassScores): string {
  return classes.length <= MANY ? "" : `the ${MANY} of ${grouped(classes.length)} classes with most mistakes`;
}

/** The mistakes to show where there is no matrix of them, and what is said of them. */
export function shownConfusions(confusions: readonly Confusion[]): { said: string; rows: string[][] } {
  const said =
    confusions.length > MANY
      ? `the ${MANY} most frequent mistakes, of ${grouped(confusions.length)} different ones`
      : "mistakes";
  const rows = confusions
    .slice(0, MANY)
    .map(({ actual, predicted, count }) => [cut(actual, 40), cut(predicted, 40), String(count)]);
  return { said, rows };
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
  if (!("classes" in scores)) {
    const rows = [
      ["mean absolute error", figure(scores.meanAbsoluteError)],
      ["root mean squared error", figure(scores.rootMeanSquaredError)],
      ["R2", scores.r2.toFixed(4)],
    ];
    terminal.print(rows.map(([name, value]) => `${name.padEnd(25)}${value}`).join("\n"));
    return;
  }
  terminal.print(`accuracy ${scores.accuracy.toFixed(4)}\n`);
  const said = saidOfClasses(scores);
  if (said) terminal.print(`${said} (--json has all)`);
  const table = shownClasses(scores).map(({ name, precision, recall, f1, rows }) => [
    cut(name, 40),
    ...[precision, recall, f1].map((share) => share.toFixed(4)),
    String(rows),
  ]);
  terminal.print(layTable([["class", "precision", "recall", "F1", "rows"], ...table]));
  const { confusion, confusions = [], classes } = scores;
  if (confusion) {
    terminal.print("\nrows are what is true, columns what was predicted");
    terminal.print(drawConfusion(confusion, classes, terminal));
  } else if (confusions.length > 0) {
    const { said, rows } = shownConfusions(confusions);
    terminal.print(`\n${said}`);
    terminal.print(layTable([["actual", "predicted", "count"], ...rows], [0, 1]));
  }
}

function drawConfusion(
  confusion: readonly (readonly number[])[],
  classes: readonly ClassScore[],
  terminal: Terminal,
): string {
  const names = classes.map(({ name }) => oneLine(cut(name, 16)));
  const first = longest(names);
  // Many columns have short headings, so that lines stay short.
  const heads = names.map((name) => cut(name, Math.max(5, Math.floor(terminal.columns / (names.length + 1)) - 2)));
  const width = Math.max(longest(heads), longest(confusion.flat().map(String))) + 2;
  const cell = (n: number, right: boolean) => {
    const text = (n === 0 ? "." : String(n)).padStart(width);
    return n === 0 ? terminal.paint("dim", text) : terminal.paint(right ? "green" : "red", text);
  };
  return [
    " ".repeat(first) + heads.map((name) => name.padStart(width)).join(""),
    ...confusion.map((row, i) => names[i].padEnd(first) + row.map((n, j) => cell(n, i === j)).join("")),
  ].join("\n");
}

function figure(value: number): string {
  return String(Number(value.toPrecision(5)));
}
