// Normalization in a model: running statistics, both modes, what is saved, brought back and left alone.
import { describe, expect, it } from "vitest";
import {
  activation,
  adam,
  batchNorm,
  dense,
  type ErrorCode,
  layerNorm,
  load,
  type Model,
  type SequentialConfig,
  sequential,
  sgd,
} from "../../src/index.ts";
import { load as loadPredictor } from "../../src/infer.ts";
import { normalize } from "../reference/norms.ts";
import { expectWithin, U } from "../support/bounds.ts";
import { randomSource } from "../support/random.ts";
import { stateOf } from "../support/state.ts";

const random = randomSource(13);
const config: SequentialConfig = {
  input: 5,
  layers: [
    dense(12, { useBias: false }),
    batchNorm(),
    activation("relu"),
    dense(7),
    layerNorm(),
    dense(3, { activation: "softmax" }),
  ],
  loss: "cross-entropy",
  optimizer: adam({ learningRate: 0.02 }),
  seed: 2,
};
const data = { x: random.floats(61 * 5), y: Int32Array.from({ length: 61 }, () => random.integer(3)) };
const validation = { x: random.floats(20 * 5), y: Int32Array.from({ length: 20 }, () => random.integer(3)) };
const expectError = (call: () => unknown, code: ErrorCode, message: RegExp) =>
  expect(call).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));

describe("batchNorm", () => {
  it("keeps running statistics by name, from 0 and 1", () => {
    const { buffers, parameters } = sequential(config);
    expect(Object.keys(buffers)).toEqual(["1.runningMean", "1.runningVariance"]);
    expect(buffers["1.runningMean"]).toEqual(new Float32Array(12));
    expect(buffers["1.runningVariance"]).toEqual(new Float32Array(12).fill(1));
    expect(parameters.map(({ name }) => name)).toEqual(
      "0.kernel 1.gamma 1.beta 3.kernel 3.bias 4.gamma 4.beta 5.kernel 5.bias".split(" "),
    );
    expect(parameters[1].value).toEqual(new Float32Array(12).fill(1));
    expect(parameters[2].value).toEqual(new Float32Array(12));
  });

  it("takes each batch in once, with its momentum: trainBatch, and forward in training mode", () => {
    const x = data.x.subarray(0, 100);
    const twin = normalize("column", 20, 5, x, 1e-5);
    const mean = twin.mean.map((value) => 0.25 * value);
    const variance = twin.variance.map((value) => 0.75 + (0.25 * value * 20) / 19);
    const layers = [batchNorm({ momentum: 0.25 }), dense(3, { activation: "softmax" })];
    const steps: ((model: Model) => unknown)[] = [
      (model) => model.trainBatch(x, data.y.subarray(0, 20)),
      (model) => model.forward(x),
    ];
    for (const step of steps) {
      const model = sequential({ ...config, layers });
      for (const idle of [() => model.predict(x), () => model.forward(x, { training: false })]) {
        idle();
        model.evaluate(data);
        expect(model.buffers["0.runningMean"]).toEqual(new Float32Array(5));
      }
      step(model);
      expectWithin(model.buffers["0.runningMean"], mean, (i) => 4 * U * Math.abs(mean[i]));
      expectWithin(model.buffers["0.runningVariance"], variance, (i) => 8 * U * variance[i]);
    }
  });

  it("predicts by them, the same for a row in any batch", async () => {
    const model = sequential(config);
    await model.fit(data, { epochs: 3, batchSize: 16 });
    const whole = model.predict(data.x);
    for (const row of [0, 17, 60]) {
      expect(model.predict(data.x.subarray(row * 5, row * 5 + 5))).toEqual(whole.slice(row * 3, row * 3 + 3));
    }
    expect(model.forward(data.x, { training: false })).toEqual(whole);
    expect(model.forward(data.x)).not.toEqual(whole);
    model.buffers["1.runningMean"].fill(0.5);
    expect(model.predict(data.x)).not.toEqual(whole);
  });

  it("a training batch of one row is DATA, before the first step of fit; predicting one is not", async () => {
    const model = sequential(config);
    const before = stateOf(model);
    expectError(() => model.trainBatch(data.x.subarray(0, 5), [1]), "DATA", /trainBatch.*at least 2 rows.*one of 1/);
    expectError(() => model.forward(data.x.subarray(0, 5)), "DATA", /forward.*at least 2 rows/);
    await expect(model.fit(data, { batchSize: 30 })).rejects.toMatchObject({ code: "DATA" });
    await expect(model.fit(data, { batchSize: 1 })).rejects.toMatchObject({ code: "DATA" });
    await expect(model.fit({ x: data.x.subarray(0, 5), y: [1] })).rejects.toMatchObject({ code: "DATA" });
    expect(stateOf(model)).toBe(before);
    expect(model.predict(data.x.subarray(0, 5))).toHaveLength(3);
    expect(model.forward(data.x.subarray(0, 5), { training: false })).toHaveLength(3);
    await model.fit(data, { batchSize: 59 });
  });

  it("a batch that weighs nothing leaves the statistics, as it leaves the weights", async () => {
    const model = sequential(config);
    const before = [model.weights.slice(), JSON.stringify(model.buffers)];
    const seen: unknown[] = [];
    await model.fit(
      {
        x: data.x.subarray(0, 100),
        y: data.y.subarray(0, 20),
        sampleWeight: data.y.map((_, i) => (i < 10 ? 0 : 1)).subarray(0, 20),
      },
      {
        batchSize: 10,
        shuffle: false,
        onBatch: () => seen.push([model.weights.slice(), JSON.stringify(model.buffers)]),
      },
    );
    expect(seen[0]).toEqual(before);
    expect(seen[1]).not.toEqual(before);
  });

  it("a step that fails leaves the statistics", () => {
    const model = sequential({ ...config, layers: [batchNorm(), dense(3, { activation: "softmax" })] });
    model.weights[12] = 1e38;
    model.weights[13] = 1e38;
    const wrecked = stateOf(model);
    expectError(() => model.trainBatch(data.x, data.y), "NUMERIC", /diverged/);
    expect(stateOf(model)).toBe(wrecked);
  });

  it("statistics that no f32 holds do not enter", () => {
    const model = sequential({ input: 1, layers: [batchNorm(), dense(1)] });
    model.forward(Float32Array.of(3e38, -3e38, 3e38));
    expect(model.buffers["0.runningVariance"]).toEqual(Float32Array.of(1));
  });

  it("momentum: 0 keeps the statistics as they are", () => {
    const layers = [batchNorm({ trainable: false, momentum: 0 }), dense(3, { activation: "softmax" })];
    const model = sequential({ ...config, layers });
    model.buffers["0.runningMean"].fill(1 / 3);
    const before = Object.values(model.buffers).map((values) => values.slice());
    model.trainBatch(data.x, data.y);
    expect(Object.values(model.buffers)).toEqual(before);
  });

  it("trainable: false freezes gamma and beta and lets the statistics run", () => {
    const layers = [dense(6), batchNorm({ trainable: false }), layerNorm({ trainable: false }), dense(2)];
    const model = sequential({ ...config, layers, loss: "mean-squared-error", optimizer: sgd() });
    const y = random.floats(61 * 2);
    const [first] = [model.trainBatch(data.x, y)];
    for (let i = 0; i < 20; i++) model.trainBatch(data.x, y);
    expect(model.trainBatch(data.x, y)).toBeLessThan(first);
    for (const { name, value, gradient } of model.parameters) {
      if (!/gamma|beta/.test(name)) continue;
      expect(new Set(value), name).toEqual(new Set([name.endsWith("gamma") ? 1 : 0]));
      expect(new Set(gradient), name).toEqual(new Set([0]));
    }
    expect(model.buffers["1.runningMean"].some((value) => value !== 0)).toBe(true);
  });
});

