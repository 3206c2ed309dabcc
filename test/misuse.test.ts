// What no types forbid in plain JavaScript: every public function, each of its arguments and options in turn replaced by
// something else. It is taken, or refused by the package's own error; never by one of the engine's.
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as data from "../src/data.ts";
import * as simdgrad from "../src/index.ts";
import * as infer from "../src/infer.ts";
import * as kernels from "../src/kernels.ts";
import * as node from "../src/node.ts";

const { adam, dense, defineLayer, SimdgradError, sequential } = simdgrad;

/** What may be passed instead; made anew each time. */
const others: readonly (() => unknown)[] = [
  ...[undefined, null, true, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e300, 2 ** 53, "", "x", 1n].map(
    (value) => () => value,
  ),
  () => Symbol("s"),
  () => () => 1,
  () => ({}),
  () => [],
  () => [[]],
  () => [null],
  () => [1n],
  () => [Symbol("s")],
  () => new Array(2),
  () => Object.create(null),
  () => [Object.create(null)],
  () => ({ kind: Symbol("s") }),
  () => ({ kind: Object.create(null) }),
  () => ({ kind: "__proto__" }),
  () => ({ length: 1 }),
  () => ({ length: -1 }),
  () => circular(),
  () => new Date(0),
  () => new Map(),
  () => Promise.resolve(),
  () => new BigInt64Array(4),
  () => new Uint8Array(0),
  () => new DataView(new ArrayBuffer(4)),
  () => new ArrayBuffer(4),
  () => new Proxy({}, {}),
  () => new Proxy([], {}),
];

function circular(): object {
  const value: { self?: object } = {};
  value.self = value;
  return value;
}

const x = [
  [1, 2],
  [3, 4],
  [5, 6],
  [7, 8],
];
const set = { x, y: [0, 1, 2, 0] };
const config = {
  input: 2,
  layers: [dense(4, { activation: "relu" }), dense(3, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam(),
} as const;
const model = sequential(config);
const bytes = model.save();
const predictor = infer.load(bytes);
const table = data.table([
  { a: 1, b: "u", c: "k" },
  { a: 2, b: "v", c: "l" },
  { a: 3, b: "u", c: "k" },
  { a: 4, b: "v", c: "l" },
]);
const fitted = data.prepare(table, { target: "c" });
const decay = simdgrad.stepDecay({ initial: 1, every: 3 });
const forward = () => undefined;
const mine = { kind: "mine", shape: (_: unknown, inputs: number) => inputs, forward, backward: forward };
const space = () => kernels.createKernels({ bytes: 1024 });
const drained = async (stream: AsyncIterable<unknown>) => {
  for await (const _ of stream);
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "simdgrad-misuse-"));
});
afterAll(() => rm(folder, { recursive: true }));
const path = () => join(folder, "model.safetensors");

// biome-ignore lint/suspicious/noExplicitAny: the point is to pass what the types forbid.
type Call = (...args: any[]) => unknown;

