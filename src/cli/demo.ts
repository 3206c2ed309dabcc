// `simdgrad demo`: a training from beginning to end, on data that come along.
import { penguins } from "../generated/assets.ts";
import { unpack } from "./assets.ts";
import { count, flag, parseLine, path, type Usage } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { trainOn } from "./train.ts";

const OPTIONS = {
  csv: flag("print the data, to train on them yourself"),
  epochs: count("passes over the data (default 60)", 1),
  seed: count("of weights, shuffles and splits (default 0)"),
  save: path("FILE", "where the model goes"),
  report: path("FILE.html", "write the training's curves and scores as a page"),
};

export const DEMO: Usage<typeof OPTIONS> = {
  name: "demo",
  about: "Tells penguins apart by what was measured of them (Palmer penguins, CC0).",
  operands: [],
  options: OPTIONS,
  examples: ["simdgrad demo", "simdgrad demo --csv > penguins.csv"],
};

export async function demo(args: readonly string[], terminal: Terminal): Promise<void> {
  const { csv, epochs = 60, ...values } = parseLine(DEMO, args).values;
  const data = unpack(penguins);
  if (csv) {
    terminal.out.write(data);
    return;
  }
  const source = { path: "penguins.csv", bytes: new TextEncoder().encode(data) };
  await trainOn(source, { target: "species", missing: ["."], hidden: [32, 16], epochs, ...values }, terminal);
  terminal.print(`
The same with files of your own:
  simdgrad demo --csv > penguins.csv
  simdgrad train penguins.csv --target species --missing . --hidden 32,16 --save model.safetensors
  simdgrad predict model.safetensors penguins.csv --probabilities`);
}