describe("running statistics are part of the state", () => {
  it("of files, with and without the training state, of clones and of predictors", async () => {
    const model = sequential(config);
    await model.fit(data, { epochs: 2, batchSize: 16 });
    const y = model.predict(data.x);
    const light = model.save({ state: false });
    for (const other of [load(model.save()), load(light), load(light, { inference: true }), model.clone()]) {
      expect(other.buffers).toEqual(model.buffers);
      expect(other.predict(data.x)).toEqual(y);
    }
    expect(loadPredictor(light).predict(data.x)).toEqual(y);
    expect(stateOf(load(model.save()))).toBe(stateOf(model));
    model.buffers["1.runningVariance"][3] = -1;
    expectError(() => load(model.save()), "FORMAT", /"1.runningVariance": expected finite numbers of at least 0/);
  });

  it("of early stopping's best epoch", async () => {
    const model = sequential({ ...config, optimizer: adam({ learningRate: 0.3 }) });
    const seen: string[] = [];
    const { bestEpoch } = await model.fit(data, {
      epochs: 12,
      batchSize: 16,
      validation,
      earlyStopping: { patience: 4 },
      onEpoch: () => void seen.push(JSON.stringify(model.buffers)),
    });
    expect(bestEpoch).toBeLessThan(seen.length);
    expect(JSON.stringify(model.buffers)).toBe(seen[(bestEpoch ?? 0) - 1]);
  });

  it("of the memory report, in a region of their own", () => {
    expect(sequential(config).memory.regions.buffers).toBe(2 * 64);
  });
});

describe("options of the norms", () => {
  it("are checked", () => {
    for (const call of [
      () => batchNorm({ momentum: 1.5 }),
      () => batchNorm({ epsilon: 0 }),
      () => layerNorm({ epsilon: -1 }),
      () => layerNorm({ epsilon: 1e-50 }),
      () => layerNorm({ epsilon: "0.1" as unknown as number }),
      () => batchNorm({ epsilon: 1e39 }),
      () => layerNorm({ trainable: 1 as unknown as boolean }),
      () => layerNorm({ momentum: 0.1 } as object),
    ]) {
      expectError(call, "CONFIG", /batchNorm|layerNorm/);
    }
  });

  it("are part of the spec", () => {
    const { spec } = sequential({ ...config, layers: [batchNorm({ momentum: 0.5 }), ...config.layers] });
    expect(spec.layers[0]).toEqual({ kind: "batch-norm", momentum: 0.5, epsilon: 1e-5, trainable: true });
    expect(load(sequential(config).save()).spec).toEqual(sequential(config).spec);
    expect(JSON.parse(JSON.stringify(spec)).layers[5]).toEqual({ kind: "layer-norm", epsilon: 1e-5, trainable: true });
    expect(sequential({ ...config, layers: spec.layers }).spec.layers).toEqual(spec.layers);
  });
});
