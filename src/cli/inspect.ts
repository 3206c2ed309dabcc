// `simdgrad inspect`: what is in a model's file.
import { apply, type CsvOptions, featureNames, type Prepared } from "../data.ts";
import type { HealthReport, Model } from "../index.ts";
import { UsageError } from "./errors.ts";
import { CSV_OPTIONS, csvOptions, JSON_OPTION, naming, readModel } from "./files.ts";
import { flag, parseLine, path, type Usage } from "./options.ts";
import { epochsDone, type KeptModel, keptIn, readKnown } from "./settings.ts";
import { layTable, listed, plural, type Terminal } from "./terminal.ts";

/** More categories or classes than that are in --json. */
const MANY_NAMES = 20;

const OPTIONS = {
  plan: flag("also the steps that training and prediction take"),
  data: path("FILE.csv", "rows to look for units that are dead on them, and for gradients"),
  json: JSON_OPTION,
  ...CSV_OPTIONS,
};

export const INSPECT: Usage<typeof OPTIONS> = {
  name: "inspect",
  about: "Shows what is in a model's file: layers, health, memory, preprocessing, training.",
  operands: ["MODEL"],
  options: OPTIONS,
  examples: ["simdgrad inspect model.safetensors", "simdgrad inspect model.safetensors --data penguins.csv --plan"],
};

export async function inspect(args: readonly string[], terminal: Terminal): Promise<void> {
  const { operands, values } = parseLine(INSPECT, args);
  const model = await readModel(operands[0]);
  // A model that this command did not train has none of it.
  const kept = model.metadata.training === undefined ? undefined : keptIn(model, operands[0]);
  const { data } = values;
  const measured = data !== undefined;
  const health = measured
    ? model.health(await samplesFor(kept, data, csvOptions(values)))
    : await weightsOnly(operands[0]);
  if (values.json) return terminal.print(JSON.stringify(asJson(model, health, measured, kept), null, 2));
  terminal.print(model.summary());
  terminal.heading("Health");
  terminal.print(measured ? String(health) : drawWeights(health));
  terminal.heading("Memory");
  terminal.print(String(model.memory));
  if (values.plan) {
    terminal.heading("Plan");
    terminal.print(String(model.plan));
  }
  if (kept) printKept(kept, terminal);
  const others = Object.keys(model.metadata).filter((key) => !(kept && ["preprocessing", "training"].includes(key)));
  if (others.length > 0) terminal.print(`\nmetadata: ${others.join(", ")}`);
}

async function samplesFor(kept: KeptModel | undefined, path: string, options: CsvOptions): Promise<Prepared> {
  if (!kept)
    throw new UsageError("expected a model that simdgrad train saved with --data, this one has no preprocessing.");
  const { table } = await readKnown(kept, path, options);
  return naming(path, () => apply(kept.preprocessing, table, { unknown: "zeros" }));
}

/** A file has no gradients, and a step on zeros would say nothing of the next one. */
async function weightsOnly(path: string): Promise<HealthReport> {
  const model = await readModel(path, { inference: true });
  const health = model.health();
  model[Symbol.dispose]();
  return health;
}

function drawWeights({ layers, findings }: HealthReport): string {
  const rows = layers.map(({ layer, symmetricUnits, weightNorm, nonFinite }) => [
    layer,
    String(symmetricUnits.flat().length),
    weightNorm.toPrecision(3),
    String(nonFinite),
  ]);
  const found =
    findings.length > 0 ? findings : ["No findings; --data FILE.csv measures dead units and gradients too."];
  return [layTable([["layer", "symmetric", "weight norm", "not finite"], ...rows]), ...found].join("\n");
}

/** What was not measured is null. */
function asJson(model: Model, health: HealthReport, measured: boolean, kept: KeptModel | undefined): object {
  const { spec, memory, metadata } = model;
  const layers = health.layers.map(({ deadUnits, gradientNorm, updateRatio, ...rest }) => ({
    ...rest,
    deadUnits: deadUnits ?? null,
    gradientNorm: measured ? gradientNorm : null,
    updateRatio: updateRatio ?? null,
  }));
  return {
    spec,
    parameters: model.weights.length,
    health: { layers, findings: health.findings },
    memory,
    ...(kept ?? { metadata }),
  };
}

function printKept({ preprocessing, training }: KeptModel, terminal: Terminal): void {
  const { settings, history, epochs, finished, data } = training;
  terminal.heading("Preprocessing");
  const rows = preprocessing.features.map((feature) =>
    feature.kind === "number"
      ? [
          feature.column,
          "number",
          `(value - ${short(feature.offset)}) * ${short(feature.factor)}`,
          fillOf(feature.fill),
        ]
      : [feature.column, "category", listed(feature.categories, MANY_NAMES), fillOf(feature.fill)],
  );
  terminal.print(layTable([["column", "kind", "becomes", "missing becomes"], ...rows], [0, 1, 2, 3]));
  terminal.print(`${plural(featureNames(preprocessing).length, "input")} from ${plural(rows.length, "column")}`);
  terminal.heading("Training");
  const state = finished ? "finished" : "unfinished; simdgrad train FILE.csv --save MODEL --resume goes on";
  const last = history.at(-1);
  const lines = [
    ["task", `${settings.task} of ${settings.target}`],
    ...(preprocessing.target?.kind === "class" ? [["classes", listed(preprocessing.target.classes, MANY_NAMES)]] : []),
    ["data", plural(data.rows, "row")],
    ["epochs", `${epochsDone(history)} of ${epochs}, ${state}`],
    ...(last
      ? [
          [
            "loss",
            `${short(last.loss)}${last.validationLoss === undefined ? "" : `, validation ${short(last.validationLoss)}`}`,
          ],
        ]
      : []),
  ];
  terminal.print(lines.map(([name, value]) => `${name.padEnd(9)}${value}`).join("\n"));
}

function short(value: number): string {
  return String(Number(value.toPrecision(5)));
}

function fillOf(fill: number | string | null): string {
  return fill === null ? "" : typeof fill === "number" ? short(fill) : fill;
}
