// Bounds on gradients where the goldens do not look: what stays readable, frozen parts, threads, files, errors.
import { describe, expect, it, vi } from "vitest";
import { adagrad, adam, adamw, dense, load, rmsprop, type SequentialConfig, sequential, sgd } from "../../src/index.ts";
import { wrong } from "../support/errors.ts";
import { BUSY, neverAlone, untilShared } from "../support/lanes.ts";
import { randomSource } from "../support/random.ts";

const random = randomSource(61);
const config: SequentialConfig = {
  input: 6,
  layers: [dense(33, { activation: "tanh" }), dense(9, { activation: "tanh" }), dense(3)],
  loss: "mean-squared-error",
  optimizer: sgd({ clipNorm: 0.01 }),
};
const x = random.floats(40 * 6);
const y = random.floats(40 * 3, -9, 9);
const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

describe("gradients", () => {
  it("stay readable as they were taken: at the limit, in their old direction", () => {
    const free = sequential({ ...config, optimizer: sgd() });
    const clipped = sequential(config);
    for (const model of [free, clipped]) model.trainBatch(x, y);
    const before = norm(free.gradients);
    expect(before).toBeGreaterThan(0.1);
    expect(norm(clipped.gradients)).toBeCloseTo(0.01, 6);
    clipped.gradients.forEach((value, i) => {
      expect(value * before).toBeCloseTo(free.gradients[i] * 0.01, 6);
    });
  });

  it("of a loop of one's own are clipped by step()", () => {
    const model = sequential({ ...config, optimizer: sgd({ clipValue: 0.5, learningRate: 1 }) });
    const before = model.weights.slice();
    model.gradients.set(random.floats(model.gradients.length, -2, 2));
    const expected = model.gradients.map((value) => Math.max(-0.5, Math.min(0.5, value)));
    model.step();
    expect(model.gradients).toEqual(expected);
    expect(model.weights).toEqual(before.map((value, i) => value - expected[i]));
  });

  it("within the limits change no bit", () => {
    for (const optimizer of [adam, adamw, rmsprop, adagrad, sgd]) {
      const [free, loose] = [{}, { clipNorm: 1e6, clipValue: 1e6 }].map((clip) =>
        sequential({ ...config, optimizer: optimizer(clip) }),
      );
      for (const model of [free, loose]) for (let i = 0; i < 3; i++) model.trainBatch(x, y);
      expect(loose.weights).toEqual(free.weights);
    }
  });
});

it("the bits are those of one thread, for blocks that do not divide", { timeout: BUSY }, async () => {
  const wide = {
    ...config,
    layers: [dense(1001, { activation: "relu" }), dense(517, { activation: "relu" }), dense(3)],
    optimizer: adam({ clipNorm: 0.02, clipValue: 0.01 }),
  };
  neverAlone();
  for (const threads of [2, 3]) {
    const [many, one] = [threads, 1].map((count) => sequential({ ...wide, threads: count }));
    await untilShared(() => {
      for (const model of [many, one]) model.trainBatch(x, y);
      const [mine, expected] = [many, one].map(({ weights }) => Buffer.from(weights.slice().buffer));
      expect(mine.equals(expected), `${threads} threads`).toBe(true);
    }, 4);
    many[Symbol.dispose]();
  }
  vi.restoreAllMocks();
});

it("files keep the limits, specs only those that are set", () => {
  const model = sequential(config);
  const same = load(model.save());
  for (const each of [model, same]) each.trainBatch(x, y);
  expect(same.weights).toEqual(model.weights);
  expect(same.spec.optimizer).toMatchObject({ clipNorm: 0.01 });
  expect(Object.keys(sgd({ clipValue: 2 }))).toContain("clipValue");
  expect(Object.keys(sgd())).not.toContain("clipValue");
  expect(String(model.plan)).toMatch(/clip_norm[^\n]*0\.01/);
});

for (const [name, options] of [
  ["0", { clipNorm: 0 }],
  ["negative", { clipValue: -1 }],
  ["no number", { clipNorm: wrong("1") }],
  ["null", { clipValue: wrong(null) }],
  ["beyond f32", { clipValue: 1e39 }],
] as const) {
  it(`a limit that is ${name} is CONFIG`, () => {
    for (const optimizer of [adam, adamw, rmsprop, adagrad, sgd]) {
      expect(() => optimizer(options)).toThrow(
        expect.objectContaining({ code: "CONFIG", message: expect.stringMatching(/clip(Norm|Value)/) }),
      );
    }
  });
}
