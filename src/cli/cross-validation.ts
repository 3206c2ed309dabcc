// `--folds`: models that are each tested on what they did not see.
import { apply, kFold, type Table } from "../data.ts";
import type { Measures } from "../index.ts";
import type { Context } from "./context.ts";
import { CommandError } from "./errors.ts";
import { measuresOf } from "./measures.ts";
import { describeMeasures, printScores, type Scores } from "./metrics.ts";
import { networkFor } from "./network.ts";
import type { CrossValidation } from "./outcome.ts";
import { progressOf, SILENT } from "./progress.ts";
import { isClassifier, type Settings } from "./settings.ts";
import { plural } from "./terminal.ts";
import { epochsOf } from "./train-options.ts";
import { answersOf, classesIn, fitModel, partsOf, prepareFor, samplesOf, scoresOf, unseenClass } from "./training.ts";

export async function crossValidate(
  table: Table,
  settings: Settings,
  count: number,
  context: Context,
): Promise<CrossValidation> {
  const { terminal, values, interrupt, run } = context;
  const stratify = isClassifier(settings) ? settings.target : undefined;
  const folds = kFold(table, { folds: count, seed: settings.seed, stratify });
  const epochs = epochsOf(values);
  const scores: Scores[] = [];
  const answers = { truths: [] as number[], guesses: [] as number[] };
  const classes = classesIn(prepareFor(table, settings));
  if (!values.json) terminal.heading(`Cross-validation, ${plural(count, "fold")}`);
  for (const [i, { train, test }] of folds.entries()) {
    const parts = partsOf(train, settings);
    const preprocessing = prepareFor(parts.train, settings);
    const unseen = unseenClass(table, preprocessing);
    if (unseen !== undefined) {
      throw new CommandError(
        `fold ${i + 1} has no row of the class ${JSON.stringify(unseen)} to train on; leave out classes of very few rows, or use other --folds.`,
      );
    }
    const model = networkFor(preprocessing, settings, { epochs, rows: parts.train.rows }, run);
    const samples = samplesOf(preprocessing, parts, settings);
    const work = { first: 1, last: epochs, rows: samples.train.rows, title: `fold ${i + 1}/${count}` };
    const progress = values.json || values.quiet || !terminal.err.isTTY ? SILENT : progressOf(terminal, work);
    const watching = { onBatch: progress.onBatch, onEpoch: progress.onEpoch, signal: interrupt.signal };
    await fitModel(model, preprocessing, samples, settings, epochs, watching).finally(() => progress.stop());
    const tested = apply(preprocessing, test, { unknown: "zeros" });
    const own = answersOf(model, preprocessing, tested);
    scores.push(scoresOf(own, classes, measuresOf(model, preprocessing, tested)));
    answers.truths = answers.truths.concat(own.truths);
    answers.guesses = answers.guesses.concat(own.guesses);
    if (!values.json) terminal.print(`fold ${i + 1}: ${inShort(scores[i])}`);
    model[Symbol.dispose]();
  }
  const together = scoresOf(answers, classes, meanOf(scores.flatMap(({ metrics }) => metrics ?? [])));
  if (!values.json) {
    terminal.print(`\nall folds together, each row predicted by the model that did not see it:`);
    printScores(terminal, together);
  }
  return { folds: scores, together };
}

/** Metrics of all folds: their means. */
function meanOf(folds: readonly Measures[]): Measures | undefined {
  if (folds.length === 0) return undefined;
  const names = Object.keys(folds[0]) as (keyof Measures)[];
  const sum = (name: keyof Measures) => folds.reduce((total, measures) => total + (measures[name] ?? Number.NaN), 0);
  return Object.fromEntries(names.map((name) => [name, sum(name) / folds.length]));
}

function inShort(scores: Scores): string {
  const main =
    "accuracy" in scores
      ? `accuracy ${scores.accuracy.toFixed(4)}`
      : `root mean squared error ${scores.rootMeanSquaredError.toPrecision(5)}, R2 ${scores.r2.toFixed(4)}`;
  return scores.metrics ? `${main}  ${describeMeasures(scores.metrics)}` : main;
}
