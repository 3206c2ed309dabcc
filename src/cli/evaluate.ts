// `simdgrad evaluate`: how right a model is on rows whose target is known.
import { apply } from "../data.ts";
import { CSV_OPTIONS, csvOptions, JSON_OPTION, naming, readModel } from "./files.ts";
import { checkMetrics, METRICS, measuresOf, withMetrics } from "./measures.ts";
import { printScores } from "./metrics.ts";
import { choice, parseLine, type Usage } from "./options.ts";
import { keptIn, readKnown } from "./settings.ts";
import { plural, type Terminal } from "./terminal.ts";
import { answersOf, classesIn, scoresOf } from "./training.ts";

const OPTIONS = {
  unknown: choice(["error", "zeros"], "what happens with a category that training has not seen (default as trained)"),
  metrics: METRICS,
  json: JSON_OPTION,
  ...CSV_OPTIONS,
};

export const EVALUATE: Usage<typeof OPTIONS> = {
  name: "evaluate",
  about: "Compares a model's predictions with the target in a CSV file.",
  operands: ["MODEL", "FILE.csv"],
  options: OPTIONS,
  examples: [
    "simdgrad evaluate model.safetensors penguins.csv",
    "simdgrad evaluate model.safetensors penguins.csv --metrics auc,top-2 --json",
  ],
};

export async function evaluate(args: readonly string[], terminal: Terminal): Promise<void> {
  const { operands, values } = parseLine(EVALUATE, args);
  const [modelPath, dataPath] = operands;
  const model = await readModel(modelPath);
  const { preprocessing, training } = keptIn(model, modelPath);
  const { settings } = training;
  const { table, left } = await readKnown({ preprocessing, training }, dataPath, csvOptions(values));
  const classes = classesIn(preprocessing);
  checkMetrics(values.metrics ?? [], classes.length);
  const measured = values.metrics ? withMetrics(model, values.metrics) : model;
  const samples = naming(dataPath, () =>
    apply(preprocessing, table, values.unknown ? { unknown: values.unknown } : {}),
  );
  const answers = answersOf(model, preprocessing, samples);
  const scores = scoresOf(answers, classes, measuresOf(measured, preprocessing, samples));
  const { target, task } = settings;
  if (values.json) return terminal.print(JSON.stringify({ task, target, rows: table.rows, ...scores }, null, 2));
  const without = left > 0 ? `, ${plural(left, "row")} without it left out` : "";
  terminal.print(`${target} of ${plural(table.rows, "row")}${without}\n`);
  printScores(terminal, scores);
}
