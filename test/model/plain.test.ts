// Specs as plain data: what JSON makes of a network builds the same network.
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import {
  adam,
  batchNorm,
  concat,
  cosineDecay,
  dense,
  dropout,
  embedding,
  layerNorm,
  type Model,
  residual,
  type SequentialConfig,
  SimdgradError,
  sequential,
} from "../../src/index.ts";

const config: SequentialConfig = {
  input: 4,
  layers: [
    embedding({ vocabulary: 5, units: 3, column: 0 }),
    dense(6, { activation: "relu" }),
    residual([layerNorm(), dense(6, { activation: { kind: "elu", alpha: 0.5 } })]),
    concat([[dense(2)], [batchNorm(), dropout(0.3)]]),
    dense(3, { activation: "softmax" }),
  ],
  loss: { kind: "cross-entropy", labelSmoothing: 0.1 },
  optimizer: adam({ learningRate: cosineDecay({ initial: 0.1, steps: 10 }), clipNorm: 1 }),
  seed: 4,
};

const x = Float32Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? (i / 4) % 5 : Math.fround((i % 7) / 3 - 1)));
const y = Int32Array.from({ length: 10 }, (_, i) => i % 3);

function trained(model: Model): Float32Array {
  for (let step = 0; step < 5; step++) model.trainBatch(x, y);
  return model.weights.slice();
}

describe("a spec that went through JSON", () => {
  it("builds the same network, to the bit", () => {
    const model = sequential(config);
    const plain = JSON.parse(JSON.stringify(model.spec)) as SequentialConfig;
    const again = sequential(plain);
    expect(again.spec).toEqual(model.spec);
    expect(trained(again)).toEqual(trained(model));
  });

  it("is refused where its kind is not known, with those that are", () => {
    const layers = [{ kind: "convolution", filters: 3 }] as unknown as SequentialConfig["layers"];
    expect(() => sequential({ input: 2, layers })).toThrow(/plain data may be of these kinds: dense, activation/);
  });
});

it("layers and optimizers made by the CommonJS files are known to the others", () => {
  const { dropout, layerNorm, warmup, sgd } = createRequire(import.meta.url)("../../dist/cjs/index.js");
  const layers = [layerNorm(), dense(2), dropout(0.5)];
  const optimizer = sgd({ learningRate: warmup({ steps: 2, after: 0.1 }) });
  const model = sequential({ input: 3, layers, loss: "mean-squared-error", optimizer });
  expect(model.trainBatch([[1, 2, 3]], [[1, 2]])).toBeGreaterThan(0);
});

it("errors of the CommonJS files are instances for the modules, and the other way round", () => {
  const other = createRequire(import.meta.url)("../../dist/cjs/index.js") as typeof import("../../src/index.ts");
  const thrownBy = (wrong: () => unknown): unknown => {
    try {
      return wrong();
    } catch (error) {
      return error;
    }
  };
  const [own, theirs] = [dense, other.dense].map((make) => thrownBy(() => make(0)));
  expect(other.SimdgradError).not.toBe(SimdgradError);
  for (const error of [own, theirs]) {
    expect(error instanceof SimdgradError).toBe(true);
    expect(error instanceof other.SimdgradError).toBe(true);
    expect(error instanceof Error).toBe(true);
  }
  for (const value of [new Error("a"), {}, null, undefined, "SimdgradError", { name: "SimdgradError", code: "DATA" }]) {
    expect(value instanceof SimdgradError).toBe(false);
  }
  // Of a class derived from it, only its own.
  class Derived extends SimdgradError {}
  expect(own instanceof Derived).toBe(false);
  expect(new Derived("DATA", "a") instanceof Derived).toBe(true);
  expect(new Derived("DATA", "a") instanceof other.SimdgradError).toBe(true);
});
