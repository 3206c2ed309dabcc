// What a demanding user tries: data that changes under fit, memory of the model's own, odd ends of a training.
import { describe, expect, it } from "vitest";
import {
  activation,
  adam,
  dense,
  type FitOptions,
  type Model,
  type SequentialConfig,
  SimdgradError,
  sequential,
  sgd,
} from "../../src/index.ts";
import { wrong } from "../support/errors.ts";
import { collectGarbage } from "../support/garbage.ts";
import { randomSource } from "../support/random.ts";

const random = randomSource(12);
const config: SequentialConfig = {
  input: 4,
  layers: [dense(16, { activation: "relu" }), dense(3, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam({ learningRate: 0.01 }),
  maxBatch: 32,
};
const x = random.floats(64 * 4);
const y = Int32Array.from({ length: 64 }, (_, i) => i % 3);

async function failure(promise: Promise<unknown>): Promise<SimdgradError> {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(SimdgradError);
  return error;
}

describe("data in odd places", () => {
  it("labels that change while fit awaits change nothing", async () => {
    const [touched, plain] = [sequential(config), sequential(config)];
    const labels = y.slice();
    await touched.fit({ x, y: labels }, { epochs: 2, onBatch: () => void labels.fill(-1000) });
    await plain.fit({ x, y }, { epochs: 2 });
    expect(touched.weights).toEqual(plain.weights);
  });

  it("checks large inputs before the first step and lets the event loop turn meanwhile", async () => {
    const rows = 1.2e7 / 4;
    const large = new Float32Array(rows * 4);
    large[large.length - 2] = Number.NaN;
    const model = sequential({ input: 4, layers: [dense(1)], loss: "mean-squared-error", optimizer: adam() });
    const before = model.weights.slice();
    let turns = 0;
    const counting = setInterval(() => turns++, 0);
    const error = await failure(model.fit({ x: large, y: new Float32Array(rows) }, {}));
    clearInterval(counting);
    expect(error.message).toContain(`row ${rows - 1}, column 2`);
    expect(turns).toBeGreaterThan(0);
    expect(model.weights).toEqual(before);
  });

  it("inputs that turn to NaN while fit awaits are DATA", async () => {
    const own = x.slice();
    const model = sequential(config);
    const error = await failure(model.fit({ x: own, y }, { epochs: 2, onBatch: () => void own.fill(Number.NaN) }));
    expect(error.code).toBe("DATA");
    expect(model.weights.every(Number.isFinite)).toBe(true);
  });

  it("x and y may be views of the model's own memory, also when it grows", () => {
    const make = () =>
      sequential({
        input: 1,
        layers: [dense(2000), dense(1)],
        loss: "mean-squared-error",
        optimizer: sgd(),
        maxBatch: 1,
      });
    const [own, copy] = [make(), make()];
    const loss = own.trainBatch(own.weights, own.weights);
    expect(loss).toBe(copy.trainBatch(copy.weights.slice(), copy.weights.slice()));
    expect(own.weights).toEqual(copy.weights);
    expect(own.forward(own.weights)).toEqual(copy.forward(copy.weights.slice()));
  });

  it("predictInto refuses to write over the model", () => {
    const model = sequential(config);
    const before = model.weights.slice();
    expect(() => model.predictInto(x.subarray(0, 8), model.weights.subarray(0, 6))).toThrow(/view of the model/);
    expect(model.weights).toEqual(before);
  });

  it("works above 2 GiB", () => {
    const big = sequential({ input: 1, layers: [dense(1), activation("gelu"), dense(1)], maxBatch: 3e7, seed: 5 });
    const small = sequential({ input: 1, layers: [dense(1), activation("gelu"), dense(1)], seed: 5 });
    expect(big.memory.total).toBeGreaterThan(2 ** 31);
    expect(big.predict([[1]])).toEqual(small.predict([[1]]));
    expect(big.forward([[2]])).toEqual(small.forward([[2]]));
    expect(big.backward([[1]])).toEqual(small.backward([[1]]));
  });

  it("null and text are no numbers", () => {
    const model = sequential({ ...config, layers: [dense(1)], loss: "mean-squared-error" });
    expect(() => model.trainBatch(x.subarray(0, 8), wrong([1, null]))).toThrow(/row 1, column 0, received null/);
    expect(() => model.trainBatch(x.subarray(0, 8), wrong([1, "2"]))).toThrow(/received "2"/);
    expect(() => model.trainBatch(x.subarray(0, 8), [1, 2], { sampleWeight: wrong([1, null]) })).toThrow(
      /row 1, received null/,
    );
    expect(() => model.trainBatch(x.subarray(0, 8), [1, 2], { sampleWeight: wrong("12") })).toThrow(/"12"|received 2/);
    expect(() => model.predict(wrong({ length: -1 }))).toThrow(SimdgradError);
    expect(() => model.predict(wrong({ length: 1e12 }))).toThrow(SimdgradError);
  });

  it("setWeights wants the shape, not only the count", () => {
    const model = sequential(config);
    const transposed = Array.from({ length: 16 }, () => [1, 2, 3, 4]);
    expect(() => model.setWeights({ "0.kernel": transposed })).toThrow(/shape \[4, 16\].*PyTorch/);
    expect(() => model.setWeights(wrong(new Map([["0.bias", new Float32Array(16)]])))).toThrow(SimdgradError);
    expect(() => model.setWeights(wrong(new DataView(new ArrayBuffer(8))))).toThrow(SimdgradError);
  });
});

describe("weights of rows and classes", () => {
  it("a batch whose rows all weigh nothing makes no step", () => {
    const model = sequential(config);
    expect(() => model.trainBatch(x.subarray(0, 8), [0, 1], { sampleWeight: [0, 0] })).toThrow(/zeros/);
  });

  it("in fit such a batch is passed over", async () => {
    const weighted = sequential(config);
    const sampleWeight = Float32Array.from({ length: 64 }, (_, i) => (i < 32 ? 0 : 1));
    await weighted.fit({ x, y, sampleWeight }, { shuffle: false, batchSize: 32 });
    const half = sequential(config);
    await half.fit({ x: x.subarray(128), y: y.subarray(32) }, { shuffle: false, batchSize: 32 });
    expect(weighted.weights).toEqual(half.weights);
  });

  it("class weights are sample weights by label, as array or record", async () => {
    const train = async (options: FitOptions, sampleWeight?: number[]) => {
      const model = sequential(config);
      await model.fit({ x, y, sampleWeight }, options);
      return model.weights.slice();
    };
    const expected = await train(
      {},
      Array.from(y, (label) => [1, 0.5, 2][label]),
    );
    expect(await train({ classWeight: [1, 0.5, 2] })).toEqual(expected);
    expect(await train({ classWeight: { 1: 0.5, 2: 2 } })).toEqual(expected);
    expect(
      await train(
        { classWeight: { 1: 0.25, 2: 1 } },
        Array.from(y, (label) => [1, 2, 2][label]),
      ),
    ).toEqual(expected);
  });

  const refused: [string, unknown][] = [
    ["null", null],
    ["a number", 3],
    ["too few", [1, 2]],
    ["a strange key", { "01": 2 }],
    ["negative", [1, -1, 1]],
    ["infinite", [1, Number.POSITIVE_INFINITY, 1]],
    ["a Map", new Map([[1, 2]])],
  ];
  for (const [name, classWeight] of refused) {
    it(`classWeight that is ${name} is CONFIG`, async () => {
      expect((await failure(sequential(config).fit({ x, y }, wrong({ classWeight })))).code).toBe("CONFIG");
    });
  }
});

describe("the ends of a training", () => {
  const validation = { x: x.slice(0, 40), y: y.slice(0, 10) };

  it("early stopping brings back the best epoch's weights and moments", async () => {
    const model = sequential({ ...config, optimizer: adam({ learningRate: 0.3 }) });
    const states: { loss: number; weights: Float32Array; moments: Float32Array[] }[] = [];
    const onEpoch: FitOptions["onEpoch"] = ({ validationLoss }) => {
      const moments = model.parameters.flatMap((parameter) => parameter.moments.map((moment) => moment.slice()));
      states.push({ loss: validationLoss as number, weights: model.weights.slice(), moments });
    };
    const history = await model.fit({ x, y }, { epochs: 60, validation, earlyStopping: { patience: 4 }, onEpoch });
    const best = states.reduce((a, b, i) => (b.loss < states[a].loss ? i : a), 0);
    expect(history.stopped).toBe("early");
    expect(history.bestEpoch).toBe(best + 1);
    expect(history.epochs).toHaveLength(best + 1 + 4);
    expect(model.weights).toEqual(states[best].weights);
    expect(model.parameters.flatMap(({ moments }) => moments)).toEqual(states[best].moments);
    expect(model.evaluate(validation).loss).toBe(states[best].loss);
  });

  it("also when training is aborted", async () => {
    const model = sequential({ ...config, optimizer: adam({ learningRate: 0.3 }) });
    const abort = new AbortController();
    let best = Number.POSITIVE_INFINITY;
    const onEpoch: FitOptions["onEpoch"] = ({ epoch, validationLoss }) => {
      if (epoch === 12) abort.abort(new Error("enough"));
      else best = Math.min(best, validationLoss as number);
    };
    const options = { epochs: 60, validation, earlyStopping: { patience: 50 }, onEpoch, signal: abort.signal };
    await expect(model.fit({ x, y }, options)).rejects.toThrow("enough");
    expect(model.evaluate(validation).loss).toBe(best);
  });

  it("a signal stops between two batches with its reason and leaves a usable model", async () => {
    const model = sequential(config);
    const abort = new AbortController();
    const onBatch: FitOptions["onBatch"] = ({ batch }) => {
      if (batch === 1) abort.abort(new Error("stop"));
    };
    await expect(model.fit({ x, y }, { epochs: 9, batchSize: 8, onBatch, signal: abort.signal })).rejects.toThrow(
      "stop",
    );
    expect(model.trainBatch(x, y)).toBeGreaterThan(0);
    await expect(model.fit({ x, y }, { epochs: 0, signal: abort.signal })).rejects.toThrow("stop");
  });

  it("a callback that throws rejects with its error and leaves a usable model", async () => {
    const model = sequential(config);
    const onBatch = () => {
      throw new Error("mine");
    };
    await expect(model.fit({ x, y }, { onBatch })).rejects.toThrow("mine");
    await model.fit({ x, y });
  });

  it("train yields reports as fit collects them; break stops it", async () => {
    const [looped, fitted] = [sequential(config), sequential(config)];
    const seen: number[] = [];
    for await (const { epoch, loss } of looped.train({ x, y }, { epochs: 50 })) {
      seen.push(loss);
      if (epoch === 3) break;
    }
    const { epochs, stopped } = await fitted.fit({ x, y }, { epochs: 3 });
    expect(stopped).toBe("finished");
    expect(epochs.map(({ loss }) => loss)).toEqual(seen);
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(looped.weights).toEqual(fitted.weights);
    looped.trainBatch(x, y);
  });

  it("validationSplit takes the last rows before shuffling", async () => {
    const [split, apart] = [sequential(config), sequential(config)];
    const first = await split.fit({ x, y }, { epochs: 2, validationSplit: 0.25 });
    const second = await apart.fit(
      { x: x.subarray(0, 48 * 4), y: y.subarray(0, 48) },
      { epochs: 2, validation: { x: x.subarray(48 * 4), y: y.subarray(48) } },
    );
    const numbers = ({ epochs }: typeof first) => epochs.map(({ rowsPerSecond: _, ...report }) => report);
    expect(numbers(first)).toEqual(numbers(second));
    expect(split.weights).toEqual(apart.weights);
  });

  it("null is no default", async () => {
    for (const options of [
      { validation: null },
      { earlyStopping: null },
      { epochs: null },
      { signal: {} },
      { onBatch: 3 },
    ]) {
      await failure(sequential(config).fit({ x, y }, wrong(options)));
    }
  });

  it("an update that would overflow writes nothing", () => {
    const model = sequential({
      input: 1,
      layers: [dense(1)],
      loss: "mean-squared-error",
      optimizer: sgd({ learningRate: 1e37 }),
    });
    model.setWeights(new Float32Array(2));
    expect(() => model.trainBatch([[100]], [-1])).toThrow(/step 1 .*overflow/);
    expect(model.weights).toEqual(new Float32Array(2));
  });
});

describe("small promises", () => {
  it("one class has one answer, one sigmoid two", () => {
    const one = sequential({ input: 4, layers: [dense(1, { activation: "softmax" })] });
    expect(one.predictClasses(x.subarray(0, 8))).toEqual(Int32Array.of(0, 0));
    const two = sequential({ input: 1, layers: [dense(1, { activation: "sigmoid" })] });
    two.setWeights([1, 0]);
    expect(two.predictClasses([[-1], [1]])).toEqual(Int32Array.of(0, 1));
  });

  it("specs are frozen through and through", () => {
    const layer = dense(3, { kernelInit: { kind: "constant", value: 1 }, activation: { kind: "elu", alpha: 0.5 } });
    for (const part of [layer, layer.kernelInit, layer.activation]) expect(Object.isFrozen(part)).toBe(true);
    const model: Model = sequential({ input: 2, layers: [layer] });
    expect(Object.isFrozen(model.spec.layers)).toBe(true);
    expect(Object.isFrozen(model.parameters[0].shape)).toBe(true);
    expect(JSON.parse(JSON.stringify(model.spec))).toEqual(model.spec);
    expect(sequential(wrong(JSON.parse(JSON.stringify(model.spec)))).weights).toEqual(model.weights);
  });

  it("numbers that f32 cannot hold are refused", () => {
    for (const kernelInit of [
      { kind: "constant", value: 1e300 },
      { kind: "normal", std: 1e300 },
      { kind: "uniform", low: -3e38, high: 3e38 },
      { kind: "uniform", low: 1, high: 1 + 1e-12 },
    ]) {
      expect(() => dense(2, { kernelInit: wrong(kernelInit) }), JSON.stringify(kernelInit)).toThrow(SimdgradError);
    }
    expect(() => dense(2, { activation: { kind: "elu", alpha: 1e300 } })).toThrow(SimdgradError);
    expect(() => sequential({ ...config, layers: [dense(1)], loss: { kind: "huber", delta: 1e-50 } })).toThrow(
      SimdgradError,
    );
    expect(() => sequential({ ...config, layers: wrong(Object.assign(new Array(3), [dense(3)])) })).toThrow(
      SimdgradError,
    );
  });

  it("dispose frees the memory of a model that is still held, and may be called twice", async () => {
    const model = sequential(config);
    const buffer = new WeakRef(model.weights.buffer);
    model[Symbol.dispose]();
    model[Symbol.dispose]();
    for (let i = 0; i < 20 && buffer.deref(); i++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      collectGarbage();
    }
    expect(buffer.deref()).toBeUndefined();
  });

  it("the event loop turns during fit, also for a tiny network over many rows", async () => {
    const model = sequential({
      input: 1,
      layers: [dense(1)],
      loss: "mean-squared-error",
      optimizer: sgd({ learningRate: 0.001 }),
    });
    const rows = 400_000;
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await model.fit({ x: new Float32Array(rows), y: new Float32Array(rows) }, { batchSize: 256 });
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(3);
  });
});
