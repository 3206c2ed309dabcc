// Metrics by name: against scikit-learn's (goldens/make_metrics.py), and how training reports, stops by and resumes them.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  type Activation,
  adam,
  confusionMatrix,
  dense,
  type EpochReport,
  type FitOptions,
  type Loss,
  load,
  type MetricName,
  type SequentialConfig,
  sequential,
  sgd,
} from "../../src/index.ts";
import { randomSource } from "../support/random.ts";

interface Golden {
  name: string;
  kind: "classes" | "probabilities" | "values";
  outputs: number;
  z: number[];
  y: number[];
  weights: number[] | null;
  expected: Record<string, number>;
  confusion: number[][] | null;
}

const goldens: Golden[] = JSON.parse(readFileSync(new URL("../goldens/metrics.json", import.meta.url), "utf8"));
const HEADS: Record<Golden["kind"], [Activation, Loss]> = {
  classes: ["softmax", "cross-entropy"],
  probabilities: ["sigmoid", "binary-cross-entropy"],
  values: ["linear", "mean-squared-error"],
};

/** A model whose logits are its inputs. */
function identity({ kind, outputs, expected }: Golden, more: Partial<SequentialConfig> = {}) {
  const [activation, loss] = HEADS[kind];
  const model = sequential({
    input: outputs,
    layers: [dense(outputs, { activation, useBias: false })],
    loss,
    optimizer: sgd({ learningRate: 0 }),
    metrics: Object.keys(expected) as MetricName[],
    maxBatch: 7,
    ...more,
  });
  model.setWeights(Float32Array.from({ length: outputs ** 2 }, (_, i) => (i % (outputs + 1) === 0 ? 1 : 0)));
  return model;
}

function dataOf({ kind, z, y, weights }: Golden) {
  return {
    x: Float32Array.from(z, (value) => value / 64),
    y:
      kind === "classes"
        ? Int32Array.from(y)
        : Float32Array.from(y, (value) => (kind === "values" ? value / 64 : value)),
    ...(weights ? { sampleWeight: weights } : {}),
  };
}

/** Sums in f64 of a hundred terms of one sign, and a difference. */
const DIGITS = 11;

it("accuracy counts rows whatever they weigh; top-1 weighs them", () => {
  const names = { "top-1": 0 };
  const golden: Golden = {
    name: "weights",
    kind: "classes",
    outputs: 2,
    z: [],
    y: [],
    weights: null,
    expected: names,
    confusion: null,
  };
  const x = [[1, 0], [1, 0], [1, 0], [0, 1]]; // biome-ignore format: rows
  const found = identity(golden).evaluate({ x, y: [0, 0, 1, 1], sampleWeight: [1, 2, 4, 1] });
  expect(found).toMatchObject({ accuracy: 3 / 4, "top-1": 4 / 8 });
});

describe("as scikit-learn's", () => {
  it.each(goldens.map((golden) => [golden.name, golden] as const))("%s", async (_, golden) => {
    const { expected, kind, outputs } = golden;
    const model = identity(golden);
    const data = dataOf(golden);
    const found = model.evaluate(data);
    for (const [name, value] of Object.entries(expected))
      expect(found[name as MetricName], name).toBeCloseTo(value, DIGITS);
    expect(Object.keys(found).sort()).toEqual(
      ["loss", ...(kind === "values" ? [] : ["accuracy"]), ...Object.keys(expected)].sort(),
    );
    if (kind === "classes") {
      const rows = Float32Array.from({ length: data.y.length * outputs }, (_, i) =>
        data.y[Math.floor(i / outputs)] === i % outputs ? 1 : 0,
      );
      expect(model.evaluate({ ...data, y: rows }), "one-hot").toEqual({ ...found, loss: expect.any(Number) });
    }
  });

  it.each(goldens.map((golden) => [golden.name, golden] as const))(
    "in training and validation: %s",
    async (_, golden) => {
      const data = dataOf(golden);
      const model = identity(golden);
      // The rate is 0: every batch sees the same model. Class weights are the loss's alone.
      const classWeight = golden.kind === "classes" ? { classWeight: { 0: 3 } } : {};
      const options: FitOptions = { batchSize: 8, validation: data, ...classWeight };
      const [report] = (await model.fit(data, options)).epochs;
      for (const [name, value] of Object.entries(golden.expected)) {
        const validated = `validation${name[0].toUpperCase()}${name.slice(1)}` as keyof EpochReport;
        expect(report[validated], validated).toBeCloseTo(value, DIGITS);
        if (name === "auc") expect(report).not.toHaveProperty(name);
        else expect(report[name as MetricName], name).toBeCloseTo(value, DIGITS);
      }
    },
  );

  it("cover every name", () => {
    const names = new Set(goldens.flatMap(({ expected }) => Object.keys(expected)));
    expect([...names].sort()).toEqual(["auc", "f1", "mae", "precision", "r2", "recall", "top-2"]);
  });

  it("confusion matrices", () => {
    for (const golden of goldens.filter(({ confusion }) => confusion)) {
      const matrix = confusionMatrix(identity(golden), dataOf(golden));
      expect(matrix.counts, golden.name).toEqual(golden.confusion);
      expect(String(matrix)).toMatch(/class +as 0 +as 1/);
    }
    for (const { kind, ...golden } of goldens.filter(({ confusion }) => !confusion)) {
      expect(() => confusionMatrix(identity({ kind, ...golden }), dataOf({ kind, ...golden }))).toThrow(
        expect.objectContaining({ code: "CONFIG" }),
      );
    }
  });
});

