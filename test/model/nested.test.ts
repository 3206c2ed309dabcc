// Layers within layers: names by path, and everything that goes by names.
import { describe, expect, it } from "vitest";
import {
  activation,
  adam,
  batchNorm,
  concat,
  dense,
  dropout,
  layerNorm,
  load,
  planMemory,
  residual,
  type SequentialConfig,
  sequential,
} from "../../src/index.ts";
import { load as loadPredictor } from "../../src/infer.ts";
import { expectWithin, U } from "../support/bounds.ts";
import { randomSource } from "../support/random.ts";
import { stateOf } from "../support/state.ts";

const random = randomSource(17);
const config: SequentialConfig = {
  input: 6,
  layers: [
    concat([[dense(5), batchNorm(), activation("tanh")], [], [dense(3, { trainable: false })]]),
    residual([layerNorm(), dense(9, { activation: "relu" }), residual([dense(9), dropout(0.1)]), dense(14)]),
    dense(3, { activation: "softmax" }),
  ],
  loss: "cross-entropy",
  optimizer: adam({ learningRate: 0.01 }),
  seed: 3,
};
const data = { x: random.floats(40 * 6), y: Int32Array.from({ length: 40 }, () => random.integer(3)) };
/** A layer that holds itself. */
function circular(): object {
  const layer = { kind: "residual", layers: [] as object[] };
  layer.layers.push(layer);
  return layer;
}
const NAMES =
  "0.0.0.kernel 0.0.0.bias 0.0.1.gamma 0.0.1.beta 0.2.0.kernel 0.2.0.bias 1.0.gamma 1.0.beta 1.1.kernel 1.1.bias 1.2.0.kernel 1.2.0.bias 1.3.kernel 1.3.bias 2.kernel 2.bias";

