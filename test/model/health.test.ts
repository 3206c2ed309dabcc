// The health report: each ailment made on purpose is found, named and nothing else; the model stays as it was.
import { describe, expect, it } from "vitest";
import {
  activation,
  adam,
  dense,
  dropout,
  type LayerHealth,
  load,
  type Model,
  type SequentialConfig,
  sequential,
  sgd,
} from "../../src/index.ts";
import { readDigits } from "../support/digits.ts";
import { randomSource } from "../support/random.ts";

const random = randomSource(91);
const config: SequentialConfig = {
  input: 4,
  layers: [dense(8, { activation: "relu" }), dense(6, { activation: "tanh" }), dense(3, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam({ learningRate: 1e-3 }),
  maxBatch: 16,
};
const data = { x: random.floats(50 * 4), y: Int32Array.from({ length: 50 }, () => random.integer(3)) };
const norm = (values: Iterable<number>) => Math.sqrt([...values].reduce((sum, value) => sum + value * value, 0));
const found = (layers: readonly LayerHealth[], layer: string) =>
  layers.find((each) => each.layer === layer) as LayerHealth;
const stateOf = (model: Model) => [Buffer.from(model.save()).toString("latin1"), model.gradients.slice()];

describe("units", () => {
  it("that are 0 on every row and get no gradient are dead", () => {
    const model = sequential(config);
    const bias = new Float32Array(8);
    bias[2] = bias[5] = -100;
    model.setWeights({ "0.bias": bias });
    const { layers, findings } = model.health(data);
    expect(layers.map(({ deadUnits }) => deadUnits)).toEqual([[2, 5], [], []]);
    expect(findings).toEqual([expect.stringMatching(/^Layer 0: units 2, 5 dead/)]);
    // One row that wakes a unit, in a later chunk, is enough.
    const x = data.x.slice();
    const kernel = model.parameters[0].value;
    for (let i = 0; i < 4; i++) x[45 * 4 + i] = 1000 * Math.sign(kernel[i * 8 + 2]);
    expect(found(model.health({ ...data, x }).layers, "0").deadUnits).not.toContain(2);
  });

  it("that are 0 but learn are not", () => {
    const zeros = { ...config, layers: [dense(5, { activation: "tanh", kernelInit: "zeros" }), config.layers[2]] };
    expect(sequential(zeros).health(data).layers[0].deadUnits).toEqual([]);
  });

  it("with a layer of activation alone are looked at behind it", () => {
    const layers = [dense(4, { activation: "linear" }), dropout(0.5), activation("relu"), config.layers[2]];
    const model = sequential({ ...config, layers });
    model.setWeights({ "0.bias": [0, -100, 0, 0] });
    const { deadUnits } = found(model.health(data).layers, "2");
    expect(deadUnits).toEqual([1]);
  });

  it("with the same weights are symmetric, and only those", () => {
    const constant = { kind: "constant", value: 0.1 } as const;
    const same = sequential({
      ...config,
      layers: [dense(3, { kernelInit: constant }), dense(3, { activation: "softmax" })],
    });
    const { layers, findings } = same.health();
    expect(layers.map(({ symmetricUnits }) => symmetricUnits)).toEqual([[[0, 1, 2]], []]);
    expect(findings).toEqual([expect.stringMatching(/^Layer 0: units 0, 1, 2 .*same weights/)]);
    const pairs = sequential(config);
    const kernel = pairs.parameters[0].value;
    for (let i = 0; i < 4; i++) {
      kernel[i * 8 + 7] = kernel[i * 8 + 1];
      kernel[i * 8 + 4] = kernel[i * 8];
    }
    pairs.parameters[1].value[4] = 0.5;
    expect(pairs.health().layers[0].symmetricUnits).toEqual([[1, 7]]);
    expect(sequential(config).health().findings).toEqual([]);
  });
});

describe("weights of 0", () => {
  const zeros = { kernelInit: "zeros" } as const;
  const start = "only weights of 0: start from random ones.";
  it.each<[string, SequentialConfig["layers"], string[], number[]]>([
    [
      "where a network begins",
      [dense(4, { activation: "relu", ...zeros }), dense(3, { activation: "softmax" })],
      [`Layer 0: units 0, 1, 2, 3 ${start}`],
      [0, 1, 2, 3],
    ],
    [
      "where layers stand before and behind",
      [
        dense(4, { activation: "relu" }),
        dense(2, { activation: "relu", ...zeros }),
        dense(4, { activation: "relu" }),
        dense(3, { activation: "softmax" }),
      ],
      [`Layer 1: units 0, 1 ${start}`],
      [],
    ],
    [
      "where it ends",
      [dense(4, { activation: "tanh" }), dense(3, { activation: "softmax", ...zeros })],
      [`Layer 1: units 0, 1, 2 ${start}`],
      [],
    ],
  ])("are one finding, the cause, %s", (_, layers, findings, dead) => {
    const report = sequential({ ...config, layers }).health(data);
    expect(report.findings).toEqual(findings);
    expect(report.layers[0].deadUnits).toEqual(dead);
  });

  it("of some units leave what is wrong with others", () => {
    const model = sequential(config);
    const [kernel, bias] = model.parameters.map(({ value }) => value);
    for (const unit of [1, 6]) for (let i = 0; i < 4; i++) kernel[i * 8 + unit] = 0;
    bias[3] = -100;
    const { layers, findings } = model.health(data);
    expect(findings).toEqual([`Layer 0: units 1, 6 ${start}`, expect.stringMatching(/^Layer 0: units 3 dead/)]);
    expect(layers[0]).toMatchObject({ deadUnits: [1, 3, 6], symmetricUnits: [[1, 6]] });
  });

  it("of a lone output are a start like any other", () => {
    const layers = [dense(1, zeros)];
    const model = sequential({ ...config, layers, loss: "mean-squared-error" });
    const y = data.y.map((value) => value + 1);
    expect(model.health({ x: data.x, y }).findings.filter((text) => text.includes("weights of 0"))).toEqual([]);
  });
});

describe("gradients and updates", () => {
  it("are those of the whole data, whatever the chunks, weights and clipping", () => {
    const sampleWeight = Float32Array.from({ length: 50 }, () => random.integer(4));
    const weighted = { ...data, sampleWeight };
    const optimizer = sgd({ learningRate: 0.1, clipNorm: 0.05 });
    const model = sequential({ ...config, optimizer });
    const { layers } = model.health(weighted);
    const free = sequential({ ...config, optimizer: sgd({ learningRate: 0 }), maxBatch: 50 });
    free.trainBatch(data.x, data.y, { sampleWeight });
    const before = model.parameters.map(({ value }) => value.slice());
    model.trainBatch(data.x, data.y, { sampleWeight });
    layers.forEach(({ layer, gradientNorm, weightNorm, updateRatio }, i) => {
      const own = (part: Model, what: "value" | "gradient") =>
        part.parameters.filter(({ name }) => name.startsWith(`${layer}.`)).flatMap((p) => [...p[what]]);
      const old = before.slice(2 * i, 2 * i + 2).flatMap((values) => [...values]);
      expect(gradientNorm).toBeCloseTo(norm(own(free, "gradient")), 6);
      expect(weightNorm).toBeCloseTo(norm(old), 6);
      const change = own(model, "value").map((value, j) => value - old[j]);
      expect(updateRatio).toBeCloseTo(norm(change) / norm(old), 6);
    });
  });

  it("without data are those that are there", () => {
    const model = sequential(config);
    expect(model.health().layers.map(({ gradientNorm, deadUnits }) => [gradientNorm, deadUnits])).toEqual(
      Array.from({ length: 3 }, () => [0, undefined]),
    );
    model.trainBatch(data.x, data.y);
    const { layers, findings } = model.health();
    expect(findings).toEqual([]);
    expect(layers[0].gradientNorm).toBeCloseTo(norm([...model.gradients.subarray(0, 4 * 8 + 8)]), 6);
    expect(layers[0].updateRatio).toBeGreaterThan(0);
  });

  it("vanish in a deep sigmoid network, explode in one with large weights", () => {
    const deep = (count: number, layer: SequentialConfig["layers"][number]) =>
      sequential({
        ...config,
        layers: [...Array.from({ length: count }, () => layer), dense(3, { activation: "softmax" })],
      });
    const { layers, findings } = deep(10, dense(12, { activation: "sigmoid" })).health(data);
    expect(layers[0].gradientNorm).toBeLessThan(1e-4 * layers[10].gradientNorm);
    expect(findings[0]).toMatch(/^Layer 0: gradients vanish/);
    expect(findings.some((text) => text.startsWith("Layer 10"))).toBe(false);
    const large = deep(6, dense(32, { kernelInit: { kind: "normal", std: 1 } })).health(data);
    expect(large.findings[0]).toMatch(/^Layer 0: gradients explode.*clipNorm/);
    expect(deep(2, dense(12, { activation: "relu" })).health(data).findings).toEqual([]);
  });

  it("a step that is too large, or that cannot be made, is told", () => {
    const model = sequential({ ...config, optimizer: sgd({ learningRate: 50 }) });
    model.trainBatch(data.x, data.y);
    model.gradients.fill(0.1);
    expect(model.health().findings[0]).toMatch(/the next step changes [\d.e+]+ %/);
    model.learningRate = 1e30;
    model.gradients.fill(1e20);
    const { layers, findings } = model.health();
    expect(layers[0].updateRatio).toBeUndefined();
    expect(findings).toContain("The next step would overflow: lower the rate.");
  });

  it("numbers that are not finite are counted, layer by layer", () => {
    const model = sequential(config);
    model.weights[3] = Number.NaN;
    model.gradients[model.gradients.length - 1] = Number.POSITIVE_INFINITY;
    for (const { layers, findings } of [model.health()]) {
      expect(layers.map(({ nonFinite }) => nonFinite)).toEqual([1, 0, 1]);
      expect(findings.filter((text) => text.includes("not finite"))).toHaveLength(2);
    }
    expect(found(model.health(data).layers, "0").nonFinite).toBeGreaterThan(0);
  });
});

describe("the model", () => {
  it("stays as it is, gradients, moments and counters", () => {
    const layers = [...config.layers.slice(0, 1), dropout(0.3), ...config.layers.slice(1)];
    const model = sequential({ ...config, layers, optimizer: adam({ learningRate: 0.01, clipNorm: 0.01 }) });
    model.trainBatch(data.x, data.y);
    const before = stateOf(model);
    model.health();
    model.health(data);
    expect(stateOf(model)).toEqual(before);
  });

  it("may be examined between the batches of a training", async () => {
    const examined = sequential(config);
    const plain = sequential(config);
    await examined.fit(data, { epochs: 2, batchSize: 8, onBatch: () => void examined.health(data) });
    await plain.fit(data, { epochs: 2, batchSize: 8 });
    expect(examined.save()).toEqual(plain.save());
  });

  it("without optimizer or training tells what there is", () => {
    const still = sequential({ input: 4, layers: config.layers });
    expect(still.health().layers.map(({ updateRatio }) => updateRatio)).toEqual([undefined, undefined, undefined]);
    expect(() => still.health(data)).toThrow(expect.objectContaining({ code: "CONFIG" }));
    const predictor = load(sequential(config).save(), { inference: true });
    expect(predictor.health().layers[0].weightNorm).toBeGreaterThan(0);
    expect(() => predictor.health(data)).toThrow(expect.objectContaining({ code: "CONFIG" }));
  });

  it("that learns the digits is well, and prints so", async () => {
    const { train } = readDigits();
    const layers = [dense(32, { activation: "elu" }), dense(10, { activation: "softmax" })];
    const model = sequential({ input: 64, layers, loss: "cross-entropy", optimizer: adam() });
    await model.fit(train, { epochs: 2 });
    const text = String(model.health(train));
    expect(text).toMatch(/^layer +dead +symmetric +weight norm +gradient norm +update\/weight +not finite\n/);
    expect(text).toMatch(/\n0 +0 +0 +[\d.]+ +[\d.e-]+ +0\.00\d+ +0\n/);
    expect(text.endsWith("No findings.")).toBe(true);
  });
});
