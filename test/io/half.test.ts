// 16-bit floats: every value there and back, every tie, and what a model makes of them.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { adam, batchNorm, dense, load, type SequentialConfig, sequential } from "../../src/index.ts";
import { fromBfloat, fromHalf, HALF_LIMIT, toHalf } from "../../src/io/half.ts";
import { readSafetensors, writeSafetensors } from "../../src/io/safetensors.ts";
import { randomSource } from "../support/random.ts";
import { takeApart } from "../support/safetensors.ts";

const golden = JSON.parse(readFileSync(new URL("../goldens/halves.json", import.meta.url), "utf8"));
const all = Uint16Array.from({ length: 65_536 }, (_, i) => i);
/** Bits of the largest finite half. */
const LARGEST = 0x7bff;

/** As toEqual, which is slow on so many. */
function expectBits(received: Uint16Array, expected: Uint16Array): void {
  expect(received.length).toBe(expected.length);
  const wrong = expected.findIndex((bits, i) => bits !== received[i]);
  expect(wrong, `${received[wrong]} for ${expected[wrong]}`).toBe(-1);
}

const wordsOf = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);
/** The f32 that many steps further from zero. */
const stepped = (value: number, steps: number) => {
  const values = Float32Array.of(value);
  wordsOf(values)[0] += steps;
  return values[0];
};

describe("halves", () => {
  for (const [dtype, widen] of [
    ["F16", fromHalf],
    ["BF16", fromBfloat],
  ] as const) {
    it(`all 65,536 ${dtype} values widen as numpy's`, () => {
      const values = widen(all).filter((value) => !Number.isNaN(value));
      expect(createHash("sha256").update(wordsOf(values)).digest("hex")).toBe(golden.widened[dtype]);
      const fraction = dtype === "F16" ? 10 : 7;
      expect(all.length - values.length).toBe(2 * (2 ** fraction - 1));
    });
  }

  it("all finite values come back, with their sign", () => {
    const finite = all.filter((bits) => (bits & 0x7fff) <= LARGEST);
    expect(finite.length).toBe(63_488);
    expectBits(toHalf(fromHalf(finite)), finite);
  });

  it("between all neighbours: down below the middle, up above it, to the even one in it", () => {
    const values = fromHalf(all.subarray(0, LARGEST + 1));
    const inputs: number[] = [];
    const expected: number[] = [];
    for (let bits = 0; bits < LARGEST; bits++) {
      // Exact in f32: a half has 11 bits, and the smallest is far above f32's.
      const middle = (values[bits] + values[bits + 1]) / 2;
      inputs.push(
        stepped(values[bits], 1),
        stepped(middle, -1),
        middle,
        stepped(middle, 1),
        stepped(values[bits + 1], -1),
      );
      expected.push(bits, bits, bits + (bits % 2), bits + 1, bits + 1);
    }
    inputs.push(stepped(HALF_LIMIT, -1), stepped(0, 1));
    expected.push(LARGEST, 0);
    const rounded = Uint16Array.from(expected);
    expectBits(toHalf(Float32Array.from(inputs)), rounded);
    const negative = Float32Array.from(inputs, (value) => -value);
    expectBits(
      toHalf(negative),
      rounded.map((bits) => bits | 0x8000),
    );
  });

  it("numbers of all sizes round as numpy's", () => {
    const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64")).buffer;
    const values = new Float32Array(bytes(golden.rounded.words));
    expect(values.length).toBeGreaterThan(2000);
    expectBits(toHalf(values), new Uint16Array(bytes(golden.rounded.halves)));
  });
});