/** Calls and arguments that they take. */
const calls: Readonly<Record<string, readonly [Call, ...unknown[]]>> = {
  dense: [dense, 3, { activation: { kind: "elu", alpha: 2 }, useBias: true, kernelInit: { kind: "normal", std: 1 } }],
  activation: [simdgrad.activation, "relu"],
  dropout: [simdgrad.dropout, 0.5],
  layerNorm: [simdgrad.layerNorm, { epsilon: 1e-5, trainable: true }],
  batchNorm: [simdgrad.batchNorm, { momentum: 0.1, epsilon: 1e-5 }],
  residual: [simdgrad.residual, [{ kind: "dense", units: 2 }]],
  concat: [simdgrad.concat, [[{ kind: "dense", units: 2 }], []]],
  embedding: [simdgrad.embedding, { vocabulary: 4, units: 2, column: 0, tableInit: "ones", trainable: true }],
  defineLayer: [defineLayer, { ...mine, parameters: () => [] }],
  "a layer of one's own": [defineLayer(mine), { trainable: true, a: [1] }],
  "its parameters": [
    (given) =>
      sequential({ ...config, layers: [defineLayer({ ...mine, parameters: () => given })(), ...config.layers] }),
    [{ name: "w", shape: [2], init: "zeros" }],
  ],
  "its shape": [
    (given) => simdgrad.planMemory({ input: 2, layers: [defineLayer({ ...mine, shape: () => given })()] }),
    2,
  ],
  sgd: [simdgrad.sgd, { learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0, clipNorm: 1, clipValue: 1 }],
  rmsprop: [simdgrad.rmsprop, { learningRate: 0.1, alpha: 0.9, epsilon: 1e-8, momentum: 0 }],
  adagrad: [simdgrad.adagrad, { learningRate: 0.1, epsilon: 1e-8 }],
  adam: [adam, { learningRate: 0.1, beta1: 0.9, beta2: 0.9, epsilon: 1e-8 }],
  adamw: [simdgrad.adamw, { learningRate: { ...decay } }],
  cosineDecay: [simdgrad.cosineDecay, { initial: 1, final: 0, steps: 3 }],
  stepDecay: [simdgrad.stepDecay, { initial: 1, rate: 0.1, every: 3 }],
  exponentialDecay: [simdgrad.exponentialDecay, { initial: 1, rate: 0.1, steps: 3 }],
  warmup: [simdgrad.warmup, { initial: 0, steps: 3, after: 0.1 }],
  planMemory: [
    simdgrad.planMemory,
    { ...config, seed: 0, maxBatch: 4, metrics: [{ kind: "top-k", k: 2 }], custom: [] },
  ],
  sequential: [
    sequential,
    { ...config, loss: { kind: "cross-entropy", labelSmoothing: 0 }, simd: "strict", threads: 1 },
  ],
  createRuntime: [simdgrad.createRuntime, new WebAssembly.Module(readFileSync("build/strict.wasm"))],
  load: [simdgrad.load, bytes, { simd: "strict", maxBatch: 4, inference: false, custom: [] }],
  "load to predict": [infer.load, bytes, { maxBatch: 4 }],
  confusionMatrix: [simdgrad.confusionMatrix, model, { ...set, sampleWeight: [1, 1, 1, 1] }],
  fit: [(...args) => sequential(config).fit(...(args as [never])), set, { validation: set, classWeight: [1, 1, 1] }],
  "fit's options": [
    (_, options) => model.fit(set, options),
    set,
    { batchSize: 2, validationSplit: 0.5, shuffle: { buffer: 2 }, resume: false, onBatch: forward, signal: undefined },
  ],
  "early stopping": [
    (earlyStopping) => model.fit(set, { earlyStopping }),
    { monitor: "loss", patience: 1, minDelta: 0 },
  ],
  "a stream": [(stream) => model.fit(() => stream), [set]],
  train: [(...args) => drained(model.train(...(args as [never]))), set, { epochs: 1 }],
  trainBatch: [(...args) => model.trainBatch(...(args as [never, never])), x, set.y, { sampleWeight: [1, 1, 1, 1] }],
  evaluate: [(given) => model.evaluate(given), { ...set, sampleWeight: [1, 1, 1, 1] }],
  predict: [(given) => model.predict(given), x],
  predictInto: [(...args) => model.predictInto(...(args as [never, never])), x, new Float32Array(12)],
  predictClasses: [(given) => model.predictClasses(given), x],
  forward: [(...args) => model.forward(...(args as [never])), x, { training: true }],
  backward: [(given) => [model.forward([[1, 2]]), model.backward(given)], [[1, 2, 3]]],
  health: [(given) => model.health(given), set],
  setWeights: [(given) => model.setWeights(given), { "1.kernel": Array(4).fill([1, 2, 3]), "1.bias": [1, 2, 3] }],
  learningRate: [(given) => Object.assign(model, { learningRate: given }), 0.1],
  save: [(given) => model.save(given), { state: true, dtype: "f32" }],
  metadata: [(given) => Object.assign(sequential(config), { metadata: given }).save(), { key: "text" }],
  "predictor.predict": [(given) => predictor.predict(given), x],
  "predictor.predictInto": [(...args) => predictor.predictInto(...(args as [never, never])), x, new Float32Array(12)],
  "predictor.predictClasses": [(given) => predictor.predictClasses(given), x],
  createKernels: [kernels.createKernels, { simd: "strict", bytes: 1024 }],
  f32: [(given) => space().f32(given), 3],
  gemmScratchBytes: [kernels.gemmScratchBytes, 1, 2, 3],
  saveFile: [(model, _, options) => node.saveFile(model, path(), options), model, "", { state: true }],
  loadFile: [(path, options) => node.loadFile(path, options), "no such file", { maxBatch: 4 }],
  csv: [data.csv, "a,b\n1,2\n", { delimiter: ",", header: ["a", "b"], skip: 1, missing: ["-"], columns: ["a"] }],
  csvStream: [
    (...args) => drained(data.csvStream(...(args as [never]))),
    ["a,b\n1,2\n"],
    { rows: 3, types: { a: "text" } },
  ],
  "table of columns": [data.table, { a: [1, 2], b: ["x", "y"] }],
  "table of records": [data.table, [{ a: 1 }, { a: 2 }]],
  whyText: [data.whyText, { ...table }, "a"],
  take: [data.take, { ...table }, [0, 1]],
  dropMissing: [data.dropMissing, { ...table }, ["a"]],
  prepare: [data.prepare, { ...table }, { target: "c", task: "classification", ignore: ["b"], categories: ["a"] }],
  prepareStream: [data.prepareStream, [{ ...table }], { target: "a", fill: "mean", scale: "none", scaleTarget: true }],
  apply: [data.apply, { ...fitted }, { ...table }, { unknown: "zeros" }],
  applyInputs: [data.applyInputs, { ...fitted }, { ...table }],
  applyStream: [(...args) => drained(data.applyStream(...(args as [never, never]))), { ...fitted }, [{ ...table }]],
  decode: [data.decode, { ...fitted, target: { ...fitted.target } }, [0.1, 0.9]],
  classesOf: [data.classesOf, ["a", "b"]],
  toIndices: [data.toIndices, ["a", "b"], ["a", "b"]],
  fromIndices: [data.fromIndices, [0, 1], ["a", "b"]],
  oneHot: [data.oneHot, [0, 1], 2],
  columnTypes: [data.columnTypes, { ...fitted }],
  featureNames: [data.featureNames, { ...fitted }],
  parsePreprocessing: [data.parsePreprocessing, JSON.stringify(fitted)],
  standardize: [data.standardize, x, { columns: 2, fill: "mean" }],
  minMax: [data.minMax, [1, 2, 3, 4], { columns: 2, fill: 0 }],
  impute: [data.impute, x, { fill: "median" }],
  scale: [data.scale, { ...data.standardize(x) }, x],
  split: [data.split, { ...set }, { test: 0.5, validation: 0, seed: 0, shuffle: true, stratify: [0, 1, 0, 1] }],
  "split of a table": [data.split, { ...table }, { stratify: "c", test: 0.5 }],
  "split of flat rows": [data.split, { x: new Float32Array(8), y: new Float32Array(4) }, { rows: 4, test: 0.5 }],
  kFold: [data.kFold, { ...set }, { folds: 2, stratify: true }],
};

