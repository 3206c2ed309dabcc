// Why zeros fail: hidden units that start equal stay equal. And how the usual initializers break it.
import { describe, expect, it } from "vitest";
import {
  type Activation,
  type ActivationName,
  activation,
  batchNorm,
  concat,
  type DenseSpec,
  dense,
  dropout,
  type Initializer,
  layerNorm,
  type Model,
  type Parameter,
  residual,
  type SequentialConfig,
  sequential,
  sgd,
} from "../../src/index.ts";
import { readDigits } from "../support/digits.ts";

const { train } = readDigits();

function hiddenModel(activation: Activation, kernelInit: Initializer): Model {
  return sequential({
    input: 64,
    layers: [
      dense(19, { activation, kernelInit }),
      dense(11, { activation, kernelInit }),
      dense(10, { activation: "softmax", kernelInit }),
    ],
    loss: "cross-entropy",
    optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }),
    seed: 3,
  });
}

/** How many different columns a kernel [in, units] has, by their bits. */
function distinctColumns({ value, shape: [inputs, units] }: Parameter): number {
  const words = new Uint32Array(value.slice().buffer);
  const columns = Array.from({ length: units }, (_, j) =>
    Array.from({ length: inputs }, (_, i) => words[i * units + j]).join(),
  );
  return new Set(columns).size;
}

const kernel = (model: Model, name: string): Parameter => model.parameters.find((p) => p.name === name) as Parameter;

describe("symmetry", () => {
  const symmetric: [Activation, Initializer][] = [
    ["sigmoid", "zeros"],
    ["relu", { kind: "constant", value: 0.1 }],
    ["tanh", { kind: "constant", value: 0.1 }],
  ];
  for (const [activation, init] of symmetric) {
    it(`${activation} from ${JSON.stringify(init)}: weights change, hidden columns stay bit-identical`, async () => {
      const model = hiddenModel(activation, init);
      const before = model.weights.slice();
      for await (const _ of model.train(train, { epochs: 3 })) {
        expect(distinctColumns(kernel(model, "0.kernel"))).toBe(1);
        expect(distinctColumns(kernel(model, "1.kernel"))).toBe(1);
      }
      expect(kernel(model, "0.kernel").value).not.toEqual(before.subarray(0, 64 * 19));
      expect(kernel(model, "2.kernel").value.some((weight) => weight !== 0 && weight !== Math.fround(0.1))).toBe(true);
    });
  }

  it("relu from zeros: nothing moves but the last bias", async () => {
    const model = hiddenModel("relu", "zeros");
    await model.fit(train, { epochs: 3 });
    for (const { name, value } of model.parameters) {
      expect(
        value.some((weight) => weight !== 0),
        name,
      ).toBe(name === "2.bias");
    }
  });

  for (const init of [
    "he-normal",
    "he-uniform",
    "glorot-normal",
    "glorot-uniform",
    "lecun-normal",
    "orthogonal",
  ] as const) {
    it(`${init} breaks it`, async () => {
      const model = hiddenModel("relu", init);
      expect(distinctColumns(kernel(model, "0.kernel"))).toBe(19);
      await model.fit(train, { epochs: 1 });
      expect(distinctColumns(kernel(model, "1.kernel"))).toBe(11);
    });
  }
});