describe("a model in halves", () => {
  const config: SequentialConfig = {
    input: 30,
    layers: [dense(41, { activation: "relu" }), dense(3, { activation: "softmax" })],
    loss: "cross-entropy",
    optimizer: adam(),
  };
  const { floats } = randomSource(5);
  const model = sequential(config);
  model.trainBatch(floats(90), [0, 1, 2]);

  it("has the nearest weights, half the size and no state", () => {
    model.metadata.made = "here";
    const bytes = model.save({ dtype: "f16" });
    expect(bytes.length).toBeLessThan(0.6 * model.save({ state: false }).length);
    const same = load(bytes);
    expect(same.weights).toEqual(fromHalf(toHalf(model.weights.slice())));
    expect(same.weights).not.toEqual(model.weights);
    expect(same.spec).toEqual(model.spec);
    expect(same.metadata).toEqual(model.metadata);
    expect(same.parameters.every(({ moments }) => moments.every((m) => m.every((value) => value === 0)))).toBe(true);
    expect(Buffer.from(same.save({ dtype: "f16" })).equals(bytes)).toBe(true);
    expect(Buffer.from(model.save({ dtype: "f16", state: false })).equals(bytes)).toBe(true);
    expect(same.trainBatch(floats(90), [0, 1, 2])).toBeGreaterThan(0);
  });

  it("keep no state that is asked for by name: CONFIG", () => {
    expect(() => model.save({ dtype: "f16", state: true })).toThrow(
      expect.objectContaining({ code: "CONFIG", message: expect.stringMatching(/^save: .*state: true.*"f16"/) }),
    );
    expect(model.save({ dtype: "f32", state: true })).toEqual(model.save());
    expect(model.save({ dtype: "f16", state: undefined })).toEqual(model.save({ dtype: "f16" }));
  });

  for (const value of [65_520, -1e30, Number.NaN, Number.POSITIVE_INFINITY]) {
    it(`${value} is FORMAT that names tensor and index`, () => {
      const wide = model.clone();
      wide.parameters[2].value[7] = value;
      expect(() => wide.save({ dtype: "f16" })).toThrow(
        expect.objectContaining({
          code: "FORMAT",
          message: expect.stringMatching(new RegExp(`"1.kernel".*found ${Math.fround(value)} at 7`.replace("+", "."))),
        }),
      );
    });
  }

  for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
    it(`${value} is FORMAT in f32, too, before it takes a good file's place`, () => {
      const broken = model.clone();
      broken.parameters[2].value[7] = value;
      for (const state of [true, false]) {
        const message = expect.stringMatching(new RegExp(`^save: tensor "1.kernel".*found ${value} at 7`));
        expect(() => broken.save({ state })).toThrow(expect.objectContaining({ code: "FORMAT", message }));
      }
    });
  }

  it("the largest that rounds to a half is none", () => {
    const wide = model.clone();
    wide.parameters[2].value[7] = stepped(65_520, -1);
    expect(load(wide.save({ dtype: "f16" })).parameters[2].value[7]).toBe(65_504);
  });

  it("keeps running statistics in f32, where they are aligned", () => {
    const normed = sequential({ input: 3, layers: [dense(7), batchNorm(), dense(1)] });
    const { "1.runningMean": mean, "1.runningVariance": variance } = normed.buffers;
    mean.fill(1 / 3);
    variance.fill(1e9);
    const bytes = normed.save({ dtype: "f16" });
    for (const same of [load(bytes), load(bytes, { inference: true })]) expect(same.buffers).toEqual(normed.buffers);
    const broken = normed.clone();
    broken.buffers["1.runningMean"][2] = Number.NaN;
    expect(() => broken.save({ dtype: "f16" })).toThrow(expect.objectContaining({ code: "FORMAT" }));
    const { header } = takeApart(bytes);
    const dtypes = Object.entries(header).map(([name, { dtype, data_offsets }]) => [name, dtype, data_offsets]);
    expect(dtypes.slice(1, 4)).toEqual([
      ["1.runningMean", "F32", [0, 28]],
      ["1.runningVariance", "F32", [28, 56]],
      ["0.kernel", "F16", [56, 98]],
    ]);
  });

  it("that are not finite is FORMAT", () => {
    for (const [half, name] of [
      [0x7c00, "Infinity"],
      [0xfc00, "-Infinity"],
      [0x7e00, "NaN"],
      [0x7c01, "NaN"],
    ] as const) {
      const { tensors, metadata } = readSafetensors(model.save({ dtype: "f16" }));
      const halves = [...tensors.values()].map((tensor) => ({ ...tensor, values: toHalf(tensor.values) }));
      halves[1].values[3] = half;
      const bytes = writeSafetensors(halves, Object.fromEntries(metadata));
      expect(() => load(bytes)).toThrow(
        expect.objectContaining({ code: "FORMAT", message: expect.stringMatching(`"0.bias".*found ${name} at 3`) }),
      );
    }
  });
});