/** Everything in a value that may be replaced: itself, and what is in it, a few levels deep. */
function* replaced(value: unknown, other: unknown, levels = 3): Generator<unknown> {
  yield other;
  if (levels === 0 || typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return;
  for (const [key, part] of Object.entries(value).slice(0, 8)) {
    for (const within of replaced(part, other, levels - 1)) {
      if (Array.isArray(value)) yield value.with(Number(key), within);
      else yield { ...value, [key]: within };
    }
  }
}

/** What the call throws unless it is the package's own error. */
async function wrongError(call: Call, args: readonly unknown[]): Promise<unknown> {
  try {
    await call(...args);
  } catch (error) {
    return error instanceof SimdgradError ? undefined : error;
  }
  return undefined;
}

describe("every public function", () => {
  it("is among the calls here", () => {
    const functions = [data, simdgrad, infer, kernels, node].flatMap((entry) =>
      Object.entries(entry).filter(([name, value]) => typeof value === "function" && name !== "SimdgradError"),
    );
    const called = Object.values(calls).map(([call]) => call);
    const named = ([name, value]: [string, unknown]) => called.includes(value as Call) || name in calls;
    expect(functions.filter((each) => !named(each)).map(([name]) => name)).toEqual([]);
  });

  it.each(Object.entries(calls))("%s takes what it should", async (name, [call, ...args]) => {
    // A file that is not there, which is no misuse.
    if (name !== "loadFile") await call(...args);
  });

  it.each(Object.entries(calls))("%s throws nothing but the package's own error", async (_, [call, ...args]) => {
    for (const [i, arg] of args.entries()) {
      for (const other of others) {
        for (const given of replaced(arg, other())) {
          expect(await wrongError(call, args.with(i, given)), `argument ${i}`).toBeUndefined();
        }
      }
    }
  });
});
