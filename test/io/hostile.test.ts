// Files that nobody made in good faith: damaged at random, or made to confuse, to stall or to exhaust. Each answers
// FORMAT and why, or is a model; none takes more time or memory than it is worth.
import { describe, expect, it } from "vitest";
import {
  activation,
  adam,
  batchNorm,
  concat,
  cosineDecay,
  dense,
  dropout,
  layerNorm,
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
import { collectGarbage } from "../support/garbage.ts";
import { LONG } from "../support/long.ts";
import { randomSource } from "../support/random.ts";
import { type Header, mutated, putTogether, takeApart } from "../support/safetensors.ts";

const random = randomSource(21);
const config: SequentialConfig = {
  input: 5,
  layers: [dense(13, { activation: "gelu" }), dense(7, { useBias: false }), dense(3, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam({ learningRate: 0.02 }),
  seed: 9,
};

/** Everything a file can hold: an interrupted run with a best state of its own, counters, the user's metadata. */
async function interrupted(more: Partial<SequentialConfig> = {}): Promise<Model> {
  const model = sequential({ ...config, ...more });
  model.metadata.labels = '["a","b","c"]';
  const data = { x: random.floats(20 * 5), y: Int32Array.from({ length: 20 }, () => random.integer(3)) };
  const abort = new AbortController();
  let seen = 0;
  const onBatch = () => {
    if (++seen === 7) abort.abort();
  };
  const earlyStopping = { monitor: "loss", patience: 9 } as const;
  await model
    .fit(data, { epochs: 5, batchSize: 6, earlyStopping, signal: abort.signal, onBatch })
    .catch(() => undefined);
  return model;
}

const full = (await interrupted()).save();

/** FREE_BYTES and BYTES_A_BYTE of the reader. */
const budget = (file: Uint8Array) => 2 ** 26 + 64 * file.length;

/** Loads, or answers FORMAT and says why: nothing else. */
function tryLoad(file: Uint8Array): Model | undefined {
  try {
    return load(file);
  } catch (error) {
    if (!(error instanceof SimdgradError && error.code === "FORMAT")) throw error;
    // The hint comes after it.
    if (!(error.message.length < 1000 && error.message.startsWith("load: "))) throw error;
    return undefined;
  }
}

/** What came of it has to be whole. */
function expectWhole(model: Model, file: Uint8Array): void {
  expect(model.weights.every(Number.isFinite)).toBe(true);
  expect(model.memory.total).toBeLessThanOrEqual(budget(file));
  const again = load(model.save());
  expect(Buffer.from(again.save()).equals(model.save())).toBe(true);
  if (model.spec.input < 10_000) model.predict(new Float32Array(model.spec.input));
}

/** Milliseconds of this process: what else the machine does meanwhile is not the file's fault. */
function timeOf(load: () => void): number {
  const before = process.cpuUsage();
  load();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe("mutated files", () => {
  it(`${LONG ? "100,000" : "5,000"} load or answer FORMAT, none slower than 1 s, without growth in memory`, async () => {
    const originals = [
      full,
      (
        await interrupted({
          optimizer: sgd({
            learningRate: warmup({ steps: 3, after: cosineDecay({ initial: 0.1, steps: 50 }) }),
            momentum: 0.5,
          }),
        })
      ).save(),
      (await interrupted({ layers: [dropout(0.1), batchNorm(), dense(3), activation("softmax")] })).save(),
      sequential({ input: 3, layers: [activation("tanh"), dense(2), activation("elu")] }).save(),
      (
        await interrupted({
          layers: [
            residual([dense(5), batchNorm(), residual([layerNorm()])]),
            concat([[dense(2)], [activation("relu"), dense(3)]]),
            dense(3, { activation: "softmax" }),
          ],
        })
      ).save(),
      sequential(config).save({ dtype: "f16" }),
    ];
    const count = LONG ? 100_000 : 5000;
    const source = randomSource(31);
    let loaded = 0;
    let slowest = 0;
    let before = 0;
    for (let i = 0; i < count; i++) {
      if (i === count / 5) before = memoryInUse();
      const file = mutated(source, source.pick(originals));
      let model: Model | undefined;
      slowest = Math.max(
        slowest,
        timeOf(() => (model = tryLoad(file))),
      );
      if (!model) continue;
      loaded++;
      expectWhole(model, file);
    }
    expect(slowest).toBeLessThan(1000);
    // What the remaining four fifths leave behind: less than 100 bytes a file in long runs.
    expect(memoryInUse() - before).toBeLessThan(8e6);
    // Neither were all of them nonsense, nor all of them harmless.
    expect(loaded / count).toBeGreaterThan(0.02);
    expect(loaded / count).toBeLessThan(0.5);
  });
});

function memoryInUse(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

type Path = readonly (string | number)[];

/** The full file with one value of its header changed, or gone. */
const header = (path: Path, value?: unknown) => edited((all) => set(all, path, value));
/** The same for a value in JSON in the metadata. */
const inJson = (key: string) => (path: Path, value?: unknown) =>
  edited(({ __metadata__: metadata }) => {
    const json = JSON.parse(metadata[key] as string);
    set(json, path, value);
    metadata[key] = JSON.stringify(json);
  });
const spec = inJson("spec");
const state = inJson("state");

function edited(edit: (header: Header) => void, bytes = full): Uint8Array {
  const { header, data } = takeApart(bytes);
  edit(header);
  return putTogether(header, data);
}

function set(value: unknown, path: Path, to: unknown): void {
  const [key, ...rest] = path;
  const container = value as Record<string | number, unknown>;
  if (rest.length > 0) set(container[key], rest, to);
  else if (to === undefined) delete container[key];
  else Object.defineProperty(container, key, { value: to, enumerable: true, writable: true });
}

/** Text of the full file's header changed. */
const text = (from: string, to: string) => {
  const { header, data } = takeApart(full);
  const old = JSON.stringify(header);
  expect(old).toContain(from);
  return putTogether(old.replace(from, to), data);
};

const bare = (network: object) =>
  putTogether({ __metadata__: { format: "simdgrad", version: "1", spec: JSON.stringify(network) } }, new Uint8Array(0));
const { data } = takeApart(full);
const kernel = [5, 13];
const large = new Uint8Array(2 ** 20);

const refused: [string, Uint8Array, RegExp][] = [
  ["nothing", new Uint8Array(0), /8 bytes, received 0/],
  [
    "a header longer than the file",
    Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0),
    /at most 33554432 bytes, found a length of 4294967295/,
  ],
  ["a header longer than any", Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 255, 123), /length of 1837/],
  ["a header over the limit", putTogether(" ".repeat(2 ** 25 + 1), data), /at most 33554432 bytes.*33554433/],
  ["an empty header", putTogether("", data), /starts with \{/],
  ["a header that is a list", putTogether("[]", data), /starts with \{/],
  ["a header after a byte order mark", putTogether("\ufeff{}", data), /starts with \{/],
  ["a header that is no JSON", putTogether("{", data), /JSON in UTF-8/],
  ["a header that is no UTF-8", full.map((byte, i) => (i === 20 ? 255 : byte)), /JSON in UTF-8/],
  ["bytes past the end", putTogether(takeApart(full).header, new Uint8Array(data.length + 4)), /bytes of data/],
  [
    "bytes missing",
    full.subarray(0, -1),
    /tensor "[^"]*": expected \d+ bytes of data, found \d+\. The file ends early/,
  ],
  ["half a header", full.subarray(0, 100), /header of \d+ bytes, found 92\. The file ends early/],
  ["no metadata", header(["__metadata__"]), /format simdgrad in its metadata, found none\. .*setWeights/],
  ["metadata that is a list", header(["__metadata__"], []), /__metadata__ to be an object/],
  ["metadata that is null", header(["__metadata__"], null), /__metadata__ to be an object/],
  ["metadata that holds a number", header(["__metadata__", "version"], 1), /hold text, found 1 for "version"/],
  ["an unknown metadata key", header(["__metadata__", "more"], "1"), /unknown metadata "more"/],
  ["a prototype in the metadata", header(["__metadata__", "__proto__"], "1"), /unknown metadata "__proto__"/],
  ["user metadata that is no text", inJson("user")(["labels"], 1), /metadata is not valid.*"labels".*string/],
  ["user metadata that is a list", header(["__metadata__", "user"], "[]"), /metadata is not valid.*object/],
  ["user metadata beyond all measure", inJson("user")(["labels"], "a".repeat(2 ** 22)), /at most 4194304 characters/],
  ["another format", header(["__metadata__", "format"], "pt"), /format simdgrad .*"pt"/],
  ["another version", header(["__metadata__", "version"], "2"), /simdgrad 1.*"2"\. A newer simdgrad wrote it: update/],
  [
    "another version's metadata",
    edited(({ __metadata__: metadata }) => Object.assign(metadata, { version: "2", more: "1" })),
    /A newer simdgrad wrote it/,
  ],
  ["a version that is none", header(["__metadata__", "version"], "one"), /found version "one"\. The file is damaged/],

  ["another dtype", header(["0.kernel", "dtype"], "F64"), /F32, F16, BF16.*F64/],
  ["a dtype from a prototype", header(["0.kernel", "dtype"], "constructor"), /F32.*constructor/],
  ["a dtype that is too short for its bytes", header(["0.kernel", "dtype"], "F16"), /130 bytes for F16.*260/],
  ["a tensor that is null", header(["0.kernel"], null), /dtype.*undefined/],
  ["a tensor that is a list", header(["0.kernel"], [1]), /unknown field "0"/],
  ["an unknown field", header(["0.bias", "more"], 1), /unknown field "more"/],
  ["a prototype as field", header(["0.bias", "__proto__"], {}), /unknown field "__proto__"/],
  ["a wrong shape", header(["0.kernel", "shape"], [13, 5]), /\[5, 13\], found \[13, 5\]/],
  ["a flat shape", header(["0.kernel", "shape"], [65]), /\[5, 13\], found \[65\]/],
  [
    "a deep shape",
    header(["0.kernel", "shape"], [...kernel, ...Array(1e5).fill(1)]),
    /found \[5, 13, 1, 1, 1, 1, 1, 1, ...\]/,
  ],
  ["a negative shape", header(["0.kernel", "shape"], [-5, -13]), /whole numbers/],
  ["half a shape", header(["0.kernel", "shape"], [2.5, 26]), /whole numbers/],
  ["no shape", header(["0.kernel", "shape"]), /whole numbers, found undefined/],
  ["a shape beyond all numbers", header(["0.kernel", "shape"], Array(30).fill(2 ** 53 - 1)), /expected Infinity bytes/],
  ["a shape of no number", header(["0.kernel", "shape"], [...Array(30).fill(2 ** 53 - 1), 0]), /expected NaN bytes/],
  ["an overlap", header(["0.bias", "data_offsets"], [0, 52]), /start at/],
  ["offsets out of range", header(["0.bias", "data_offsets"], [1e12, 1e12 + 52]), /ends early/],
  ["negative offsets", header(["0.bias", "data_offsets"], [-52, 0]), /a start and an end, found \[-52, 0\]/],
  ["offsets that run back", header(["0.bias", "data_offsets"], [312, 260]), /found \[312, 260\]/],
  ["three offsets", header(["0.bias", "data_offsets"], [260, 312, 312]), /found \[260, 312, 312\]/],
  ["offsets that are text", header(["0.bias", "data_offsets"], ["260", "312"]), /found \["260", "312"\]/],
  ["a tensor left out", header(["2.bias"]), /start at|of data/],
  ["an unknown tensor", header(["more"], { dtype: "F32", shape: [0], data_offsets: [0, 0] }), /unknown tensor "more"/],
  [
    "a prototype as tensor",
    header(["__proto__"], { dtype: "F32", shape: [0], data_offsets: [0, 0] }),
    /unknown tensor "__proto__"/,
  ],
  ["a tensor by another name", text('"0.bias"', '"9.bias"'), /expected a tensor "0.bias"/],
  ["a tensor twice", text('"0.bias"', '"0.kernel":1,"0.bias"'), /the name "0.kernel" twice/],
  ["a tensor twice, once in disguise", text('"0.bias"', '"\\u0030.kernel":1,"0.bias"'), /the name "0.kernel" twice/],
  ["metadata twice", text('"0.bias"', '"__metadata__":{},"0.bias"'), /the name "__metadata__" twice/],
  ["a key of the spec twice", text('\\"units\\":13', '\\"units\\":13,\\"units\\":13'), /spec.*the name "units" twice/],
  ["a key of the state twice", text('\\"step\\":', '\\"step\\":1,\\"step\\":'), /state.*the name "step" twice/],
  ["a user's key twice", text('\\"labels\\":', '\\"labels\\":\\"\\",\\"labels\\":'), /user.*the name "labels" twice/],
  [
    "infinite weights",
    full.map((byte, i) =>
      i >= full.length - data.length + 2 && i < full.length - data.length + 4 ? [128, 127][i % 2] : byte,
    ),
    /finite/,
  ],

  ["no spec", header(["__metadata__", "spec"]), /JSON in its metadata spec/],
  ["a spec that is no JSON", header(["__metadata__", "spec"], "{"), /JSON in its metadata spec/],
  ["a spec that is null", header(["__metadata__", "spec"], "null"), /spec is not valid/],
  ["a spec that is a list", header(["__metadata__", "spec"], "[]"), /spec is not valid/],
  ["an unknown key in the spec", spec(["more"], 1), /spec.*"more"/],
  ["a prototype in the spec", spec(["__proto__"], {}), /spec.*"__proto__"/],
  ["no layers", spec(["layers"], []), /spec.*at least one layer/],
  ["an unknown layer", spec(["layers"], [{ kind: "conv" }]), /spec.*conv/],
  ["a layer from a prototype", spec(["layers", 0, "kind"], "constructor"), /spec.*constructor/],
  ["a layer that is null", spec(["layers", 0], null), /spec.*null/],
  [
    "a layer option that only looks like a number",
    spec(["layers"], [{ kind: "layer-norm", epsilon: true }]),
    /spec.*epsilon.*true/,
  ],
  ["an unknown layer option", spec(["layers", 0, "more"], 1), /spec.*"more"/],
  ["more units than tensors", spec(["layers", 0, "units"], 1e9), /expected the shape \[5, 1000000000\]/],
  ["more units than numbers", spec(["layers", 0, "units"], 2 ** 53), /spec.*units/],
  ["half a unit", spec(["layers", 0, "units"], 12.5), /spec.*units/],
  ["another input", spec(["input"], 6), /expected the shape \[6, 13\]/],
  ["another loss", spec(["loss"], { kind: "binary-cross-entropy" }), /spec.*sigmoid/],
  ["a loss from a prototype", spec(["loss"], { kind: "__proto__" }), /spec.*loss/],
  [
    "another optimizer",
    spec(["optimizer"], { kind: "sgd", learningRate: 0.1, momentum: 0.9 }),
    /"momentum.0.kernel", found none/,
  ],
  ["an unknown optimizer option", spec(["optimizer", "gamma"], 1), /spec.*gamma/],
  ["an optimizer that is text", spec(["optimizer"], "adam"), /spec.*optimizer/],
  ["a rate below 0", spec(["optimizer", "learningRate"], -1), /spec.*learningRate/],
  ["a seed beyond all numbers", spec(["seed"], 1e300), /spec.*seed/],

  ["a state that is null", header(["__metadata__", "state"], "null"), /state is not valid/],
  ["an unknown key in the state", state(["more"], 1), /state.*"more"/],
  ["half a step", state(["step"], 0.5), /state.*step/],
  ["no step", state(["step"]), /state.*step/],
  ["a negative epoch", state(["epoch"], -1), /state.*epoch/],
  ["a rate that is text", state(["learningRate"], "1"), /state.*learningRate/],
  ["a run that is null", state(["run"], null), /state.*null/],
  ["an unknown key in the run", state(["run", "more"], 1), /state.*"more"/],
  ["a run of half a row", state(["run", "rows"], 0.5), /state.*rows/],
  ["a batch past the epoch's end", state(["run", "batch"], 5), /state.*batch.*<= 4/],
  ["sums that are none", state(["run", "sums"], null), /state.*null/],
  ["sums that are text", state(["run", "sums", "loss"], "1"), /state.*loss/],
  ["a best state that is false", state(["run", "best"], false), /state.*false/],
  ["a best state that is null", state(["run", "best"], null), /state.*null/],
  ["an unknown key in the best state", state(["run", "best", "more"], 1), /state.*"more"/],
  ["tensors of a best state that is not there", state(["run", "best"]), /unknown tensor "best\./],
  ["tensors of a state that is not there", header(["__metadata__", "state"]), /unknown tensor "m\./],
  ["a paused state that is null", state(["run", "paused"], null), /state.*null/],

  ["levels without end", putTogether(`{"a":${"[".repeat(1e6)}${"]".repeat(1e6)}}`, data), /more than 256 levels/],
  ["levels without end or end", putTogether(`{"a":${"[".repeat(1e6)}`, data), /JSON in UTF-8/],
  [
    "a spec of levels without end",
    header(["__metadata__", "spec"], `{"layers":${"[".repeat(6e4)}${"]".repeat(6e4)}}`),
    /more than 256 levels/,
  ],
  [
    "a spec beyond all measure",
    spec(["layers"], Array(4000).fill({ kind: "activation", activation: "relu" })),
    /at most 131072 characters/,
  ],
  [
    "a thousand tensors over the same bytes",
    putTogether(
      Object.fromEntries(
        Array.from({ length: 1000 }, (_, i) => [i, { dtype: "F32", shape: [2 ** 18], data_offsets: [0, 2 ** 20] }]),
      ),
      large,
    ),
    /start at 1048576/,
  ],
  [
    "an input without data",
    bare({ input: 1e9, layers: [{ kind: "activation", activation: "relu" }] }),
    /at most \d+ bytes/,
  ],
  [
    "an input of half the memory",
    bare({ input: 5e7, layers: [{ kind: "activation", activation: "gelu" }] }),
    /at most \d+ bytes/,
  ],
  [
    "a layer without data",
    bare({ input: 1, layers: [{ kind: "dense", units: 2 ** 53 - 1 }] }),
    /tensor "0.kernel", found none/,
  ],
  [
    "branches that double their outputs with each layer, beyond all numbers",
    bare({ input: 1, layers: Array.from({ length: 1100 }, () => ({ kind: "concat", branches: [[], []] })) }),
    /concat: expected all outputs to be a whole number/,
  ],
];

describe("a file that is not to be trusted", () => {
  for (const [name, file, message] of refused) {
    it(`${name}: FORMAT that says so, soon and with little memory`, () => {
      const peak = process.resourceUsage().maxRSS;
      for (const call of [() => load(file), () => load(file, { maxBatch: 1e6 })]) {
        expect(call).toThrow(expect.objectContaining({ code: "FORMAT", message: expect.stringMatching(message) }));
      }
      // Units: KiB. What a header of the largest size takes as text and as values.
      expect(process.resourceUsage().maxRSS - peak).toBeLessThan(200_000);
      expect(timeOf(() => tryLoad(file))).toBeLessThan(1000);
    });
  }

  it("the file itself is none of them", () => {
    expectWhole(load(full), full);
    expectWhole(load(edited(() => undefined)), full);
  });

  it("a predictor refuses as much", () => {
    for (const [name, file, message] of refused) {
      // It leaves the training alone.
      if (/state|run|sums|best|step|epoch|loss|optimizer|rate|seed|unknown tensor|prototype as tensor/.test(name))
        continue;
      expect(() => loadPredictor(file), name).toThrow(
        expect.objectContaining({ code: "FORMAT", message: expect.stringMatching(message) }),
      );
    }
  });

  it("rows are planned as the file justifies", () => {
    const wide = bare({ input: 1e5, layers: [{ kind: "activation", activation: "softmax" }] });
    for (const maxBatch of [undefined, 256, 1e6, 2 ** 40]) {
      const model = load(wide, { maxBatch });
      expect(model.memory.total).toBeLessThanOrEqual(budget(wide));
      const x = random.floats(1e5 * 40);
      const one = model.predict(x.subarray(1e5, 2e5));
      expect(Buffer.from(model.predict(x).slice(1e5, 2e5).buffer).equals(Buffer.from(one.buffer))).toBe(true);
    }
  });

  it("as many layers as a file may have load within a second", () => {
    const layers = Array.from({ length: 2800 }, () => ({ kind: "activation", activation: "gelu" }));
    const file = bare({ input: 2, layers, loss: { kind: "mean-squared-error" } });
    expect(load(file).spec.layers.length).toBe(2800);
    expect(timeOf(() => tryLoad(file))).toBeLessThan(1000);
  });

  it("layers within each other as deep as a file may have them load within a second", () => {
    const nested = (levels: number): object =>
      levels === 0
        ? { kind: "activation", activation: "gelu" }
        : levels % 2
          ? { kind: "residual", layers: [nested(levels - 1)] }
          : { kind: "concat", branches: [[nested(levels - 1)]] };
    const file = bare({ input: 2, layers: [nested(64)], loss: { kind: "mean-squared-error" } });
    load(file).predict([[1, 2]]);
    expect(timeOf(() => tryLoad(file))).toBeLessThan(1000);
    expect(() => load(bare({ input: 2, layers: [nested(65)] }))).toThrow(
      expect.objectContaining({
        code: "FORMAT",
        message: expect.stringMatching(/at most 64 layers within each other/),
      }),
    );
    // A residual takes two levels of JSON, a concat three.
    expect(() => load(bare({ input: 2, layers: [nested(103)] }))).toThrow(/more than 256 levels/);
  });

  it("layers that widen without data are refused or planned as the file justifies", () => {
    // Each doubles the width.
    for (const levels of [10, 20, 25, 60]) {
      const layers = Array.from({ length: levels }, () => ({
        kind: "concat",
        branches: [[{ kind: "activation", activation: "relu" }], [{ kind: "activation", activation: "tanh" }]],
      }));
      const file = bare({ input: 2, layers, loss: { kind: "mean-squared-error" } });
      const model = tryLoad(file);
      if (model) expect(model.memory.total).toBeLessThanOrEqual(budget(file));
      else expect(levels).toBeGreaterThanOrEqual(20);
      expect(timeOf(() => tryLoad(file))).toBeLessThan(1000);
    }
  });

  it("twelve thousand branches load within a second", () => {
    const file = bare({ input: 1, layers: [{ kind: "concat", branches: Array.from({ length: 12_000 }, () => []) }] });
    expect(load(file).predict(Float32Array.of(3))).toEqual(new Float32Array(12_000).fill(3));
    expect(timeOf(() => tryLoad(file))).toBeLessThan(1000);
  });

  it("a network that no file can hold is not saved", () => {
    const model = sequential({ input: 1, layers: Array.from({ length: 4000 }, () => activation("relu")) });
    expect(() => model.save()).toThrow(
      expect.objectContaining({ code: "CONFIG", message: expect.stringMatching(/spec/) }),
    );
  });

  it("no bytes at all", () => {
    for (const value of [undefined, null, "text", [1], new ArrayBuffer(8)]) {
      expect(() => load(value as unknown as Uint8Array)).toThrow(
        expect.objectContaining({ code: "FORMAT", message: expect.stringMatching(/Uint8Array/) }),
      );
    }
  });
});