describe("layers within layers", () => {
  it("nest as deep as is said, in files too, and no deeper", () => {
    type Layer = SequentialConfig["layers"][number];
    const nested = (levels: number, within: (layer: Layer) => Layer): Layer =>
      levels === 0 ? dense(6) : within(nested(levels - 1, within));
    const [residualOf, branchOf] = [(layer: Layer) => residual([layer]), (layer: Layer) => concat([[layer]])];
    for (const within of [residualOf, branchOf]) {
      const model = sequential({ ...config, layers: [nested(64, within), dense(3, { activation: "softmax" })] });
      model.trainBatch(data.x, data.y);
      expect(load(model.save()).save()).toEqual(model.save());
      expect(() => nested(65, within)).toThrow(expect.objectContaining({ code: "CONFIG" }));
    }
    // Plain data, which nothing has looked at before.
    let plain: object = { kind: "dense", units: 6 };
    for (let i = 0; i < 5000; i++) plain = { kind: "residual", layers: [plain] };
    for (const layer of [plain, circular()] as SequentialConfig["layers"]) {
      expect(() => sequential({ input: 6, layers: [layer] })).toThrow(
        expect.objectContaining({
          code: "CONFIG",
          message: expect.stringMatching(/at most 64 layers within each other/),
        }),
      );
    }
  });

  it("name parameters and buffers by path", () => {
    const model = sequential(config);
    expect(model.parameters.map(({ name }) => name)).toEqual(NAMES.split(" "));
    expect(Object.keys(model.buffers)).toEqual(["0.0.1.runningMean", "0.0.1.runningVariance"]);
    expect(model.parameters[10].shape).toEqual([9, 9]);
    model.setWeights({ "1.2.0.bias": new Float32Array(9).fill(2) });
    expect(model.parameters[11].value).toEqual(new Float32Array(9).fill(2));
  });

  it("draw their initial weights each from a stream of its own, by the activation that follows", () => {
    const { parameters, spec } = sequential(config);
    expect(parameters[8].value).not.toEqual(parameters[10].value);
    const block = spec.layers[1] as ReturnType<typeof residual>;
    expect(block.layers[1]).toMatchObject({ kind: "dense", kernelInit: "he-normal" });
    expect(block.layers[3]).toMatchObject({ kind: "dense", kernelInit: "glorot-uniform" });
  });

  it("compute what the branches compute, side by side, and x itself for an empty one", () => {
    const x = random.floats(12);
    const [wide, narrow] = [dense(5, { activation: "tanh" }), dense(2)];
    const model = sequential({ input: 3, layers: [concat([[wide], [], [narrow]])] });
    const parts = [wide, narrow].map((layer, i) => {
      const alone = sequential({ input: 3, layers: [layer] });
      alone.setWeights({
        "0.kernel": model.parameters[2 * i].value.slice(),
        "0.bias": model.parameters[2 * i + 1].value.slice(),
      });
      return alone.predict(x);
    });
    const expected = Array.from({ length: 4 }, (_, row) => [
      ...parts[0].subarray(row * 5, row * 5 + 5),
      ...x.subarray(row * 3, row * 3 + 3),
      ...parts[1].subarray(row * 2, row * 2 + 2),
    ]);
    expect(model.predict(x)).toEqual(Float32Array.from(expected.flat()));
  });

  it("add what goes in, and pass gradients both ways", () => {
    const x = random.floats(12);
    const d = random.floats(12);
    const inner = sequential({ input: 3, layers: [dense(3, { activation: "tanh" })] });
    const model = sequential({ input: 3, layers: [residual([dense(3, { activation: "tanh" })])] });
    model.setWeights(inner.weights.slice());
    const y = inner.forward(x);
    expect(model.forward(x)).toEqual(y.map((value, i) => value + x[i]));
    const dx = inner.backward(d);
    expectWithin(
      model.backward(d),
      dx.map((value, i) => value + d[i]),
      (i) => 2 * U * Math.abs(dx[i] + d[i]),
    );
    expect(model.gradients).toEqual(inner.gradients);
    // Nothing within the block: twice the input.
    const double = sequential({ input: 3, layers: [residual([dropout(0)])] });
    expect(double.forward(x)).toEqual(x.map((value) => 2 * value));
    expect(double.backward(d)).toEqual(d.map((value) => 2 * value));
  });

  it("frozen ones keep weights, and gradients of 0", async () => {
    const model = sequential(config);
    const before = model.parameters.map(({ value }) => value.slice());
    await model.fit(data, { epochs: 2, batchSize: 10 });
    model.parameters.forEach(({ name, value, gradient }, i) => {
      if (name.startsWith("0.2.")) expect([value, new Set(gradient)], name).toEqual([before[i], new Set([0])]);
      else expect(value, name).not.toEqual(before[i]);
    });
  });

  it("learn, save, load, clone and predict alone", async () => {
    const model = sequential(config);
    const { epochs } = await model.fit(data, { epochs: 60, batchSize: 10 });
    expect(epochs[59].loss).toBeLessThan(0.5 * epochs[0].loss);
    const y = model.predict(data.x);
    for (const same of [load(model.save()), model.clone()]) {
      expect(same.spec).toEqual(model.spec);
      expect(stateOf(same)).toBe(stateOf(model));
      same.trainBatch(data.x, data.y);
      const other = load(model.save());
      other.trainBatch(data.x, data.y);
      expect(stateOf(same)).toBe(stateOf(other));
    }
    expect(loadPredictor(model.save()).predict(data.x)).toEqual(y);
    expect(load(model.save({ state: false }), { inference: true }).predict(data.x)).toEqual(y);
    expect(sequential({ ...config, layers: model.spec.layers }).spec.layers).toEqual(model.spec.layers);
  });

  it("stand in summary, plan, memory and errors by their paths", () => {
    const model = sequential(config);
    const rows = model
      .summary()
      .split("\n")
      .map((line) => line.split(/ {2,}/).slice(0, 3).join("|"));
    expect(rows).toEqual(
      expect.arrayContaining(["0|concat|14", "0.0.0|dense (linear)|5", "1|residual|14", "1.2.0|dense (linear)|9"]),
    );
    const frozen = model.summary().match(/\S+ \[[^\]]*\] frozen/g);
    expect(frozen).toEqual(["0.2.0.kernel [6, 3] frozen", "0.2.0.bias [3] frozen"]);
    const owners = model.plan.lists["train (labels)"].map(({ owner }) => owner);
    expect(owners).toEqual(expect.arrayContaining(["0", "0.0.1", "1", "1.2", "1.2.0", "1.2.1"]));
    expect(planMemory(config).total).toBe(model.memory.total);
    model.parameters[12].value.fill(1e38);
    expect(() => model.trainBatch(data.x, data.y)).toThrow(/layer 1(\.3)? /);
  });

  it("refuse what does not fit", () => {
    const refused = (make: () => unknown, message: RegExp) =>
      expect(make).toThrow(expect.objectContaining({ code: "CONFIG", message: expect.stringMatching(message) }));
    refused(
      () => sequential({ ...config, layers: [residual([dense(5)]), ...config.layers] }),
      /residual.*6 outputs.*found 5/,
    );
    refused(() => residual([]), /residual: expected layers.*at least one/);
    refused(() => residual(dense(3) as never), /residual: expected layers/);
    refused(() => concat([]), /concat: expected branches/);
    refused(() => concat([[], dense(3)] as never), /concat, branch 1: expected layers/);
    refused(() => residual([{ kind: "convolution" } as never]), /expected a layer/);
    refused(
      () => sequential({ ...config, layers: [concat([[dense(3, { activation: "softmax" })]])] }),
      /softmax.*concat/,
    );
    refused(() => residual([{ kind: "dense", units: 0 } as never]), /units/);
  });
});
