// `simdgrad predict`: CSV in, CSV out, row by row in bounded memory.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { applyInputs, columnTypes, csvStream, decode, type Preprocessing, type Table } from "../data.ts";
import type { Model } from "../index.ts";
import { UsageError } from "./errors.ts";
import { CSV_OPTIONS, checkOutput, csvOptions, draft, inFile, openBytes, readable, readModel } from "./files.ts";
import { listen, untilStopped } from "./interrupt.ts";
import { choice, flag, parseLine, path, texts, type Usage } from "./options.ts";
import { keptIn } from "./settings.ts";
import type { Terminal } from "./terminal.ts";
import { classesIn } from "./training.ts";

const OPTIONS = {
  output: path("FILE.csv", "where the predictions go (default: printed)", "o"),
  probabilities: flag("a column for each class with its probability", "p"),
  with: texts("A,B", "columns of the input that are copied beside the predictions"),
  unknown: choice(["error", "zeros"], "what happens with a category that training has not seen (default as trained)"),
  ...CSV_OPTIONS,
};

export const PREDICT: Usage<typeof OPTIONS> = {
  name: "predict",
  about: "Predicts the target for each row of a CSV file, with a model that simdgrad train saved.",
  operands: ["MODEL", "FILE.csv"],
  options: OPTIONS,
  examples: [
    "simdgrad predict model.safetensors penguins.csv > predictions.csv",
    "simdgrad predict model.safetensors penguins.csv --probabilities --with island --output predictions.csv",
    "cat penguins.csv | simdgrad predict model.safetensors -",
  ],
};

export async function predict(args: readonly string[], terminal: Terminal): Promise<void> {
  const { operands, values } = parseLine(PREDICT, args);
  const [modelPath, dataPath] = operands;
  await checkOutput("output", values.output, operands);
  const model = await readModel(modelPath, { inference: true });
  const { preprocessing, training } = keptIn(model, modelPath);
  const classes = classesIn(preprocessing);
  if (values.probabilities && classes.length === 0) {
    throw new UsageError("expected a classifier with --probabilities, this model predicts a number.");
  }
  const copied = values.with ?? [];
  const features = preprocessing.features.map(({ column }) => column);
  const types = { ...Object.fromEntries(copied.map((name) => [name, "text" as const])), ...columnTypes(preprocessing) };
  const columns = [...new Set([...features, ...copied])];
  // A target that is there is only copied, if at all.
  types[training.settings.target] = "text";
  const options = { ...training.settings.csv, ...csvOptions(values), types, columns };
  const names = [
    ...copied,
    "prediction",
    ...(values.probabilities ? classes.map((name) => `probability_${name}`) : []),
  ];
  const lines = async function* () {
    let heading = line(names);
    for await (const table of csvStream(openBytes(dataPath), options)) {
      const x = applyInputs(preprocessing, table, values.unknown ? { unknown: values.unknown } : {});
      yield heading + linesOf(model, preprocessing, table, x, copied, values.probabilities === true).join("");
      heading = "";
    }
    if (heading !== "") yield heading;
  };
  const named = Readable.from(namingFile(dataPath, lines()));
  const interrupt = listen();
  try {
    if (values.output !== undefined) await writeLines(values.output, named, interrupt.signal);
    else await untilStopped(interrupt.signal, pipeline(named, terminal.out, { end: false }));
  } finally {
    interrupt.release();
  }
}

/** Errors: the same, with the file's name. */
async function* namingFile(path: string, lines: AsyncIterable<string>): AsyncGenerator<string, void, void> {
  try {
    yield* lines;
  } catch (error) {
    throw inFile(path, error);
  }
}

/** Whole or not at all. */
async function writeLines(path: string, lines: Readable, signal: AbortSignal): Promise<void> {
  const { file, keep, drop } = await draft(path);
  try {
    await readable(path, () => untilStopped(signal, pipeline(lines, file.createWriteStream())));
    await keep();
  } catch (error) {
    await drop();
    throw error;
  }
}

function linesOf(
  model: Model,
  preprocessing: Preprocessing,
  table: Table,
  x: Float32Array,
  copied: readonly string[],
  probabilities: boolean,
): string[] {
  const outputs = model.predict(x);
  const decoded = decode(preprocessing, outputs);
  const beside = copied.map((name) => table.columns.find((column) => column.name === name)?.values ?? []);
  const width = table.rows > 0 ? outputs.length / table.rows : 1;
  return Array.from({ length: table.rows }, (_, i) => {
    const cells = [...beside.map((values) => cellOf(values[i])), cellOf(decoded[i])];
    if (probabilities) {
      const own = Array.from(outputs.subarray(i * width, (i + 1) * width));
      cells.push(...(width === 1 ? [1 - own[0], own[0]] : own).map(cellOf));
    }
    return line(cells);
  });
}

/** Numbers with as many digits as f32 has; nothing for what is missing. */
function cellOf(value: string | number | null): string {
  if (typeof value === "string") return value;
  return value === null || Number.isNaN(value) ? "" : String(Number(value.toPrecision(7)));
}

function line(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")}\n`;
}
