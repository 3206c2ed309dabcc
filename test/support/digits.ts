// The digits data as the demo and the tests split it: every fifth row is for testing.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { adam, dense, type Model, type SequentialConfig, sequential } from "../../src/index.ts";

export interface Samples {
  x: Float32Array;
  y: Int32Array;
}

export function readDigits(): { train: Samples; test: Samples } {
  const text = gunzipSync(readFileSync(new URL("../../data/digits.csv.gz", import.meta.url))).toString();
  const rows = text
    .trim()
    .split("\n")
    .map((line) => line.split(",").map(Number));
  const samples = (part: number[][]) => ({
    x: Float32Array.from(part.flatMap((row) => row.slice(0, 64).map((count) => count / 16))),
    y: Int32Array.from(part, (row) => row[64]),
  });
  return { train: samples(rows.filter((_, i) => i % 5 !== 0)), test: samples(rows.filter((_, i) => i % 5 === 0)) };
}

/** The demo's network: 64-64-10. */
export function digitsModel(options: Partial<SequentialConfig> = {}): Model {
  return sequential({
    input: 64,
    layers: [dense(64, { activation: "relu" }), dense(10, { activation: "softmax" })],
    loss: "cross-entropy",
    optimizer: adam({ learningRate: 1e-3 }),
    ...options,
  });
}
