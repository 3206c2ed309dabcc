// What evaluate measures is a function of the model and the data, not of how many rows are measured at a time.
import { describe, expect, it } from "vitest";
import {
  activation,
  adam,
  batchNorm,
  type DataSource,
  dense,
  type Loss,
  type Metric,
  type Model,
  type SequentialConfig,
  sequential,
} from "../../src/index.ts";
import { randomSource } from "../support/random.ts";

const ROWS = 600;
const random = randomSource(31);
const x = random.floats(ROWS * 6, -3, 3);
const labels = Int32Array.from({ length: ROWS }, () => random.integer(3));
const oneHot = Float32Array.from({ length: ROWS * 3 }, (_, i) => Number(labels[Math.floor(i / 3)] === i % 3));
const values = random.floats(ROWS * 3, -2, 2);
const shares = random.floats(ROWS * 3, 0, 1);
const sampleWeight = random.floats(ROWS, 0, 2).map((w) => (w < 0.2 ? 0 : w));

type Case = [
  name: string,
  loss: Loss,
  head: "softmax" | "sigmoid" | "linear",
  y: Int32Array | Float32Array,
  metrics: Metric[],
];
const CASES: Case[] = [
  ["cross-entropy", "cross-entropy", "softmax", labels, ["top-2", "precision", "recall", "f1", "auc"]],
  ["cross-entropy of rows", "cross-entropy", "softmax", oneHot, ["auc"]],
  ["smoothed", { kind: "cross-entropy", labelSmoothing: 0.1 }, "softmax", labels, []],
  ["binary-cross-entropy", "binary-cross-entropy", "sigmoid", shares, ["precision", "f1", "auc"]],
  ["mean-squared-error", "mean-squared-error", "linear", values, ["mae", "r2"]],
  ["mean-absolute-error", "mean-absolute-error", "linear", values, []],
  ["huber", { kind: "huber", delta: 0.7 }, "linear", values, []],
];

function build(loss: Loss, head: Case[2], metrics: Metric[], more: Partial<SequentialConfig>): Model {
  const layers = [dense(8, { activation: "gelu" }), batchNorm(), dense(3, { activation: head })];
  return sequential({ input: 6, layers, loss, metrics, optimizer: adam(), seed: 4, ...more });
}

describe.each(CASES)("evaluate, %s", (_, loss, head, y, metrics) => {
  it("has the same bits for any maxBatch, before and after larger batches, whole and in pieces", async () => {
    const columns = y.length / ROWS;
    for (const weights of [undefined, sampleWeight]) {
      const data = { x, y, ...(weights ? { sampleWeight: weights } : {}) };
      const expected = build(loss, head, metrics, {}).evaluate(data);
      expect(expected.loss).toBeGreaterThan(0);
      for (const maxBatch of [1, 2, 3, 5, 7, 64, 256, 1000]) {
        const model = build(loss, head, metrics, { maxBatch });
        expect(model.evaluate(data), `maxBatch ${maxBatch}`).toEqual(expected);
        model.forward(x.subarray(0, 6 * 90), { training: false });
        expect(model.evaluate(data), `maxBatch ${maxBatch}, grown`).toEqual(expected);
      }
      const pieces: DataSource = [
        [0, 7],
        [7, 300],
        [300, ROWS],
      ].map(([start, end]) => ({
        x: x.subarray(start * 6, end * 6),
        y: y.subarray(start * columns, end * columns),
        ...(weights ? { sampleWeight: weights.subarray(start, end) } : {}),
      }));
      expect(await build(loss, head, metrics, { maxBatch: 50 }).evaluate(pieces)).toEqual(expected);
    }
  });
});

it("early stopping sees the same losses for any maxBatch, also while other calls measure in between", async () => {
  const data = { x: x.subarray(0, 6 * 200), y: labels.subarray(0, 200) };
  const validation = { x: x.subarray(6 * 200), y: labels.subarray(200) };
  const run = async (maxBatch: number) => {
    const model = build("cross-entropy", "softmax", ["f1"], { maxBatch });
    const onBatch = () => void model.evaluate(data);
    const { epochs } = await model.fit(data, { epochs: 3, validation, onBatch });
    return epochs.map(({ rowsPerSecond, ...report }) => report);
  };
  const expected = await run(256);
  for (const maxBatch of [33, 64, 400]) expect(await run(maxBatch)).toEqual(expected);
});

it("a network that hands its inputs on has rows without gaps, and the same bits all the same", () => {
  const network: SequentialConfig = { input: 3, layers: [activation("linear")], loss: "mean-squared-error" };
  const data = { x: values, y: shares };
  const expected = sequential(network).evaluate(data);
  for (const maxBatch of [1, 2, 5, 7]) expect(sequential({ ...network, maxBatch }).evaluate(data)).toEqual(expected);
});
