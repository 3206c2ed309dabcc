// What options promise, one by one: each test fails when the option is ignored or turned around.

import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { split } from "../../src/data.ts";
import { strictWasm } from "../../src/generated/strict.ts";
import {
  adam,
  createRuntime,
  dense,
  type FitOptions,
  type Model,
  type SequentialConfig,
  type SimdgradError,
  sequential,
  sgd,
} from "../../src/index.ts";
import { inlinedModules } from "../../src/runtime/module.ts";
import { wrong } from "../support/errors.ts";
import { ordersOf } from "../support/orders.ts";
import { randomSource } from "../support/random.ts";

const random = randomSource(41);
const config: SequentialConfig = {
  input: 4,
  layers: [dense(16, { activation: "relu" }), dense(3, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam({ learningRate: 0.05 }),
};
const x = random.floats(96 * 4);
const y = Int32Array.from({ length: 96 }, () => random.integer(3));
const validation = { x: random.floats(40 * 4), y: Int32Array.from({ length: 40 }, () => random.integer(3)) };

describe("early stopping", () => {
  /** Follows a run by hand: how many epochs it makes and which is the best. */
  async function followed(earlyStopping: NonNullable<FitOptions["earlyStopping"]>, rising: boolean, delta = 0) {
    const model = sequential(config);
    const monitor = earlyStopping.monitor ?? "validationLoss";
    const history = await model.fit({ x, y }, { epochs: 80, validation, earlyStopping });
    let best = Number.POSITIVE_INFINITY;
    let bestEpoch = 0;
    for (const report of history.epochs) {
      const score = (rising ? -1 : 1) * (report[monitor] as number);
      if (score < best - delta) [best, bestEpoch] = [score, report.epoch];
    }
    expect(history.bestEpoch).toBe(bestEpoch);
    expect(history.epochs).toHaveLength(Math.min(80, bestEpoch + earlyStopping.patience));
    return history.epochs.length;
  }

  it("watches losses fall and accuracies rise", async () => {
    await followed({ patience: 5 }, false);
    await followed({ monitor: "loss", patience: 2 }, false);
    await followed({ monitor: "validationAccuracy", patience: 5 }, true);
    await followed({ monitor: "accuracy", patience: 3 }, true);
  });

  it("takes no change under minDelta for a gain", async () => {
    const patient = await followed({ monitor: "loss", patience: 3 }, false);
    const strict = await followed({ monitor: "loss", patience: 3, minDelta: 0.02 }, false, 0.02);
    expect(strict).toBeLessThan(patient);
  });
});

describe("fit", () => {
  const numbers = Float32Array.from({ length: 50 }, (_, i) => i);
  const orders = (epochs: number, options: FitOptions = {}, seed = 0) =>
    ordersOf({ x: numbers, y: new Float32Array(50) }, { epochs, batchSize: 1, ...options }, seed);

  it("shuffles every epoch anew, each row once, by the seed", async () => {
    const all = await orders(4);
    const sorted = [...numbers];
    for (const order of all) expect([...order].sort((a, b) => a - b)).toEqual(sorted);
    expect(new Set(all.map((order) => order.join())).size).toBe(4);
    expect(await orders(4)).toEqual(all);
    expect((await orders(1, {}, 1))[0]).not.toEqual(all[0]);
    expect((await orders(1, { shuffle: false }))[0]).toEqual(sorted);
  });

  it("weighs classes in training and not in validation", async () => {
    const classWeight = [0.1, 5, 1];
    const split = await sequential(config).fit({ x, y }, { validationSplit: 0.25, classWeight });
    const model = sequential(config);
    await model.fit({ x: x.subarray(0, 72 * 4), y: y.subarray(0, 72) }, { classWeight });
    const { loss } = model.evaluate({ x: x.subarray(72 * 4), y: y.subarray(72) });
    expect(split.epochs[0].validationLoss).toBe(loss);
  });

  it("tells rows a second", async () => {
    const started = performance.now();
    const { epochs } = await sequential(config).fit({ x, y }, { epochs: 3 });
    const seconds = (performance.now() - started) / 1000;
    const spent = epochs.reduce((sum, { rowsPerSecond }) => sum + 96 / rowsPerSecond, 0);
    // The epochs lie within the call; they cannot have taken longer, nor no time at all.
    expect(spent).toBeGreaterThan(0);
    expect(spent).toBeLessThanOrEqual(seconds);
  });

  it("waits for callbacks that are asynchronous, and rejects with what they throw", async () => {
    const order: string[] = [];
    const onEpoch: FitOptions["onEpoch"] = async ({ epoch }) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      order.push(`epoch ${epoch}`);
    };
    const onBatch: FitOptions["onBatch"] = async ({ epoch, batch }) => {
      await Promise.resolve();
      order.push(`batch ${epoch}.${batch}`);
    };
    await sequential(config).fit({ x, y }, { epochs: 2, batchSize: 48, onEpoch, onBatch });
    expect(order).toEqual(["batch 1.0", "batch 1.1", "epoch 1", "batch 2.0", "batch 2.1", "epoch 2"]);
    // Promises of other libraries or realms too.
    const thenables: string[] = [];
    const later = (name: string) => ({
      // biome-ignore lint/suspicious/noThenProperty: the point is a promise that is none of the engine's.
      then: (done: (value: unknown) => void) => setTimeout(() => done(thenables.push(name)), 1),
    });
    const foreign = { epochs: 2, batchSize: 96, onEpoch: () => later("epoch"), onBatch: () => later("batch") };
    await sequential(config).fit({ x, y }, foreign);
    expect(thenables).toEqual(["batch", "epoch", "batch", "epoch"]);
    const failing = { onEpoch: () => Promise.reject(new Error("mine")) };
    await expect(sequential(config).fit({ x, y }, failing)).rejects.toThrow("mine");
  });

  it("train checks its arguments at once", () => {
    const model = sequential(config);
    expect(() => model.train({ x, y }, wrong({ epoch: 3 }))).toThrow(/unknown option "epoch"/);
    model.train({ x, y });
    // A loop that was never started holds nothing.
    model.trainBatch(x, y);
  });

  const mistakes: [string, (model: Model) => unknown, RegExp][] = [
    [
      "x and y apart",
      (m) => m.train(wrong(x), wrong(y)),
      /expected data { x, y }, received Float32Array.*train\({ x, y, sampleWeight\? }/,
    ],
    [
      "rows and y apart",
      (m) => m.train(wrong([[1, 2]]), wrong([0])),
      /expected data { x, y }, received an array of 1\./,
    ],
    [
      "a pair",
      (m) => m.train(wrong([x, y])),
      /expected data { x, y }, received an array of 2.*train\({ x, y, sampleWeight\? }/,
    ],
    [
      "a pair to validate",
      (m) => m.train({ x, y }, { epochs: 2, validation: wrong([x, y]) }),
      /train, validation: expected data { x, y }, received an array of 2.*train\({ x/,
    ],
    [
      "rows to evaluate",
      (m) => m.evaluate(wrong([[1, 2]])),
      /expected data { x, y }, received an array.*evaluate\({ x/,
    ],
    ["numbers to evaluate", (m) => m.evaluate(wrong([1, 2])), /expected data { x, y }, received an array of 2/],
    ["no y", (m) => m.evaluate(wrong({ x })), /found no y/],
    [
      "misspelt weights",
      (m) => m.train(wrong({ x, y, sampleWeights: y })),
      /found "sampleWeights".*{ x, y, sampleWeight\? }/,
    ],
    [
      "weights of classes",
      (m) => m.evaluate(wrong({ x, y, classWeight: [1, 2] })),
      /found "classWeight".*sampleWeight\? }, \.\.\./,
    ],
    ["options in the data", (m) => m.train(wrong({ x, y, epochs: 3 })), /found "epochs".*sampleWeight\? }, \.\.\./],
    [
      "misspelt weights to validate",
      (m) => m.train({ x, y }, { validation: wrong({ x, y, sample_weight: y }) }),
      /train, validation: .*"sample_weight"/,
    ],
    [
      "names for classes",
      (m) => m.evaluate({ x: x.subarray(0, 8), y: wrong(["cat", "dog"]) }),
      /row 0, received "cat".*indices/,
    ],
    ["another optimizer's kind", () => adam(wrong({ kind: "sgd" })), /unknown option "kind"/],
  ];
  for (const [name, call, message] of mistakes)
    it(`${name}: an error that helps`, () => expect(() => call(sequential(config))).toThrow(message));

  it("a pair that a source opens, and a piece with misspelt weights, are no data either", async () => {
    const model = sequential(config);
    await expect(model.fit(() => wrong([x, y]))).rejects.toThrow(
      /expected a stream of { x, y }, received an array of 2/,
    );
    await expect(model.fit([wrong({ x, y, weights: y })])).rejects.toMatchObject({
      code: "CONFIG",
      message: expect.stringMatching(/fit, piece 0: .*"weights"/),
    });
  });

  it("takes data with what split carries along", async () => {
    const names = Array.from(y, String);
    const weightInKg = y.map(() => 70);
    const { train, test } = split({ x, y: Array.from(y), sampleWeight: y.map(() => 2), names, weightInKg, rows: 96 });
    const plain = sequential(config);
    await plain.fit({ x: train.x, y: train.y });
    const model = sequential(config);
    await model.fit(train, { validation: [test] });
    expect(model.weights).toEqual(plain.weights);
  });

  it("options that are undefined are not there", () => {
    sequential(wrong({ ...config, metrics: undefined, custom: undefined, threads: undefined }));
    sequential(wrong({ ...config, metrics: [] }));
  });
});

describe("divergence", () => {
  it("is no matter of a large loss alone: unscaled inputs may train on", () => {
    const model = sequential({ ...config, optimizer: sgd({ learningRate: 1e-20 }) });
    const large = x.map((value) => value * 1e8);
    expect(model.trainBatch(large, y)).toBeGreaterThan(1e6);
    expect(model.trainBatch(large, y)).toBeGreaterThan(1e6);
  });

  it("an update that overflowed counts no step", () => {
    const model = sequential({
      input: 1,
      layers: [dense(1)],
      loss: "mean-squared-error",
      optimizer: sgd({ learningRate: 1e37 }),
    });
    for (let i = 0; i < 2; i++) expect(() => model.trainBatch([[100]], [-1])).toThrow(/step 1 /);
  });

  it("says when no smaller rate will help", () => {
    const model = sequential({ ...config, optimizer: sgd({ learningRate: 0.01 }) });
    model.setWeights(model.weights.map(() => 1e30));
    expect(() => model.trainBatch(x, y)).toThrow(/weights have grown to 1.*e\+30.*anew/);
  });
});

describe("evaluate", () => {
  it("agrees with what predict says, over chunks and a short last one", () => {
    const model = sequential({ ...config, maxBatch: 32 });
    const rows = 75;
    const p = model.predict(x.subarray(0, rows * 4));
    const losses = Array.from({ length: rows }, (_, i) => -Math.log(p[i * 3 + y[i]]));
    const right = model.predictClasses(x.subarray(0, rows * 4)).filter((label, i) => label === y[i]).length;
    const { loss, accuracy } = model.evaluate({ x: x.subarray(0, rows * 4), y: y.subarray(0, rows) });
    const mean = losses.reduce((sum, value) => sum + value, 0) / rows;
    // Probabilities are f32: their logarithms are off by a few 2^-24, relative to losses of about 1.
    expect(Math.abs(loss - mean)).toBeLessThan(1e-6);
    expect(accuracy).toBe(right / rows);
  });

  it("agrees with trainBatch's loss, with weights and one-hot rows too", () => {
    const model = sequential({ ...config, optimizer: sgd({ learningRate: 0 }) });
    const oneHot = Array.from(y, (label) => [0, 1, 2].map((j) => (j === label ? 1 : 0)));
    const sampleWeight = random.floats(96, 0, 2);
    for (const data of [
      { x, y },
      { x, y: oneHot },
      { x, y, sampleWeight },
      { x, y: oneHot, sampleWeight },
    ]) {
      const { loss } = model.evaluate(data);
      expect(loss).toBe(model.trainBatch(data.x, data.y, { sampleWeight: data.sampleWeight }));
    }
  });
});

describe("createRuntime", () => {
  const strict = new WebAssembly.Module(readFileSync(new URL("../../build/strict.wasm", import.meta.url)));

  it("runs on a module that the caller compiled, with the same bits", async () => {
    const runtime = createRuntime(strict);
    const [own, given] = [sequential(config), runtime.sequential(config)];
    for (const model of [own, given]) await model.fit({ x, y }, { epochs: 2 });
    expect(given.weights).toEqual(own.weights);
    expect(runtime.load(own.save()).predict(x)).toEqual(own.predict(x));
  });

  it("says what it cannot do", () => {
    const empty = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    const codeOf = (call: () => unknown) => {
      try {
        call();
      } catch (error) {
        return (error as SimdgradError).code;
      }
      return "none";
    };
    expect(codeOf(() => createRuntime(empty))).toBe("CONFIG");
    expect(codeOf(() => createRuntime(wrong(123)))).toBe("CONFIG");
    const built = (name: string) =>
      new WebAssembly.Module(readFileSync(new URL(`../../build/${name}`, import.meta.url)));
    expect(codeOf(() => createRuntime(built("infer.wasm")))).toBe("CONFIG");
    // Kernels that want their memory from elsewhere.
    const bytes = readFileSync(new URL("../../build/strict.wasm", import.meta.url));
    bytes[bytes.indexOf("\x03env\x06memory") + 1]++;
    const own = new WebAssembly.Module(bytes);
    expect(codeOf(() => createRuntime(own))).toBe("CONFIG");
    expect(codeOf(() => createRuntime(strict).sequential({ ...config, threads: 2 }))).toBe("RUNTIME");
    expect(codeOf(() => createRuntime(strict).sequential({ ...config, simd: "relaxed" }))).toBe("RUNTIME");
  });
});

it("says why the kernels do not compile", () => {
  expect(() => inlinedModules("00", "")("strict", false)).toThrow(/SIMD is needed/);
  class Refusing {
    constructor() {
      throw new Error("refused by policy");
    }
  }
  vi.spyOn(WebAssembly, "Module").mockImplementation(Refusing as unknown as () => WebAssembly.Module);
  expect(() => inlinedModules(strictWasm, "")("strict", false)).toThrow(/refused by policy.*wasm-unsafe-eval/);
  vi.restoreAllMocks();
});

it("a model prints as its summary", () => {
  const model = sequential(config);
  expect(inspect(model)).toContain("0  ");
  expect(inspect(model)).toContain(model.summary());
  expect(model.constructor.name).toBe("Model");
});

it("a spec holds what the planner chose", () => {
  const layers = [
    dense(3),
    { kind: "activation", activation: "selu" } as const,
    dense(2, { activation: "tanh" }),
    dense(1),
  ];
  const inits = sequential({ input: 2, layers }).spec.layers.map((layer) => layer.kind === "dense" && layer.kernelInit);
  expect(inits).toEqual(["lecun-normal", false, "glorot-uniform", "glorot-uniform"]);
});
