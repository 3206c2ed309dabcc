// What every error says: the place, what was expected and what came, and at the end, once, what to do about it.
import { describe, expect, it } from "vitest";
import {
  applyInputs,
  csv,
  csvStream,
  kFold,
  oneHot,
  parsePreprocessing,
  prepare,
  split,
  standardize,
  table,
  toIndices,
} from "../../src/data.ts";
import {
  adam,
  concat,
  cosineDecay,
  createRuntime,
  defineLayer,
  dense,
  dropout,
  type ErrorCode,
  embedding,
  load,
  type Model,
  residual,
  type SequentialConfig,
  SimdgradError,
  sequential,
  sgd,
  warmup,
} from "../../src/index.ts";
import { load as loadPredictor } from "../../src/infer.ts";
import { createKernels } from "../../src/kernels.ts";
import { loadFile, saveFile } from "../../src/node.ts";
import { rejectionOf, wrong } from "../support/errors.ts";

const classifier: SequentialConfig = {
  input: 2,
  layers: [dense(4, { activation: "relu" }), dense(3, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam(),
  maxBatch: 4,
};
const x = [
  [1, 2],
  [3, 4],
];
const y = [0, 2];
const data = { x, y };

function disposed(): Model {
  const model = sequential(classifier);
  model[Symbol.dispose]();
  return model;
}

/** 2^20 units of 1,100 rows. */
function manyRows(): void {
  const model = sequential({ input: 1, layers: [dense(2 ** 20), dense(1)], maxBatch: 1 });
  model.forward(new Float32Array(1100));
}

function explode(model: Model): never {
  model.learningRate = 1e30;
  for (;;) model.trainBatch(x, y);
}

/** The same generator for each epoch. */
function usedUp() {
  const pieces = [data].values();
  return () => pieces;
}

function withNaN(model: Model): Model {
  model.weights[1] = Number.NaN;
  return model;
}

type Case = readonly [name: string, code: ErrorCode, call: (model: Model) => unknown, ...words: (string | RegExp)[]];

/** A place, what was expected, what came, and then what to do: a sentence or more. */
const WHOLE = /^(Training diverged|[\w"./-][^:]*: .*(expected|could not)).*\. [^ ].+\.$/s;
const CAME = /(received|found|could not|diverged at) .+/s;

const cases: readonly Case[] = [
  ["no units", "CONFIG", () => dense(0), "received 0"],
  ["a rate of 1", "CONFIG", () => dropout(1), "received 1"],
  ["a vocabulary of none", "CONFIG", () => embedding({ vocabulary: 0, units: 1, column: 0 }), "vocabulary"],
  ["branches that are none", "CONFIG", () => concat(wrong(3)), "branches"],
  ["a number of layers", "CONFIG", () => residual(wrong(3)), "residual"],
  ["a useBias of 1", "CONFIG", () => dense(1, { useBias: wrong(1) }), "useBias"],
  ["a simd that is none", "CONFIG", () => sequential({ ...classifier, simd: wrong("fast") }), '"fast"'],
  ["a worker that is none", "CONFIG", () => sequential({ ...classifier, worker: wrong(1) }), "worker"],
  ["metrics without a loss", "CONFIG", () => sequential({ input: 2, layers: [dense(1)], metrics: ["mae"] }), "loss"],
  [
    "a layer of null",
    "CONFIG",
    () => sequential({ ...classifier, layers: wrong([dense(1), null]) }),
    /^sequential, layer 1: .*received null/,
  ],
  ["a layer of null within another", "CONFIG", () => concat(wrong([[], [null]])), /^concat, branch 1, layer 0: /],
  [
    "plain data for custom",
    "CONFIG",
    (m) => load(m.save(), { custom: wrong([{ kind: "scale" }]) }),
    /^load: expected custom .*"scale".* at 0/,
  ],
  ["a function for custom", "CONFIG", () => sequential({ ...classifier, custom: wrong([dense]) }), "custom to hold"],
  ["nothing for embedding", "CONFIG", () => wrong(embedding)(), /no vocabulary, no units, no column\./],
  ["half of an embedding", "CONFIG", () => embedding(wrong({ units: 1 })), /no vocabulary, no column\./],
  ["nothing for a schedule", "CONFIG", () => wrong(cosineDecay)(), /^cosineDecay: .*no initial, no steps\./],
  ["nothing for a warmup", "CONFIG", () => wrong(warmup)({ initial: 1 }), /^warmup: .*no steps, no after\./],
  ["nothing to define", "CONFIG", () => wrong(defineLayer)(), /no kind, no shape, no forward, no backward\./],
  ["a metric of others", "CONFIG", () => sequential({ ...classifier, metrics: ["r2"] }), "r2"],
  ["NaN in x", "DATA", (m) => m.predict([[1, Number.NaN]]), "row 0, column 1", "prepare of simdgrad/data"],
  ["nothing for x", "DATA", (m) => m.predict(wrong(undefined)), "undefined", /Pass \[\[...\], ...\] or a typed array/],
  ["a data set for x", "DATA", (m) => m.predict(wrong(data)), '{"x":an array of 2,"y":an array of 2}', "Pass [["],
  ["ragged x", "SHAPE", (m) => m.predict([[1, 2], [3]]), "row 1", "none for column 1", "of one length"],
  [
    "a row that is too long",
    "SHAPE",
    (m) =>
      m.predict([
        [1, 2],
        [3, 4, 5],
      ]),
    "row 1 of x to hold 2 values, received 3.",
  ],
  ["a row of nothing", "SHAPE", (m) => m.predict(wrong([null])), "row 0 of x to hold 2 values, received null."],
  [
    "x that does not divide",
    "SHAPE",
    (m) => m.predict(Float32Array.of(1, 2, 3)),
    "rows of 2",
    "row 1 has but 1",
    "flat and row-major",
  ],
  ["a class index out of range", "DATA", (m) => m.trainBatch(x, [0, 3]), "row 1", "count from 0"],
  [
    "a flat list of one-hot rows",
    "SHAPE",
    (m) => m.evaluate({ x, y: [1, 0, 0, 0, 0, 1] }),
    "2 class indices in y, or 2 rows of 3, received 6",
    "flat typed array",
  ],
  ["half a class", "DATA", (m) => m.trainBatch(x, [0, 0.5]), "0.5"],
  ["too many weights", "SHAPE", (m) => m.trainBatch(x, y, { sampleWeight: [1] }), "as many"],
  ["a negative weight", "DATA", (m) => m.trainBatch(x, y, { sampleWeight: [1, -1] }), "row 1"],
  ["weights of nothing", "DATA", (m) => m.trainBatch(x, y, { sampleWeight: [0, 0] }), "above 0"],
  ["no rows", "DATA", (m) => m.evaluate({ x: [], y: [] }), "at least one row"],
  ["data that are none", "DATA", (m) => m.evaluate(wrong(1)), "received 1"],
  ["a wrong out", "SHAPE", (m) => m.predictInto(x, new Float32Array(5)), /new Float32Array\(6\)\.$/],
  ["the model's own memory as out", "CONFIG", (m) => m.predictInto(x, m.weights.subarray(0, 6)), "view"],
  ["-1 epochs", "CONFIG", (m) => m.fit(data, { epochs: -1 }), "epochs"],
  ["a signal that is none", "CONFIG", (m) => m.fit(data, { signal: wrong(1) }), "signal"],
  ["a callback that is none", "CONFIG", (m) => m.fit(data, { onBatch: wrong(1) }), "onBatch"],
  ["a split of nothing", "CONFIG", (m) => m.fit(data, { validationSplit: 0.1 }), "validationSplit"],
  ["a validationSplit of a stream", "CONFIG", (m) => m.fit([data], { validationSplit: 0.1 }), "validationSplit"],
  ["weights of other classes", "CONFIG", (m) => m.fit(data, { classWeight: [1] }), "3 classes"],
  ["an option that is none", "CONFIG", (m) => m.fit(data, wrong({ epoch: 1 })), '"epoch"'],
  ["a stream of nothing", "DATA", (m) => m.fit([]), "at least one row"],
  ["a stream of numbers", "DATA", (m) => m.fit(wrong([1])), "received"],
  ["a function that gives a data set", "DATA", (m) => m.fit(wrong(() => data)), '"x"', "() => [{ x, y }]"],
  ["a generator that is used up", "DATA", (m) => m.fit(usedUp(), { epochs: 2 }), "row", "opens a new stream each time"],
  ["NaN to save", "FORMAT", (m) => withNaN(m).save(), 'tensor "0.kernel"', /found NaN at 1\. Set finite ones/],
  ["a disposed model", "CONFIG", () => disposed().predict(x), "Build or load another"],
  ["a model that only predicts", "CONFIG", (m) => load(m.save(), { inference: true }).trainBatch(x, y), "inference"],
  ["a model without a loss", "CONFIG", () => sequential({ input: 2, layers: [dense(1)] }).trainBatch(x, y), "without"],
  ["backward without forward", "CONFIG", (m) => m.backward(x), "forward"],
  ["weights of nobody", "CONFIG", (m) => m.setWeights({ "9.kernel": [1] }), '"9.kernel"'],
  ["weights of another length", "SHAPE", (m) => m.setWeights([1, 2]), /shape \[27\], received \[2\]/],
  ["too few weights", "SHAPE", (m) => m.setWeights({ "0.kernel": [1, 2] }), /shape \[2, 4\], received \[2\]/],
  [
    "a transposed kernel",
    "SHAPE",
    (m) => m.setWeights({ "0.kernel": new Array(4).fill([1, 2]) }),
    /shape \[2, 4\], received \[4, 2\]/,
  ],
  ["a ragged kernel", "SHAPE", (m) => m.setWeights({ "0.kernel": [[1, 2, 3, 4], [5]] }), "row 1 of 1"],
  ["a kernel of null", "SHAPE", (m) => m.setWeights({ "0.kernel": wrong(null) }), "received null"],
  ["infinite weights", "DATA", (m) => m.setWeights({ "0.bias": [1, 2, 3, Number.POSITIVE_INFINITY] }), "at 3"],
  ["a rate that is none", "CONFIG", (m) => Object.assign(m, { learningRate: -1 }), /^learningRate: .*learningRate/],
  ["4 GiB", "MEMORY", () => sequential({ ...classifier, maxBatch: 1e9 }), /^sequential: /, "planMemory"],
  ["a batch of 4 GiB", "MEMORY", () => manyRows(), /^forward: /, "maxBatch"],
  [
    "4 GiB for kernels",
    "MEMORY",
    () => createKernels({ bytes: 2 ** 33 }),
    /^createKernels: /,
    "Pass a smaller `bytes`",
  ],
  ["half a byte", "CONFIG", () => createKernels({ bytes: 0.5 }), /^createKernels: /, "bytes"],
  ["a full arena", "MEMORY", () => createKernels({ bytes: 64 }).f64(9), /^f64: expected 72 free bytes/],
  ["half a block", "CONFIG", () => createKernels().i32(0.5), /^i32: /, "received 0.5"],
  ["a module that is none", "CONFIG", () => createRuntime(wrong({})), "createRuntime"],
  ["a file of nothing", "FORMAT", () => load(new Uint8Array(0)), "damaged"],
  ["a file that is none", "FORMAT", () => load(wrong("model")), "Uint8Array"],
  ["a predictor's file that is none", "FORMAT", () => loadPredictor(new Uint8Array(9)), "damaged"],
  ["a path that is none", "CONFIG", (m) => saveFile(m, wrong(1)), "path"],
  ["a missing file", "RUNTIME", () => loadFile("no such folder/model"), "Look at the path"],
  ["divergence", "NUMERIC", (m) => explode(m), "step"],
  ["momentum of none", "CONFIG", () => sgd({ nesterov: true }), "momentum"],
  ["a table of other lengths", "SHAPE", () => table({ a: [1], b: [1, 2] }), '"b"'],
  ["csv of nothing", "DATA", () => csv(""), "header"],
  ["a column that is none", "DATA", () => prepare(table({ a: [1] }), { target: "b" }), '"b"'],
  [
    "a table of its target alone",
    "DATA",
    () => prepare(table({ a: [1] }), { target: "a" }),
    "more columns than target",
  ],
  [
    "preprocessing of a newer version",
    "FORMAT",
    () => parsePreprocessing('{"kind":"preprocessing","version":2}'),
    "update",
  ],
  ["preprocessing of nobody", "FORMAT", () => parsePreprocessing('{"version":2}'), "what JSON.stringify makes"],
  ["a path for csv", "DATA", () => csv("penguins.csv"), '"penguins.csv"', "csv(await readFile(path))"],
  ["a path for csvStream", "DATA", () => csvStream(wrong("penguins.csv")).next(), "createReadStream"],
  ["types of no column", "DATA", () => csv("a,b\n1,2\n", { types: { B: "text" } }), 'column "B"', 'Columns: "a", "b"'],
  ["a class of nobody", "DATA", () => toIndices(["c"], ["a", "b"]), '"c"'],
  ["an index of nobody", "DATA", () => oneHot([3], 2), "3"],
  ["rows of another width", "SHAPE", () => standardize(Float32Array.of(1, 2, 3), { columns: 2 }), "rows of 2"],
  ["too many folds", "CONFIG", () => kFold(2, { folds: 3 }), "3"],
  ["a split that leaves nothing", "CONFIG", () => split(2, { test: 0.9 }), "share"],
  ["preprocessing that is none", "CONFIG", () => applyInputs(wrong({}), table({ a: [1] })), "prepare"],
];

describe("an error says where, what was expected, what came, and what to do", () => {
  for (const [name, code, call, ...words] of cases) {
    it(name, async () => {
      const { code: found, message, hint } = await rejectionOf(() => call(sequential(classifier)));
      expect(found, message).toBe(code);
      expect(message).toMatch(WHOLE);
      expect(message).toMatch(CAME);
      expect(typeof hint).toBe("string");
      expect(message.endsWith(`. ${hint}`), message).toBe(true);
      expect(message.split(hint)).toHaveLength(2);
      for (const word of words) expect(message).toMatch(word);
    });
  }

  it("tells each kind of layer once, those of one's own too", async () => {
    const scale = defineLayer({ kind: "scale", shape: (_, n) => n, forward: () => {}, backward: () => {} });
    dropout(0.5);
    const layers = wrong([{ kind: "conv" }]);
    for (const call of [
      () => sequential({ ...classifier, layers, custom: [scale] }),
      () => residual(layers),
      () => concat([layers]),
    ]) {
      const { hint } = await rejectionOf(call);
      const kinds = (/of these kinds: ([^.]*)\./.exec(hint)?.[1] ?? "").split(", ");
      expect(new Set(kinds).size).toBe(kinds.length);
      expect(kinds).toEqual(expect.arrayContaining(["dense", "activation", "dropout"]));
    }
  });

  it("names the layers of a file that its reader has to bring", async () => {
    const scale = defineLayer({ kind: "scale", shape: (_, n) => n, forward: () => {}, backward: () => {} });
    const bytes = sequential({ input: 2, layers: [scale()] }).save();
    const { code, message, hint } = await rejectionOf(() => load(bytes));
    expect(code).toBe("FORMAT");
    expect(message).toMatch(/^load: its spec is not valid: .*layer 0: .*"scale"/);
    expect(hint).toMatch(/`custom`/);
  });

  it("a program may leave the hint out, for one by the code", () => {
    const error = new SimdgradError("SHAPE", "mine: expected a, received b.");
    expect(error.message).toBe(`mine: expected a, received b. ${error.hint}`);
    expect(error.hint).toMatch(/of one length/);
  });
});
