// `simdgrad evaluate`: how right a model is on rows whose target is known.
import { columnTypes, csv, dropMissing } from "../data.ts";
import { CommandError } from "./errors.ts";
import { CSV_OPTIONS, csvOptions, JSON_OPTION, readBytes, readModel } from "./files.ts";
import { printScores } from "./metrics.ts";
import { choice, parseLine, type Usage } from "./options.ts";
import { keptIn } from "./settings.ts";
import { plural, type Terminal } from "./terminal.ts";
import { answersOf, classesIn, scoresOf } from "./training.ts";

const OPTIONS = {
  unknown: choice(["error", "zeros"], "what happens with a category that training has not seen (default as trained)"),
  json: JSON_OPTION,
  ...CSV_OPTIONS,
};

export const EVALUATE: Usage<typeof OPTIONS> = {
  name: "evaluate",
  about: "Compares a model's predictions with the target in a CSV file.",
  operands: ["MODEL", "FILE.csv"],
  options: OPTIONS,
  examples: ["simdgrad evaluate model.safetensors test.csv", "simdgrad evaluate model.safetensors test.csv --json"],
};

export async function evaluate(args: readonly string[], terminal: Terminal): Promise<void> {
  const { operands, values } = parseLine(EVALUATE, args);
  const [modelPath, dataPath] = operands;
  const model = await readModel(modelPath);
  const { preprocessing, training } = keptIn(model, modelPath);
  const { settings } = training;
  const types = columnTypes(preprocessing);
  const options = { ...settings.csv, ...csvOptions(values), types, columns: Object.keys(types) };
  const whole = csv(await readBytes(dataPath), options);
  const table = dropMissing(whole, [settings.target]);
  if (table.rows === 0) throw new CommandError(`${dataPath}: expected rows with a ${settings.target}, found none.`);
  const scores = scoresOf(answersOf(model, preprocessing, table, values.unknown), classesIn(preprocessing));
  const { target, task } = settings;
  if (values.json) return terminal.print(JSON.stringify({ task, target, rows: table.rows, ...scores }, null, 2));
  const left = whole.rows > table.rows ? `, ${plural(whole.rows - table.rows, "row")} without it left out` : "";
  terminal.print(`${target} of ${plural(table.rows, "row")}${left}\n`);
  printScores(terminal, scores);
}