describe("small print", () => {
  it("top-1 is accuracy, also among equal outputs", () => {
    const golden = { ...goldens[2], expected: { "top-1": 0, "top-5": 0 } };
    const model = identity(golden);
    const data = dataOf(golden);
    // Rows of equal logits, too.
    data.x.fill(0.25, 0, 100);
    const { accuracy, ...found } = model.evaluate(data);
    expect(found["top-1"]).toBeCloseTo(accuracy as number, 12);
    expect(found["top-5"]).toBe(1);
  });

  it("auc of logits that overflow takes infinities as they are ordered, and is not a number where one is none", () => {
    const auc = (activation: "sigmoid" | "softmax", second: number) => {
      const units = activation === "sigmoid" ? 1 : 2;
      const loss = HEADS[units === 1 ? "probabilities" : "classes"][1];
      const model = sequential({ input: 2, layers: [dense(units, { activation })], loss, metrics: ["auc"] });
      model.setWeights({ "0.kernel": units === 1 ? [2, second] : [-2, 2, -second, second] });
      return model.evaluate({
        x: [
          [3e38, 3e38],
          [1, 1],
          [-3e38, 0],
        ],
        y: [1, 1, 0],
      }).auc;
    };
    expect([auc("sigmoid", 2), auc("softmax", 2)]).toEqual([1, 1]);
    expect([auc("sigmoid", -2), auc("softmax", -2)]).toEqual([Number.NaN, Number.NaN]);
  });

  it("accuracy alone keeps no sums: a kernel counts it", async () => {
    const model = identity({ ...goldens[0], expected: { accuracy: 0 } });
    const sums: boolean[] = [];
    await model.fit(dataOf(goldens[0]), { onBatch: () => sums.push(Buffer.from(model.save()).includes("tally")) });
    expect(new Set(sums)).toEqual(new Set([false]));
  });

  it("auc of rows of one kind is not a number, r2 of constants as scikit-learn has it", () => {
    const one = { ...goldens[5], expected: { auc: 0 } };
    expect(identity(one).evaluate({ x: [[1], [2]], y: [1, 1] }).auc).toBeNaN();
    const value = identity({ ...goldens[9], expected: { r2: 0 } });
    expect(value.evaluate({ x: [[1], [2]], y: [1, 1] }).r2).toBe(0);
    expect(value.evaluate({ x: [[1], [1]], y: [1, 1] }).r2).toBe(1);
  });

  it("names stand in the spec and the file, top-k as data is a name", () => {
    const model = identity(goldens[2], { metrics: [{ kind: "top-k", k: 3 }, "f1", "f1"] });
    expect(model.spec.metrics).toEqual(["top-3", "f1"]);
    const same = load(model.save(), { maxBatch: 7 });
    expect(same.spec).toEqual(model.spec);
    const data = dataOf(goldens[2]);
    expect(same.evaluate(data)).toEqual(model.evaluate(data));
    expect(load(model.save(), { inference: true, maxBatch: 7 }).evaluate(data)).toEqual(model.evaluate(data));
  });
});

