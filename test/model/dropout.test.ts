// Dropout in a model: masks by seed, layer and forward count; none in inference.
import { describe, expect, it } from "vitest";
import { adam, dense, dropout, load, type Model, type SequentialConfig, sequential } from "../../src/index.ts";
import { randomSource } from "../support/random.ts";
import { stateOf } from "../support/state.ts";

const random = randomSource(3);
const config: SequentialConfig = {
  input: 6,
  layers: [
    dense(21, { activation: "relu" }),
    dropout(0.25),
    dense(9, { activation: "gelu" }),
    dropout(0.5),
    dense(3, { activation: "softmax" }),
  ],
  loss: "cross-entropy",
  optimizer: adam({ learningRate: 0.01 }),
  seed: 5,
};
const data = { x: random.floats(50 * 6), y: Int32Array.from({ length: 50 }, () => random.integer(3)) };
const ones = (rows: number, columns: number) => new Float32Array(rows * columns).fill(1);

/** A network of nothing but dropout layers shows their masks. */
const masks = (rates: number[], options: Partial<SequentialConfig> = {}) =>
  sequential({ input: 10, layers: rates.map((rate) => dropout(rate)), ...options });

describe("dropout", () => {
  it("gives 0 or x / (1 - rate), and goes back through the same mask", () => {
    const model = masks([0.75]);
    for (let pass = 0; pass < 3; pass++) {
      const y = model.forward(ones(300, 10));
      expect(new Set(y)).toEqual(new Set([0, 4]));
      // The share kept, within six standard errors.
      const kept = y.filter((value) => value > 0).length / y.length;
      expect(Math.abs(kept - 0.25)).toBeLessThan(6 * Math.sqrt((0.25 * 0.75) / y.length));
      expect(model.backward(ones(300, 10))).toEqual(y);
    }
  });

  it("draws anew for each forward pass, layer, row and seed", () => {
    const model = masks([0.5]);
    const first = model.forward(ones(64, 10));
    expect(model.forward(ones(64, 10))).not.toEqual(first);
    expect(masks([0.5], { seed: 1 }).forward(ones(64, 10))).not.toEqual(first);
    expect(masks([0.5]).forward(ones(64, 10))).toEqual(first);
    expect(masks([0.5]).forward(ones(8, 10))).toEqual(first.slice(0, 80));
    expect(first.slice(10, 20)).not.toEqual(first.slice(0, 10));
    // Two layers of equal masks would keep a half, not a quarter.
    const both = masks([0.5, 0.5]).forward(ones(300, 10));
    expect(new Set(both)).toEqual(new Set([0, 4]));
    expect(Math.abs(both.filter((value) => value > 0).length / 3000 - 0.25)).toBeLessThan(0.05);
  });

  it("does nothing in inference, nor at rate 0", () => {
    const model = masks([0.5, 0.9]);
    const x = random.floats(70);
    expect(model.predict(x)).toEqual(x);
    expect(model.forward(x, { training: false })).toEqual(x);
    expect(model.backward(x)).toEqual(x);
    expect(masks([0]).forward(x)).toEqual(x);
    const trained = sequential(config);
    expect(trained.forward(data.x, { training: false })).toEqual(trained.predict(data.x));
    expect(trained.evaluate(data)).toEqual(trained.evaluate(data));
  });

  it("backward after forward in inference mode differentiates what predict computes", () => {
    const model = sequential({ input: 6, layers: [dense(8, { activation: "tanh" }), dropout(0.5), dense(2)] });
    const plain = sequential({ input: 6, layers: [dense(8, { activation: "tanh" }), dense(2)] });
    plain.setWeights(model.weights.slice());
    const x = random.floats(30);
    const d = random.floats(10);
    expect(model.forward(x, { training: false })).toEqual(plain.forward(x));
    expect(model.backward(d)).toEqual(plain.backward(d));
    expect(model.gradients).toEqual(plain.gradients);
  });

  it("the same bits for any capacity, and when predict and evaluate come between", async () => {
    const trained = async (options: Partial<SequentialConfig>, onBatch?: (model: Model) => void) => {
      const model = sequential({ ...config, ...options });
      await model.fit(data, { epochs: 3, batchSize: 8, onBatch: () => onBatch?.(model) });
      return model.weights.slice();
    };
    const expected = await trained({});
    expect(await trained({ maxBatch: 3 })).toEqual(expected);
    const between = (model: Model) => [model.predict(data.x), model.evaluate(data)];
    expect(await trained({}, between)).toEqual(expected);
    expect(await trained({ seed: 6 })).not.toEqual(expected);
  });

  it("the forward count is saved, cloned and goes on", () => {
    const model = sequential(config);
    model.trainBatch(data.x, data.y);
    model.forward(data.x);
    for (const other of [load(model.save()), model.clone()]) {
      expect(stateOf(other)).toBe(stateOf(model));
      expect(other.forward(data.x)).toEqual(sequenceOf(model));
    }
  });

  /** What the model's next forward gives, its own count untouched. */
  function sequenceOf(model: Model): Float32Array {
    return load(model.save()).forward(data.x);
  }

  it("a step that fails does not count", () => {
    const model = sequential({ ...config, optimizer: adam({ learningRate: 1e30 }) });
    const before = stateOf(model);
    const bad = { x: Float32Array.from(data.x, (value) => value * 1e38), y: data.y };
    expect(() => model.trainBatch(bad.x, bad.y)).toThrow(expect.objectContaining({ code: "NUMERIC" }));
    expect(() =>
      model.trainBatch(
        data.x.map((value, i) => (i === 7 ? Number.NaN : value)),
        data.y,
      ),
    ).toThrow(expect.objectContaining({ code: "DATA" }));
    expect(stateOf(model)).toBe(before);
  });

  it("learns, and the loss in training is that with masks", () => {
    const model = sequential(config);
    const before = model.evaluate(data).loss;
    const losses = Array.from({ length: 200 }, () => model.trainBatch(data.x, data.y));
    expect(model.evaluate(data).loss).toBeLessThan(0.8 * before);
    expect(model.evaluate(data).loss).toBeLessThan(losses.slice(-10).reduce((sum, loss) => sum + loss / 10, 0));
  });

  it("is named in plan and summary", () => {
    const model = sequential(config);
    expect(model.summary()).toMatch(/^3 +dropout \(0.5\) +9 +0$/m);
    const lists = model.plan.lists;
    const drops = (list: string) => lists[list].filter(({ kernel }) => kernel === "dropout").map(({ owner }) => owner);
    expect(drops("train (labels)")).toEqual(["1", "3", "3", "1"]);
    expect(drops("infer")).toEqual([]);
    expect(drops("evaluate (labels)")).toEqual([]);
    expect(drops("forward, backward (inference mode)")).toEqual([]);
    expect(lists["forward, backward"].find(({ kernel }) => kernel === "dropout")?.args).toContain("forwards");
  });

  it("refuses what is no rate, a network that ends in it, and plain data of an unknown kind", () => {
    for (const rate of [-0.1, 1, Number.NaN, "0.5", undefined]) {
      expect(() => dropout(rate as number)).toThrow(expect.objectContaining({ code: "CONFIG" }));
    }
    expect(() => sequential({ ...config, layers: [dense(3), dropout(0.5)] })).toThrow(/softmax, received dropout/);
    const plain = { kind: "dropout", rate: 0.5 } as const;
    expect(sequential({ ...config, layers: [plain, ...config.layers] }).spec.layers[0]).toEqual(plain);
    const unknown = { ...plain, kind: "drop" } as never;
    expect(() => sequential({ ...config, layers: [unknown, ...config.layers] })).toThrow(/expected a layer/);
  });
});
