// Bad input: an error with its code that names value and place, and a model that is as it was.
import { describe, expect, it, vi } from "vitest";
import {
  activation,
  adam,
  adamw,
  dense,
  dropout,
  type ErrorCode,
  embedding,
  layerNorm,
  type Model,
  planMemory,
  rmsprop,
  type SequentialConfig,
  sequential,
  sgd,
} from "../../src/index.ts";
import { createKernels } from "../../src/kernels.ts";
import { readDigits } from "../support/digits.ts";
import { errorOf, wrong } from "../support/errors.ts";

const classifier: SequentialConfig = {
  input: 3,
  layers: [dense(5, { activation: "relu" }), dense(4, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam(),
};
const regression: SequentialConfig = { ...classifier, layers: [dense(5), dense(2)], loss: "mean-squared-error" };
const binary: SequentialConfig = {
  ...classifier,
  layers: [dense(2, { activation: "sigmoid" })],
  loss: "binary-cross-entropy",
};
const x = Float32Array.from({ length: 12 }, (_, i) => i / 12);
const y = [0, 1, 2, 3];

function expectError(call: () => unknown, code: ErrorCode, ...words: (string | RegExp)[]): void {
  const error = errorOf(call);
  expect(error.code, error.message).toBe(code);
  for (const word of words) expect(error.message).toMatch(word);
}

/** The call fails as said and leaves every bit of the model as it was. */
function expectUntouched(
  model: Model,
  call: (model: Model) => unknown,
  code: ErrorCode,
  ...words: (string | RegExp)[]
): void {
  const state = () => [
    model.weights.slice(),
    model.parameters.flatMap(({ moments }) => moments.map((m) => m.slice())),
    model.memory.total,
  ];
  const before = state();
  expectError(() => call(model), code, ...words);
  expect(state()).toEqual(before);
}

const nan = x.slice();
nan[7] = Number.NaN;

describe("data", () => {
  const cases: [string, SequentialConfig, (model: Model) => unknown, ErrorCode, ...(string | RegExp)[]][] = [
    [
      "a ragged row",
      classifier,
      (m) =>
        m.trainBatch(
          [
            [1, 2, 3],
            [1, 2],
          ],
          [0, 1],
        ),
      "SHAPE",
      "row 1",
      "3",
      "2",
    ],
    ["a length that does not divide", classifier, (m) => m.trainBatch(x.subarray(1), y), "SHAPE", "rows of 3", "11"],
    ["a flat plain array", classifier, (m) => m.predict(wrong([1, 2, 3])), "SHAPE", "row 0", /\[\[/],
    ["NaN in a typed array", classifier, (m) => m.trainBatch(nan, y), "DATA", "row 2", "column 1", "NaN"],
    [
      "infinity in rows",
      classifier,
      (m) =>
        m.predict([
          [1, 2, 3],
          [1, Number.POSITIVE_INFINITY, 3],
        ]),
      "DATA",
      "row 1",
      "column 1",
    ],
    ["a number beyond f32", classifier, (m) => m.predict(Float64Array.of(1, 2, 1e39)), "DATA", "column 2", "1e+39"],
    ["text in a row", classifier, (m) => m.predict(wrong([[1, "2", 3]])), "DATA", "column 1", '"2"'],
    ["NaN in predict", classifier, (m) => m.predict(nan), "DATA", "row 2"],
    ["NaN in predictClasses", classifier, (m) => m.predictClasses(nan), "DATA", "predictClasses: expected", "row 2"],
    ["NaN in evaluate", classifier, (m) => m.evaluate({ x: nan, y }), "DATA", "row 2"],
    ["NaN in forward", classifier, (m) => m.forward(nan), "DATA", "row 2"],
    ["64-bit integers", classifier, (m) => m.predict(wrong(new BigInt64Array(3))), "DATA", "BigInt64Array"],
    ["nothing", classifier, (m) => m.predict(wrong(undefined)), "DATA", "undefined"],
    ["no rows to train on", classifier, (m) => m.trainBatch(new Float32Array(0), []), "DATA", "at least one row"],
    ["no rows of two targets", regression, (m) => m.evaluate({ x: [], y: [] }), "DATA", "at least one row"],
    ["no targets", regression, (m) => m.evaluate({ x, y: [] }), "SHAPE", "y to have 4 rows", "received 0"],
    ["no rows to evaluate", classifier, (m) => m.evaluate({ x: [], y: [] }), "DATA", "at least one row"],
    ["a label too large", classifier, (m) => m.trainBatch(x, [0, 1, 4, 3]), "DATA", "0 to 3", "row 2", "4"],
    ["a negative label", classifier, (m) => m.trainBatch(x, Int32Array.of(0, 1, 2, -1)), "DATA", "row 3", "-1"],
    ["half a label", classifier, (m) => m.evaluate({ x, y: [0.5, 1, 2, 3] }), "DATA", "row 0", "0.5"],
    ["too few labels", classifier, (m) => m.trainBatch(x, [0, 1]), "SHAPE", "4 class indices", "2"],
    [
      "target rows of the wrong width",
      classifier,
      (m) =>
        m.trainBatch(x, [
          [1, 0],
          [1, 0],
          [1, 0],
          [1, 0],
        ]),
      "SHAPE",
      "row 0",
      "4",
      "2",
    ],
    [
      "a probability above 1",
      classifier,
      (m) => m.trainBatch(x.subarray(0, 3), [[0, 2, 0, 0]]),
      "DATA",
      "column 1",
      "2",
    ],
    ["a binary target of 2", binary, (m) => m.trainBatch(x.subarray(0, 3), [[0, 2]]), "DATA", "column 1", "0 to 1"],
    [
      "flat plain targets of two outputs",
      regression,
      (m) => m.trainBatch(x, [1, 2, 3, 4, 5, 6, 7, 8]),
      "SHAPE",
      "rows of 2",
    ],
    [
      "NaN among targets",
      regression,
      (m) => m.trainBatch(x.subarray(0, 3), [[1, Number.NaN]]),
      "DATA",
      "y",
      "column 1",
    ],
    ["too few targets", regression, (m) => m.trainBatch(x, [[1, 2]]), "SHAPE", "4 rows", "1"],
    ["too few weights", classifier, (m) => m.trainBatch(x, y, { sampleWeight: [1] }), "SHAPE", "4 weights", "1"],
    [
      "a negative weight",
      classifier,
      (m) => m.trainBatch(x, y, { sampleWeight: [1, -1, 1, 1] }),
      "DATA",
      "row 1",
      "-1",
    ],
    ["only zero weights", classifier, (m) => m.trainBatch(x, y, { sampleWeight: [0, 0, 0, 0] }), "DATA", "only zeros"],
    ["a wrong out", classifier, (m) => m.predictInto(x, new Float32Array(15)), "SHAPE", "16", "15"],
    ["no x", classifier, (m) => m.evaluate(wrong({ y })), "DATA", "x, y"],
  ];
  for (const [name, config, call, code, ...words] of cases) {
    it(name, () => expectUntouched(sequential(config), call, code, ...words));
  }

  it("no rows to predict give none", () => {
    const model = sequential(classifier);
    expect(model.predict([])).toEqual(new Float32Array(0));
    expect(model.predict(new Float32Array(0))).toEqual(new Float32Array(0));
    expect(model.predictClasses([])).toEqual(new Int32Array(0));
  });

  it("takes every kind of number array, and rows of them", () => {
    const model = sequential(classifier);
    const whole = Uint8Array.from({ length: 12 }, (_, i) => i);
    const expected = model.predict(Float32Array.from(whole));
    for (const kind of [
      Float64Array,
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
    ]) {
      expect(model.predict(kind.from(whole)), kind.name).toEqual(expected);
    }
    const rows = [0, 1, 2, 3].map((i) => whole.subarray(i * 3, i * 3 + 3));
    expect(model.predict(rows)).toEqual(expected);
    expect(model.predict(rows.map((row) => Array.from(row)))).toEqual(expected);
  });
});

describe("configuration", () => {
  const cases: [string, () => unknown, ErrorCode, ...(string | RegExp)[]][] = [
    [
      "an unknown option",
      () => sequential(wrong({ ...classifier, batchSize: 3 })),
      "CONFIG",
      "batchSize",
      "Known options",
    ],
    ["an unknown layer option", () => dense(3, wrong({ actvation: "relu" })), "CONFIG", "actvation"],
    ["units 0", () => dense(0), "CONFIG", "units", "0"],
    ["units 1.5", () => dense(1.5), "CONFIG", "units", "1.5"],
    ["an unknown activation", () => dense(3, { activation: wrong("rely") }), "CONFIG", '"rely"', "relu"],
    ["an unknown activation layer", () => activation(wrong("rely")), "CONFIG", '"rely"'],
    ["a negative elu alpha", () => dense(3, { activation: { kind: "elu", alpha: -1 } }), "CONFIG", "alpha", "-1"],
    ["a dropout of everything", () => dropout(1), "CONFIG", /rate .* >= 0 and < 1, in steps of 2\^-24, received 1\./],
    [
      "an epsilon that f32 has not",
      () => layerNorm({ epsilon: 1e-50 }),
      "CONFIG",
      /> 0 that f32 does not round to 0, received 1e-50\./,
    ],
    ["an unknown initializer", () => dense(3, { kernelInit: wrong("he") }), "CONFIG", '"he"', "he-normal"],
    ["an initializer with no value", () => dense(3, { kernelInit: wrong({ kind: "constant" }) }), "CONFIG", "value"],
    ["a negative rate", () => adam({ learningRate: -1 }), "CONFIG", "learningRate", "-1"],
    ["a rate that is no number", () => sgd({ learningRate: wrong("0.1") }), "CONFIG", "learningRate", '"0.1"'],
    ["a beta of 1", () => adamw({ beta1: 1 }), "CONFIG", "beta1", "< 1"],
    ["an alpha of 2", () => rmsprop({ alpha: 2 }), "CONFIG", "alpha", "2"],
    ["nesterov without momentum", () => sgd({ nesterov: true }), "CONFIG", "momentum"],
    ["options that are none", () => adam(wrong(0.1)), "CONFIG", "object", "0.1"],
    ["no layers", () => sequential({ ...classifier, layers: [] }), "CONFIG", "layers"],
    ["a layer that is none", () => sequential({ ...classifier, layers: wrong([{ kind: "conv" }]) }), "CONFIG", "conv"],
    ["a layer that is missing", () => sequential({ ...classifier, layers: wrong([undefined]) }), "CONFIG", "undefined"],
    ["input 0", () => sequential({ ...classifier, input: 0 }), "CONFIG", "input", "0"],
    [
      "an unknown loss",
      () => sequential({ ...classifier, loss: wrong("mse") }),
      "CONFIG",
      '"mse"',
      "mean-squared-error",
    ],
    [
      "a name from Object's prototype",
      () => sequential({ ...classifier, loss: wrong("constructor") }),
      "CONFIG",
      "constructor",
    ],
    [
      "an unknown optimizer",
      () => sequential({ ...classifier, optimizer: wrong("adam") }),
      "CONFIG",
      '"adam"',
      /adam\(\)/,
    ],
    ["a loss without its head", () => sequential({ ...classifier, layers: [dense(4)] }), "CONFIG", "softmax", "linear"],
    [
      "a binary loss without its head",
      () => sequential({ ...binary, layers: [dense(4, { activation: "relu" })] }),
      "CONFIG",
      "sigmoid",
      "relu",
    ],
    ["a delta of 0", () => sequential({ ...regression, loss: { kind: "huber", delta: 0 } }), "CONFIG", "delta"],
    [
      "a delta as text",
      () => sequential({ ...regression, loss: { kind: "huber", delta: wrong("2") } }),
      "CONFIG",
      '"2"',
    ],
    ["a delta of 2n", () => sequential({ ...regression, loss: { kind: "huber", delta: wrong(2n) } }), "CONFIG", "2n"],
    ["a negative seed", () => sequential({ ...classifier, seed: -1 }), "CONFIG", "seed", "-1"],
    ["too large a seed", () => sequential({ ...classifier, seed: 2 ** 53 }), "CONFIG", "seed", "less than 2^53"],
    ["maxBatch 0", () => sequential({ ...classifier, maxBatch: 0 }), "CONFIG", "maxBatch"],
    ["more than 4 GiB", () => sequential({ input: 40_000, layers: [dense(40_000)] }), "MEMORY", "4 GiB"],
    ["more than 4 GiB of activations", () => sequential({ ...classifier, maxBatch: 1e8 }), "MEMORY", "4 GiB"],
    ["too many threads", () => sequential({ ...classifier, threads: 100 }), "CONFIG", "64 threads", "100"],
    ["threads 0", () => sequential({ ...classifier, threads: 0 }), "CONFIG", "threads", "0"],
    [
      "an unknown metric",
      () => sequential({ ...classifier, metrics: wrong(["f2"]) }),
      "CONFIG",
      '"f2"',
      "accuracy, top-k",
    ],
    ["top without k", () => sequential({ ...classifier, metrics: wrong(["top"]) }), "CONFIG", '"top"'],
    ["a metric in a list", () => sequential({ ...classifier, metrics: wrong([["f1"]]) }), "CONFIG", "an array of 1"],
    ["top-0", () => sequential({ ...classifier, metrics: ["top-0"] }), "CONFIG", '"top-0"'],
    ["half a k", () => sequential({ ...classifier, metrics: [{ kind: "top-k", k: 1.5 }] }), "CONFIG", "1.5"],
    ["a metric that is no list", () => sequential({ ...classifier, metrics: wrong("f1") }), "CONFIG", "array", '"f1"'],
    ["a k beyond the classes", () => sequential({ ...classifier, metrics: ["top-5"] }), "CONFIG", "4 classes", "top-5"],
    ["r2 of classes", () => sequential({ ...classifier, metrics: ["r2"] }), "CONFIG", "r2", "classes"],
    ["top-1 of a sigmoid", () => sequential({ ...binary, metrics: ["top-1"] }), "CONFIG", "top-1", "sigmoid"],
    ["accuracy of values", () => sequential({ ...regression, metrics: ["accuracy"] }), "CONFIG", "accuracy", "values"],
    [
      "metrics without a loss",
      () => sequential({ input: 3, layers: [dense(2)], metrics: ["mae"] }),
      "CONFIG",
      "metrics",
      "loss",
    ],
    ["an unknown simd", () => sequential({ ...classifier, simd: wrong("fast") }), "CONFIG", "simd", '"fast"'],
    ["an unknown dtype", () => sequential(classifier).save({ dtype: wrong("f64") }), "CONFIG", "f16", "f64"],
    ["planMemory of a wrong config", () => planMemory({ ...classifier, input: -3 }), "CONFIG", "input", "-3"],
    ["a full kernel arena", () => createKernels({ bytes: 1024 }).f32(1000), "MEMORY", "4000", "1024"],
  ];
  for (const [name, call, code, ...words] of cases) it(name, () => expectError(call, code, ...words));

  it("planMemory of more than 4 GiB tells the bytes", () => {
    expect(planMemory({ input: 40_000, layers: [dense(40_000)] }).total).toBeGreaterThan(2 ** 32);
  });
});

it("predictInto writes nothing of the chunks before a bad row", () => {
  const plain = sequential({ ...classifier, maxBatch: 2 });
  const out = new Float32Array(16).fill(7);
  expectError(() => plain.predictInto(nan, out), "DATA", "predictInto: expected", "row 2, column 1");
  const layers = [embedding({ vocabulary: 4, units: 2, column: 0 }), dense(4)];
  const indices = Float32Array.of(0, 0, 0, 1, 0, 0, 2, 0, 0, 4, 0, 0);
  expectError(() => sequential({ input: 3, layers, maxBatch: 2 }).predictInto(indices, out), "DATA", "row 3, column 0");
  expect(out.every((value) => value === 7)).toBe(true);
  expect(plain.predictInto(x, out)).toEqual(plain.predict(x));
});

describe("states", () => {
  const untrained = { input: 3, layers: classifier.layers };

  it("calls that need a loss or an optimizer say so", () => {
    const model = sequential(untrained);
    expectError(() => model.trainBatch(x, y), "CONFIG", "loss");
    expectError(() => model.evaluate({ x, y }), "CONFIG", "loss");
    expectError(() => model.step(), "CONFIG", "optimizer");
    expectError(() => model.learningRate, "CONFIG", "optimizer");
    expectError(() => sequential({ ...untrained, loss: "cross-entropy" }).trainBatch(x, y), "CONFIG", "optimizer");
    expect(model.predict(x)).toHaveLength(16);
  });

  it("backward wants its forward", () => {
    const model = sequential(classifier);
    const d = new Float32Array(16);
    expectError(() => model.backward(d), "CONFIG", "forward");
    model.forward(x);
    model.predict(x.subarray(0, 3));
    model.evaluate({ x, y });
    expectError(() => model.backward(d.subarray(4)), "SHAPE", "4 rows", "3");
    expect(model.backward(d)).toEqual(new Float32Array(12));
    expectError(() => model.backward(d), "CONFIG", "forward");
    model.forward(x);
    model.trainBatch(x, y);
    expectError(() => model.backward(d), "CONFIG", "forward");
  });

  it("one training at a time; predict and evaluate meanwhile", async () => {
    const model = sequential({ ...classifier });
    const running = model.train({ x, y }, { epochs: 3 });
    await running.next();
    const d = new Float32Array(16);
    for (const call of [
      () => model.trainBatch(x, y),
      () => model.setWeights(model.weights.slice()),
      () => model.forward(x),
      () => model.backward(d),
      () => model.step(),
      () => model[Symbol.dispose](),
    ]) {
      expectError(call, "CONFIG", "training");
    }
    await expect(model.fit({ x, y })).rejects.toMatchObject({ code: "CONFIG" });
    expect(model.predict(x)).toHaveLength(16);
    expect(model.evaluate({ x, y }).loss).toBeGreaterThan(0);
    // What a loop that was left without its end needs to know, one whose generator is lost too.
    expectError(() => model.trainBatch(x, y), "CONFIG", /by break or its return\(\)/, /clone\(\)/);
    expect(model.clone().trainBatch(x, y)).toBeGreaterThan(0);
    await running.return({ stopped: "finished" });
    model.trainBatch(x, y);
  });

  it("train refuses shapes at the call, and numbers that are not finite with the first report", async () => {
    const model = sequential(classifier);
    expectUntouched(model, () => model.train({ x: x.subarray(1), y }), "SHAPE", "11 values");
    expectUntouched(model, () => model.train({ x, y: [0, 1, 2, 9] }), "DATA", "row 3");
    const running = model.train({ x: nan, y });
    await expect(running.next()).rejects.toMatchObject({
      code: "DATA",
      message: expect.stringMatching(/row 2, column 1/),
    });
    expect(await running.next()).toEqual({ done: true, value: undefined });
    model.trainBatch(x, y);
  });

  it("a disposed model answers CONFIG", () => {
    const model = sequential(classifier);
    model[Symbol.dispose]();
    for (const call of [
      () => model.predict(x),
      () => model.weights,
      () => model.summary(),
      () => model.trainBatch(x, y),
    ]) {
      expectError(call, "CONFIG", "disposed");
    }
  });

  it("learningRate is checked", () => {
    const model = sequential(classifier);
    model.learningRate = 0.5;
    expect(model.learningRate).toBe(0.5);
    for (const rate of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expectError(
        () => {
          model.learningRate = rate;
        },
        "CONFIG",
        "learningRate",
      );
    }
    expect(model.learningRate).toBe(0.5);
  });

  it("setWeights writes all or nothing", () => {
    const model = sequential(classifier);
    const good = new Float32Array(15).fill(1);
    const set = (weights: unknown) => (m: Model) => m.setWeights(wrong(weights));
    expectUntouched(model, set({ "0.kernel": good, "7.kernel": good }), "CONFIG", '"7.kernel"', "0.kernel, 0.bias");
    expectUntouched(model, set({ "0.kernel": good, "0.bias": good }), "SHAPE", '"0.bias"', /\[5\]/, "15");
    expectUntouched(model, set({ "0.kernel": good.slice().fill(Number.NaN) }), "DATA", '"0.kernel"', "NaN");
    expectUntouched(model, set(new Float32Array(3)), "SHAPE", "44", "3");
    expectUntouched(model, set(undefined), "CONFIG", "undefined");
    model.setWeights({
      "0.kernel": [
        [1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1],
      ],
    });
    expect(model.weights.subarray(0, 15)).toEqual(good);
  });
});

describe("training that diverges", () => {
  const { train } = readDigits();
  const layers = [dense(16, { activation: "relu" }), dense(10, { activation: "softmax" })];
  const wild: SequentialConfig = { input: 64, layers, loss: "cross-entropy" };

  it.each([
    ["sgd's weight decay", sgd({ learningRate: 1, weightDecay: 3 }), /times weightDecay is 1 or more/],
    ["nesterov's", sgd({ learningRate: 1, weightDecay: 1.9, momentum: 0.9, nesterov: true }), /times weightDecay/],
    ["adamw's", adamw({ learningRate: 1, weightDecay: 3 }), /times weightDecay is 1 or more/],
    ["an epsilon of 0 in adam", adam({ epsilon: 0 }), /0 divides 0 by 0/],
    ["in rmsprop", rmsprop({ epsilon: 0 }), /0 divides 0 by 0/],
    ["a momentum above 1", sgd({ momentum: 1.5 }), /momentum of 1 and more/],
  ])("an update that overflows where nothing is learned writes nothing elsewhere: %s", (_, optimizer, cause) => {
    const layers = [dense(1, { useBias: false, kernelInit: "ones" })];
    const model = sequential({ input: 2, layers, loss: "mean-squared-error", optimizer });
    let [before, step] = [model.save(), 0];
    const steps = () => {
      for (; step < 500; step++) {
        before = model.save();
        model.trainBatch([[1, 0]], [5]);
        // The feature that is there stays in bounds; the one that is always 0 is left to the optimizer.
        model.weights[0] = 1;
      }
    };
    expectError(steps, "NUMERIC", /would overflow|divides by little/, cause);
    expect(model.save()).toEqual(before);
  });

  for (const optimizer of [
    sgd({ learningRate: 1e10 }),
    adam({ learningRate: 1e10 }),
    rmsprop({ learningRate: 1e10 }),
    sgd({ learningRate: 1e10, momentum: 0.9 }),
  ]) {
    it(`a rate of 1e10 with ${optimizer.kind} gives NUMERIC and the last finite weights`, async () => {
      const model = sequential({ ...wild, optimizer });
      const error = await model.fit(train, { epochs: 30 }).then(
        () => undefined,
        (reason) => reason,
      );
      expect(error).toMatchObject({ code: "NUMERIC" });
      expect(error.message).toMatch(/step \d+/);
      expect(error.message).toMatch(/learning rate 10000000000/);
      expect(model.weights.every(Number.isFinite)).toBe(true);
      expect(model.parameters.every(({ moments }) => moments.every((m) => m.every(Number.isFinite)))).toBe(true);
      const before = model.weights.slice();
      expectError(() => model.trainBatch(train.x.slice(0, 64 * 32), train.y.slice(0, 32)), "NUMERIC");
      expect(model.weights).toEqual(before);
    });
  }

  it("names the layer where numbers end, and an unscaled feature", () => {
    const model = sequential({ ...regression, optimizer: sgd({ learningRate: 0.01 }) });
    model.setWeights(model.weights.slice().fill(1e20));
    expectUntouched(model, (m) => m.trainBatch(x, new Float32Array(8)), "NUMERIC", "layer 1", "learning rate 0.01");
    const big = Float32Array.of(1, 1e38, 1);
    expectUntouched(model, (m) => m.trainBatch(big, new Float32Array(2)), "NUMERIC", "layer 0", "Feature 1", "scale");
  });

  it("names a feature or a target that stands out among the others", () => {
    const model = sequential({ ...regression, optimizer: sgd({ learningRate: 1e37 }) });
    const odd = x.map((value, i) => (i % 3 === 2 ? 200 * value : value));
    expectUntouched(model, (m) => m.trainBatch(odd, new Float32Array(8)), "NUMERIC", /Feature 2 reaches 18\d/);
    const targets = Float32Array.from({ length: 8 }, (_, i) => (i % 2 === 1 ? 5000 : 1));
    expectUntouched(model, (m) => m.trainBatch(x, targets), "NUMERIC", "Target 1 reaches 5000");
    model.learningRate = 3e38;
    const usual = new Float32Array(8).fill(20);
    expectUntouched(model, (m) => m.trainBatch(x, usual), "NUMERIC", "rate is probably too high");
  });

  it("names the layer of an update that would overflow", () => {
    const model = sequential({ ...classifier, optimizer: sgd({ learningRate: 1e30 }) });
    model.gradients[17] = 1e20;
    expectUntouched(
      model,
      (m) => m.step(),
      "NUMERIC",
      /overflow.*gradient is 1\d{20}, in layer 0 \(0\.bias\)/,
      "step 1",
      "rate",
    );
  });

  it("step() checks the gradients of a loop of one's own", () => {
    const model = sequential(classifier);
    model.forward(x);
    model.backward(new Float32Array(16));
    model.gradients[3] = Number.NaN;
    expectUntouched(model, (m) => m.step(), "NUMERIC", "gradient");
  });
});

describe("where the surroundings are narrow", () => {
  it("an error is made though Error.prototype is frozen", () => {
    const name = Object.getOwnPropertyDescriptor(Error.prototype, "name") as PropertyDescriptor;
    Object.defineProperty(Error.prototype, "name", { ...name, writable: false });
    try {
      const error = errorOf(() => dense(-1));
      expect([error.name, error.code, String(error).slice(0, 21)]).toEqual([
        "SimdgradError",
        "CONFIG",
        "SimdgradError: dense:",
      ]);
    } finally {
      Object.defineProperty(Error.prototype, "name", name);
    }
  });

  it("a little memory that is refused is not the network's fault, a lot may be", () => {
    const refusal = new RangeError("could not allocate memory");
    vi.spyOn(WebAssembly, "Memory").mockImplementation(
      class {
        constructor() {
          throw refusal;
        }
      } as never,
    );
    try {
      const little = errorOf(() => sequential(classifier));
      expect([little.code, little.cause]).toEqual(["MEMORY", refusal]);
      expect(little.hint).toMatch(/models are alive.*ulimit/);
      const lot = errorOf(() => sequential({ input: 5000, layers: [dense(5000)] }));
      expect([lot.code, lot.cause]).toEqual(["MEMORY", refusal]);
      expect(lot.hint).toMatch(/smaller layers/);
    } finally {
      vi.restoreAllMocks();
    }
  });
});
