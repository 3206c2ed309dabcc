// The entry that only predicts gives the bits of the model that was saved.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { exportsOf } from "../../scripts/part.mjs";
import {
  activation,
  adam,
  concat,
  dense,
  layerNorm,
  type Model,
  residual,
  type SequentialConfig,
  sequential,
} from "../../src/index.ts";
import { load } from "../../src/infer.ts";
import { randomSource } from "../support/random.ts";

const random = randomSource(11);
const rows = (n: number, columns: number) => Float32Array.from({ length: n * columns }, () => random.uniform(-2, 2));

function model(config: Partial<SequentialConfig> = {}): Model {
  const layers = [dense(19, { activation: "gelu" }), dense(5, { activation: "softmax" })];
  return sequential({ input: 7, layers, loss: "cross-entropy", optimizer: adam(), seed: 3, ...config });
}

describe("a predictor", () => {
  const kinds = ["linear", "relu", "elu", "selu", "gelu", "silu", "softplus", "sigmoid", "tanh", "softmax"] as const;
  it.each([...kinds, { kind: "leaky-relu", alpha: 0.2 } as const])("has the model's bits after %s", (name) => {
    const trained = model({ layers: [dense(37, { activation: name }), activation(name), dense(5)], loss: undefined });
    const predictor = load(trained.save(), { maxBatch: 64 });
    for (const count of [1, 2, 3, 8, 9, 33, 300]) {
      const x = rows(count, 7);
      expect(predictor.predict(x)).toEqual(trained.predict(x));
    }
  });

  const plain = (...units: number[]) => units.map((n) => dense(n, { activation: "relu" }));
  it.each([
    ["256 and 512 inputs", 256, [...plain(512, 128), dense(10)]],
    ["one more", 257, [...plain(513, 129, 33), dense(9)]],
    ["one less", 255, [...plain(511, 127, 31), dense(7)]],
    ["few outputs of many", 784, [dense(1)]],
    ["many outputs of few", 3, [dense(3001, { activation: "relu" }), dense(2)]],
    ["no biases", 300, [dense(41, { useBias: false }), dense(25, { useBias: false, activation: "relu" }), dense(3)]],
    [
      "layers within others",
      66,
      [
        residual([layerNorm(), dense(265, { activation: "gelu" }), dense(66)]),
        concat([plain(33), [], [residual([dense(66)]), dense(31, { activation: "tanh" })]]),
        dense(21),
      ],
    ],
  ] as const)("has the model's bits for rows and chunks of any number: %s", (_, input, layers) => {
    const trained = sequential({ input, layers, seed: 5 });
    // Biases too, which start at 0.
    trained.setWeights(random.floats(trained.weights.length));
    const bytes = trained.save();
    const predictor = load(bytes, { maxBatch: 40 });
    // The fewer rows, the less room to pack in.
    const single = load(bytes, { maxBatch: 1 });
    for (const count of [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 33, 40, 41, 130]) {
      const x = rows(count, input);
      const expected = trained.predict(x);
      expect(expected.some((value) => value !== 0)).toBe(true);
      expect(predictor.predict(x)).toEqual(expected);
      if (count < 5) expect(single.predict(x)).toEqual(expected);
    }
  });

  it("reads files with and without a training state, and keeps spec and metadata", async () => {
    const trained = model();
    trained.metadata.note = "kept";
    const x = rows(40, 7);
    const y = Int32Array.from({ length: 40 }, (_, i) => i % 5);
    await trained.fit({ x, y }, { epochs: 3, validationSplit: 0.2, earlyStopping: { patience: 1 } });
    for (const bytes of [trained.save(), trained.save({ state: false })]) {
      const predictor = load(bytes);
      expect(predictor.predict(x)).toEqual(trained.predict(x));
      expect(predictor.predictClasses(x)).toEqual(trained.predictClasses(x));
      expect(predictor.metadata).toEqual({ note: "kept" });
      expect(predictor.spec).toEqual({ input: 7, layers: trained.spec.layers });
    }
  });

  it("predicts into an array that is there", () => {
    const trained = model();
    const predictor = load(trained.save());
    const out = new Float32Array(10);
    expect(predictor.predictInto(rows(2, 7), out)).toBe(out);
    expect(() => predictor.predictInto(rows(2, 7), new Float32Array(9))).toThrow(/a Float32Array of 10/);
  });

  it("predicts into an array over its inputs, also in chunks, as the model does", () => {
    const trained = model({ maxBatch: 3 });
    const predictor = load(trained.save(), { maxBatch: 3 });
    const x = rows(10, 7);
    const expected = trained.predict(x);
    for (const each of [trained, predictor]) {
      // The outputs before the inputs, over their begin, their middle and their end, and behind them.
      for (const start of [0, 45, 50, 80, 105, 120]) {
        const both = new Float32Array(170);
        const inputs = both.subarray(50, 120);
        inputs.set(x);
        expect(each.predictInto(inputs, both.subarray(start, start + 50)), `from ${start}`).toEqual(expected);
      }
    }
  });

  it("says what is wrong", () => {
    const bytes = model().save();
    expect(() => load(bytes.subarray(0, 100))).toThrow(expect.objectContaining({ code: "FORMAT" }));
    expect(() => load(bytes, { maxBatch: 0 })).toThrow(expect.objectContaining({ code: "CONFIG" }));
    expect(() => load(bytes, { threads: 2 } as object)).toThrow(/unknown option "threads"/);
    const predictor = load(bytes);
    expect(() => predictor.predict([[1, 2]])).toThrow(expect.objectContaining({ code: "SHAPE" }));
    predictor[Symbol.dispose]();
    expect(() => predictor.predict(rows(1, 7))).toThrow(/disposed/);
  });
});

it("carries only the kernels that predict", () => {
  const root = new URL("../../", import.meta.url);
  const names = exportsOf(new URL("assembly/infer.ts", root));
  const bytes = readFileSync(new URL("build/infer.wasm", root));
  const exported = WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map(({ name }) => name);
  expect(exported.sort()).toEqual([...names, "memory"].sort());
});