describe("initializers", () => {
  const [inputs, units] = [300, 200];
  const variances: [Initializer, number][] = [
    ["glorot-uniform", 2 / (inputs + units)],
    ["glorot-normal", 2 / (inputs + units)],
    ["he-uniform", 2 / inputs],
    ["he-normal", 2 / inputs],
    ["lecun-normal", 1 / inputs],
    [{ kind: "uniform", low: -1, high: 2 }, 0.75],
    [{ kind: "normal", mean: 0, std: 0.3 }, 0.09],
  ];
  for (const [init, variance] of variances) {
    it(`${JSON.stringify(init)} has the variance of its formula`, () => {
      const model = sequential({ input: inputs, layers: [dense(units, { kernelInit: init })], seed: 11 });
      const { value } = kernel(model, "0.kernel");
      const n = value.length;
      const mean = value.reduce((sum, weight) => sum + weight, 0) / n;
      const found = value.reduce((sum, weight) => sum + (weight - mean) ** 2, 0) / n;
      // The variance of a sample variance is at most 2 s^4 / n (normal): five standard deviations.
      expect(Math.abs(found / variance - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
      const expected = typeof init === "object" && init.kind === "uniform" ? 0.5 : 0;
      expect(Math.abs(mean - expected)).toBeLessThan(5 * Math.sqrt(variance / n));
    });
  }

  it("uniform stays within its bounds, normal is not truncated", () => {
    const uniform = kernel(
      sequential({ input: inputs, layers: [dense(units, { kernelInit: "he-uniform" })] }),
      "0.kernel",
    );
    const limit = Math.sqrt(6 / inputs);
    expect(Math.max(...uniform.value.map(Math.abs))).toBeLessThanOrEqual(Math.fround(limit));
    const normal = kernel(
      sequential({ input: inputs, layers: [dense(units, { kernelInit: "he-normal" })] }),
      "0.kernel",
    );
    expect(Math.max(...normal.value.map(Math.abs))).toBeGreaterThan(3.5 * Math.sqrt(2 / inputs));
  });

  it("defaults follow the activation, also one that stands alone", () => {
    const std = (model: Model) => Math.sqrt(kernel(model, "0.kernel").value.reduce((sum, w) => sum + w * w, 0) / 60000);
    const he = Math.sqrt(2 / inputs);
    const glorot = Math.sqrt(2 / (inputs + units));
    const lecun = Math.sqrt(1 / inputs);
    const expected: [ActivationName, number][] = [
      ["relu", he],
      ["leaky-relu", he],
      ["elu", he],
      ["gelu", he],
      ["silu", he],
      ["softplus", he],
      ["selu", lecun],
      ["tanh", glorot],
      ["sigmoid", glorot],
      ["linear", glorot],
    ];
    for (const [name, value] of expected) {
      const inside = sequential({ input: inputs, layers: [dense(units, { activation: name })] });
      const apart = sequential({ input: inputs, layers: [dense(units), { kind: "activation", activation: name }] });
      expect(std(inside), name).toBeCloseTo(value, 2);
      expect(std(inside) / value, name).toBeCloseTo(1, 1);
      expect(apart.weights, name).toEqual(inside.weights);
    }
  });

  it("defaults look through dropout and norms, and through nothing else", () => {
    const initOf = (layers: SequentialConfig["layers"]) => {
      const { spec } = sequential({ input: 4, layers });
      return (spec.layers[0] as DenseSpec).kernelInit;
    };
    for (const between of [[dropout(0.1)], [layerNorm()], [batchNorm()], [batchNorm(), dropout(0.1), layerNorm()]]) {
      expect(initOf([dense(4), ...between, activation("relu")])).toBe("he-normal");
      expect(initOf([dense(4), ...between, activation("selu")])).toBe("lecun-normal");
      expect(initOf([dense(4), ...between, activation("tanh")])).toBe("glorot-uniform");
      expect(initOf([dense(4), ...between, dense(4), activation("relu")])).toBe("glorot-uniform");
      expect(initOf([dense(4, { activation: "tanh" }), ...between, activation("relu")])).toBe("glorot-uniform");
      expect(initOf([dense(4), ...between])).toBe("glorot-uniform");
    }
    expect(initOf([dense(4), residual([dense(4)]), activation("relu")])).toBe("glorot-uniform");
    expect(initOf([dense(4), concat([[]]), activation("relu")])).toBe("glorot-uniform");
  });

  it("orthogonal columns are orthonormal, or rows where there are fewer of them", () => {
    for (const [rows, columns] of [
      [40, 23],
      [23, 40],
      [16, 16],
    ] as const) {
      const model = sequential({ input: rows, layers: [dense(columns, { kernelInit: "orthogonal" })] });
      const { value } = kernel(model, "0.kernel");
      const at = (i: number, j: number) => (rows >= columns ? value[j * columns + i] : value[i * columns + j]);
      const [count, length] = rows >= columns ? [columns, rows] : [rows, columns];
      for (let a = 0; a < count; a++) {
        for (let b = 0; b <= a; b++) {
          let dot = 0;
          for (let j = 0; j < length; j++) dot += at(a, j) * at(b, j);
          expect(Math.abs(dot - (a === b ? 1 : 0))).toBeLessThan(length * 2 ** -23);
        }
      }
    }
  });
});
