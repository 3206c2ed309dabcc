// Layers of one's own: in training, in files, and beside the package's own.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  adam,
  type CustomLayer,
  type CustomOptions,
  concat,
  defineLayer,
  dense,
  type ErrorCode,
  layerNorm,
  load,
  planMemory,
  residual,
  type SequentialConfig,
  sequential,
  sgd,
} from "../../src/index.ts";
import { load as loadPredictor } from "../../src/infer.ts";
import { expectWithin } from "../support/bounds.ts";
import { randomSource } from "../support/random.ts";

const random = randomSource(29);
const expectError = (call: () => unknown, code: ErrorCode, message: RegExp) =>
  expect(call).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));

/** A dense layer without bias, in plain JavaScript. */
const matmul = defineLayer<{ units: number }>({
  kind: "matmul",
  shape: ({ units }) => units,
  parameters: ({ units }, inputs) => [{ name: "kernel", shape: [inputs, units], init: "glorot-uniform" }],
  forward({ rows, inputs, units, x, y, parameters: { kernel } }) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < units; j++) {
        let sum = 0;
        for (let k = 0; k < inputs; k++) sum += x[i * inputs + k] * kernel[k * units + j];
        y[i * units + j] = sum;
      }
    }
  },
  backward({ rows, inputs, units, x, dy, dx, parameters: { kernel }, gradients }) {
    dx.fill(0);
    for (let i = 0; i < rows; i++) {
      for (let k = 0; k < inputs; k++) {
        for (let j = 0; j < units; j++) {
          gradients.kernel[k * units + j] += x[i * inputs + k] * dy[i * units + j];
          dx[i * inputs + k] += dy[i * units + j] * kernel[k * units + j];
        }
      }
    }
  },
});

const config = (own: boolean): SequentialConfig => {
  const layer = (units: number) => (own ? matmul({ units }) : dense(units, { useBias: false }));
  return {
    input: 5,
    // Widths that are no whole vectors.
    layers: [
      layer(7),
      layerNorm(),
      residual([layer(6), dense(7, { activation: "tanh" })]),
      concat([[layer(3)], []]),
      dense(2, { activation: "softmax" }),
    ],
    loss: "cross-entropy",
    optimizer: sgd({ learningRate: 0.1 }),
    seed: 4,
  };
};
const data = { x: random.floats(20 * 5), y: Int32Array.from({ length: 20 }, () => random.integer(2)) };