describe("training by metrics", () => {
  const random = randomSource(71);
  const config: SequentialConfig = {
    input: 4,
    layers: [dense(16, { activation: "relu" }), dense(3, { activation: "softmax" })],
    loss: "cross-entropy",
    optimizer: adam({ learningRate: 0.05 }),
    metrics: ["f1", "top-2", "auc", "recall"],
  };
  const x = random.floats(96 * 4);
  const y = Int32Array.from({ length: 96 }, () => random.integer(3));
  const validation = { x: random.floats(40 * 4), y: Int32Array.from({ length: 40 }, () => random.integer(3)) };

  for (const monitor of ["validationF1", "validationAuc", "f1", "validationTop-2"] as const) {
    it(`early stopping watches ${monitor} rise`, async () => {
      const options: FitOptions = { epochs: 60, validation, earlyStopping: { monitor, patience: 4 } };
      const model = sequential(config);
      const history = await model.fit({ x, y }, options);
      let best = Number.NEGATIVE_INFINITY;
      let bestEpoch = 0;
      for (const report of history.epochs) {
        if ((report[monitor] as number) > best) [best, bestEpoch] = [report[monitor] as number, report.epoch];
      }
      expect(history.bestEpoch).toBe(bestEpoch);
      expect(history.epochs).toHaveLength(Math.min(60, bestEpoch + 4));
      if (monitor === "validationAuc") expect(model.evaluate(validation).auc).toBe(best);
    });
  }

  it("mean errors are to fall", async () => {
    const regression: SequentialConfig = { ...config, layers: [dense(8, { activation: "tanh" }), dense(1)] };
    const model = sequential({ ...regression, loss: "mean-squared-error", metrics: ["mae", "r2"] });
    const data = { x, y: random.floats(96) };
    const earlyStopping = { monitor: "mae", patience: 3 } as const;
    const { epochs, bestEpoch } = await model.fit(data, { epochs: 40, earlyStopping });
    const errors = epochs.map(({ mae }) => mae as number);
    expect(bestEpoch).toBe(1 + errors.indexOf(Math.min(...errors)));
    expect(bestEpoch).toBeGreaterThan(1);
  });

  it("an interrupted run goes on with the same reports and bytes", async () => {
    const options: FitOptions = { epochs: 4, batchSize: 8, validation, earlyStopping: { monitor: "f1", patience: 9 } };
    const whole = sequential(config);
    const { epochs } = await whole.fit({ x, y }, options);
    const first = sequential(config);
    let bytes: Uint8Array = new Uint8Array(0);
    const onBatch: FitOptions["onBatch"] = ({ step }) => {
      if (step === 17) bytes = first.save();
    };
    await first.fit({ x, y }, { ...options, onBatch });
    const second = load(bytes);
    const rest = await second.fit({ x, y }, { ...options, resume: true });
    const timeless = (reports: EpochReport[]) => reports.map((report) => ({ ...report, rowsPerSecond: 0 }));
    expect(timeless(rest.epochs)).toEqual(timeless(epochs.slice(1)));
    expect(second.save()).toEqual(whole.save());
  });

  it("a step that failed counts nothing: the run goes on with a smaller rate", async () => {
    const still: SequentialConfig = { ...config, optimizer: sgd({ learningRate: 0 }), metrics: ["top-2"] };
    const options: FitOptions = { batchSize: 8 };
    const [expected] = (await sequential(still).fit({ x, y }, options)).epochs;
    const model = sequential(still);
    const onBatch = ({ step }: { step: number }) => {
      if (step === 3) model.learningRate = 1e39;
    };
    await expect(model.fit({ x, y }, { ...options, onBatch })).rejects.toMatchObject({ code: "NUMERIC" });
    model.learningRate = 0;
    const [report] = (await model.fit({ x, y }, { ...options, resume: true })).epochs;
    expect({ ...report, rowsPerSecond: 0 }).toEqual({ ...expected, rowsPerSecond: 0 });
  });

  for (const [monitor, message] of [
    ["auc", /"auc"/],
    ["validationPrecision", /validationF1.*"validationPrecision"/],
    ["validationLoss", /one of loss, accuracy, f1/],
  ] as const) {
    it(`monitoring ${monitor} where it is not measured is CONFIG`, () => {
      const earlyStopping = { monitor, patience: 1 };
      const options = monitor === "validationLoss" ? { earlyStopping } : { earlyStopping, validation };
      expect(() => sequential(config).train({ x, y }, options)).toThrow(
        expect.objectContaining({ code: "CONFIG", message: expect.stringMatching(message) }),
      );
    });
  }
});