describe("defineLayer", () => {
  it("trains as the package's own layer does, within others too", () => {
    const [own, plain] = [sequential(config(true)), sequential(config(false))];
    plain.setWeights(own.weights.slice());
    const near = (a: Float32Array, b: Float32Array, tolerance: number) => expectWithin(a, b, () => tolerance);
    for (let step = 0; step < 5; step++) {
      expect(own.trainBatch(data.x, data.y)).toBeCloseTo(plain.trainBatch(data.x, data.y), 5);
      // Sums of at most 20 products of numbers near 1, in another order.
      near(own.gradients, plain.gradients, 1e-5);
      near(own.weights, plain.weights, 1e-5);
    }
    near(own.predict(data.x), plain.predict(data.x), 1e-5);
    const d = random.floats(40);
    for (const training of [true, false]) {
      near(own.forward(data.x, { training }), plain.forward(data.x, { training }), 1e-5);
      for (const model of [own, plain]) model.zeroGradients();
      near(own.backward(d), plain.backward(d), 1e-5);
      near(own.gradients, plain.gradients, 1e-5);
      // Twice accumulates.
      for (const model of [own, plain]) model.forward(data.x, { training });
      near(own.backward(d), plain.backward(d), 1e-5);
      near(own.gradients, plain.gradients, 2e-5);
    }
  });

  it("names its parameters, its spec and its steps", () => {
    const model = sequential(config(true));
    expect(model.parameters.map(({ name }) => name)).toEqual(expect.arrayContaining(["0.kernel", "2.0.kernel"]));
    expect(JSON.parse(JSON.stringify(model.spec)).layers[0]).toEqual({ kind: "matmul", units: 7, trainable: true });
    expect(model.summary()).toMatch(/^0 +matmul +7 +35 +0.kernel \[5, 7\]$/m);
    expect(
      model.plan.lists["train (labels)"].filter(({ kernel }) => kernel === "host").map(({ owner }) => owner),
    ).toEqual(["0", "2.0", "3.0.0", "3.0.0", "2.0", "0"]);
  });

  it("goes into files, and comes back where its definition is", async () => {
    const model = sequential(config(true));
    await model.fit(data, { epochs: 2, batchSize: 6 });
    const bytes = model.save();
    const same = load(bytes, { custom: [matmul] });
    expect(same.predict(data.x)).toEqual(model.predict(data.x));
    for (const each of [same, model]) await each.fit(data, { epochs: 2, batchSize: 6 });
    expect(Buffer.from(same.save()).equals(Buffer.from(model.save()))).toBe(true);
    expect(model.clone().predict(data.x)).toEqual(model.predict(data.x));
    expectError(() => load(bytes), "FORMAT", /expected a layer.*matmul/);
    for (const open of [() => load(bytes), () => loadPredictor(bytes)]) {
      // It is as it was written: nothing but its definition is wanting.
      expectError(open, "FORMAT", /go into `custom`, which simdgrad\/infer has not\.$/);
      expect(open).not.toThrow(/damaged|another version/);
    }
    const layers = [{ kind: "matmul", units: 2 } as never];
    expect(sequential({ input: 3, layers, custom: [matmul] }).predict([[1, 2, 3]])).toHaveLength(2);
    expectError(() => sequential({ input: 3, layers }), "CONFIG", /expected a layer/);
  });

  it("trainable: false freezes its parameters", () => {
    const layers = [matmul({ units: 4, trainable: false }), dense(2, { activation: "softmax" })];
    const model = sequential({ ...config(true), layers: [dense(5), ...layers] });
    const before = model.parameters[2].value.slice();
    const bias = model.parameters[1].value.slice();
    for (let i = 0; i < 3; i++) model.trainBatch(data.x, data.y);
    expect(model.parameters[2].value).toEqual(before);
    expect(model.parameters[2].gradient).toEqual(new Float32Array(20));
    expect(model.parameters[1].value).not.toEqual(bias);
  });

  it("learns whether it is training, gets any batch, and may keep no parameters", () => {
    const seen: [number, boolean][] = [];
    const spy = defineLayer({
      kind: "spy",
      shape: (_, inputs) => inputs,
      forward: ({ rows, training, x, y }) => {
        seen.push([rows, training]);
        y.set(x);
      },
      backward: ({ dy, dx }) => dx.set(dy),
    });
    const model = sequential({ ...config(true), layers: [spy(), dense(2, { activation: "softmax" })], maxBatch: 8 });
    model.predict(data.x);
    model.trainBatch(data.x, data.y);
    model.evaluate(data);
    expect(seen).toEqual([[8, false], [8, false], [4, false], [20, true], [20, false]]); // biome-ignore format: pairs
  });

  it("is named by NUMERIC where it gives what is not finite, and its own errors pass", () => {
    const broken = (forward: () => void): CustomLayer<CustomOptions> =>
      defineLayer({
        kind: "broken",
        shape: (_, inputs) => inputs,
        forward: ({ x, y }) => {
          y.set(x);
          y[1] = Number.NaN;
          forward();
        },
        backward: ({ dy, dx }) => dx.set(dy),
      });
    const model = (forward: () => void) =>
      sequential({ ...config(true), layers: [dense(3), broken(forward)(), dense(2, { activation: "softmax" })] });
    expectError(() => model(() => undefined).trainBatch(data.x, data.y), "NUMERIC", /layer 1 is not finite \(host\)/);
    expectError(
      () => model(() => undefined).trainBatch(data.x, data.y),
      "NUMERIC",
      /output of layer 1 .*\. The layer's own forward wrote it, from numbers that are finite\.$/,
    );
    const failing = model(() => {
      throw new RangeError("mine");
    });
    const before = failing.weights.slice();
    expect(() => failing.trainBatch(data.x, data.y)).toThrow(RangeError);
    expect(failing.weights).toEqual(before);
  });

  it.each(["dx", "gradients"] as const)("is named by NUMERIC where its backward gives bad %s", (which) => {
    const broken = defineLayer({
      kind: "broken",
      shape: (_, inputs) => inputs,
      parameters: () => [{ name: "a", shape: [3] }],
      forward: ({ x, y }) => y.set(x),
      backward: ({ dy, dx, gradients }) => {
        dx.set(dy);
        (which === "dx" ? dx : gradients.a)[1] = Number.NaN;
      },
    });
    const model = sequential({ ...config(true), layers: [dense(3), broken(), dense(2, { activation: "softmax" })] });
    const own = /gradient of layer 1 is not finite \(host\).*\. The layer's own backward wrote it/;
    expectError(() => model.trainBatch(data.x, data.y), "NUMERIC", own);
    // What it reads may be the cause all the same.
    const unscaled = data.x.map((value) => value * 1e6);
    expectError(() => model.trainBatch(unscaled, data.y), "NUMERIC", /layer 1 is not finite \(host\).*scale it/);
    model.weights[0] = Number.NaN;
    expectError(() => model.trainBatch(data.x, data.y), "NUMERIC", /layer 0 .*0\.kernel holds NaN/);
  });

  it("refuses threads, other kinds' names, and what is no definition or no option", () => {
    expectError(() => sequential({ ...config(true), threads: 2 }), "CONFIG", /threads: 1/);
    expectError(() => planMemory({ ...config(true), threads: 2 }), "CONFIG", /planMemory.*threads: 1/);
    expectError(() => load(sequential(config(true)).save(), { threads: 2, custom: [matmul] }), "CONFIG", /threads: 1/);
    const definition = { kind: "mine", shape: () => 1, forward: () => undefined, backward: () => undefined };
    expectError(() => defineLayer({ ...definition, kind: "dense" }), "CONFIG", /kind.*"dense".*Taken/);
    expectError(() => defineLayer({ ...definition, forward: undefined as never }), "CONFIG", /received no forward/);
    expectError(() => defineLayer({ ...definition, back: 1 } as never), "CONFIG", /unknown option "back"/);
    expectError(
      () => matmul({ units: 2, callback: () => 1 } as never),
      "CONFIG",
      /matmul, option callback.*plain data/,
    );
    expectError(() => matmul({ units: Number.NaN }), "CONFIG", /plain data/);
    expectError(() => sequential({ input: 2, layers: [matmul({ units: 0 })] }), "CONFIG", /matmul.*shape/);
    expectError(
      () => sequential({ input: 2, layers: [dense(1)], custom: [dense] as never }),
      "CONFIG",
      /custom to hold/,
    );
    expectError(() => sequential({ input: 2, layers: [dense(1)], custom: matmul as never }), "CONFIG", /custom.*array/);
    const unnamed = defineLayer({ ...definition, parameters: () => [{ name: "a b", shape: [1] }] });
    expectError(() => sequential({ input: 2, layers: [unnamed()] }), "CONFIG", /name of letters/);
  });

  it("the example of its docstring runs", () => {
    const source = readFileSync(new URL("../../src/layers/define.ts", import.meta.url), "utf8");
    const lines = [...source.matchAll(/^ \* {6}(.*)$/gm)].map(([, line]) => line);
    expect(lines.length).toBeGreaterThan(15);
    const run = new Function(
      "defineLayer, dense, sequential, adam, load",
      `${lines.join("\n")}\nreturn { model, same };`,
    );
    const { model, same } = run(defineLayer, dense, sequential, adam, load);
    expect(model.parameters[0].name).toBe("0.factor");
    // Adam's first step is the learning rate, 1e-3.
    expect(Math.abs(model.parameters[0].value[0] - 0.5)).toBeCloseTo(1e-3, 5);
    expect(same.weights).toEqual(model.weights);
  });
});
