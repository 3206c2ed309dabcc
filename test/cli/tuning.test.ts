// What steers a training and measures it: schedules, clipping, smoothing, weights of rows, metrics.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ClassScores, NumberScores } from "../../src/cli/metrics.ts";
import type { Outcome } from "../../src/cli/outcome.ts";
import { load } from "../../src/index.ts";
import { command, folder, json, PENGUINS } from "./support.ts";

const { path, file } = folder();
const species = (epochs: number) => ["train", PENGUINS, "--target", "species", "--epochs", String(epochs), "--quiet"];

/** The learning rate after each epoch, 9 steps of 32 rows, the last one short. */
async function rates(epochs: number, ...args: string[]): Promise<number[]> {
  const outcome = await json<Outcome>([...species(epochs), "--hidden", "4", ...args]);
  return outcome.epochs?.map(({ learningRate }) => learningRate) ?? [];
}

function expectClose(found: readonly number[], wanted: readonly number[]): void {
  expect(found).toHaveLength(wanted.length);
  wanted.forEach((value, i) => {
    expect(Math.abs(found[i] - value)).toBeLessThanOrEqual(1e-12 * value + 1e-18);
  });
}

describe("--schedule", () => {
  it("cosine goes from the optimizer's rate to the final one within the epochs asked for", async () => {
    const cosine = (done: number, from: number, to: number) => to + ((from - to) * (1 + Math.cos(Math.PI * done))) / 2;
    expectClose(
      await rates(4, "--schedule", "cosine"),
      [1, 2, 3, 4].map((epoch) => cosine(epoch / 4, 1e-3, 0)),
    );
    const sgd = await rates(4, "--schedule", "cosine", "--optimizer", "sgd", "--final-learning-rate", "0.001");
    expectClose(
      sgd,
      [1, 2, 3, 4].map((epoch) => cosine(epoch / 4, 1e-2, 1e-3)),
    );
  });

  it("step and exponential multiply by --decay in --decay-every epochs, a third of all by default", async () => {
    const from = ["--learning-rate", "0.1"];
    expectClose(await rates(6, "--schedule", "step", ...from), [0.1, 0.01, 0.01, 0.001, 0.001, 0.0001]);
    expectClose(
      await rates(3, "--schedule", "step", ...from, "--decay", "0.5", "--decay-every", "1"),
      [0.05, 0.025, 0.0125],
    );
    const half = await rates(4, "--schedule", "exponential", ...from, "--decay", "0.5", "--decay-every", "2");
    expectClose(
      half,
      [1, 2, 3, 4].map((epoch) => 0.1 * 0.5 ** (epoch / 2)),
    );
  });

  it("follows --warmup, which grows from 0", async () => {
    expectClose(await rates(4, "--warmup", "2"), [0.0005, 0.001, 0.001, 0.001]);
    expectClose(await rates(4, "--warmup", "2", "--schedule", "cosine"), [0.0005, 0.001, 0.0005, 0]);
    const first = await json<Outcome>([...species(2), "--warmup", "1", "--hidden", "none", "--save", path("warm")]);
    expect(first.epochs?.[0].learningRate).toBe(0.001);
    expect(load(readFileSync(path("warm"))).spec.optimizer?.learningRate).toMatchObject({ kind: "warmup", steps: 9 });
  });

  it("counts steps of each fold's own part", async () => {
    const args = ["--schedule", "cosine", "--folds", "2", "--validation", "0", "--save", path("folds")];
    expect((await command([...species(2), ...args])).code).toBe(0);
    // 344 rows in steps of 32 are 11 an epoch.
    expect(load(readFileSync(path("folds"))).spec.optimizer?.learningRate).toMatchObject({ steps: 22 });
  });

  it("goes on where it was when resumed", async () => {
    const save = path("resumed");
    await json([...species(2), "--schedule", "exponential", "--decay", "0.5", "--decay-every", "1", "--save", save]);
    const more = await json<Outcome>(["train", PENGUINS, "--save", save, "--resume", "--epochs", "4"]);
    expectClose(more.epochs?.map(({ learningRate }) => learningRate) ?? [], [5e-4, 2.5e-4, 1.25e-4, 6.25e-5]);
  });

  it("has its curve in the report", async () => {
    const titles = async (...args: string[]) => {
      await command([...species(2), "--report", path("rates.html"), ...args]);
      const charts = JSON.parse(/const charts = (.*);$/m.exec(readFileSync(path("rates.html"), "utf8"))?.[1] ?? "");
      return charts.map(({ title }: { title: string }) => title);
    };
    expect(await titles("--schedule", "cosine", "--metrics", "f1")).toEqual([
      "Loss",
      "Accuracy",
      "f1",
      "Learning rate",
    ]);
    expect(await titles()).toEqual(["Loss", "Accuracy"]);
  });
});

describe("what the network is given", () => {
  it("has clipping and smoothing", async () => {
    const save = path("clipped");
    const args = ["--clip-norm", "0.5", "--clip-value", "0.25", "--label-smoothing", "0.1", "--save", save];
    expect((await command([...species(1), ...args])).code).toBe(0);
    const { spec } = load(readFileSync(save));
    expect(spec.optimizer).toMatchObject({ kind: "adam", clipNorm: 0.5, clipValue: 0.25 });
    expect(spec.loss).toEqual({ kind: "cross-entropy", labelSmoothing: 0.1 });
  });
});

describe("--sample-weight", () => {
  /** Of x 0 to 3, the odd ones have the target 10 and another weight. */
  const weighted = (heavy: number) =>
    `x,y,w\n${Array.from({ length: 40 }, (_, i) => `${i % 4},${i % 2 ? 10 : 0},${i % 2 ? heavy : 1}`).join("\n")}\n`;

  it("makes rows count for more, and is no input", async () => {
    const save = path("weights");
    const args = ["--target", "y", "--sample-weight", "w", "--task", "regression", "--validation", "0"];
    const training = ["--hidden", "none", "--epochs", "400", "--learning-rate", "0.05", "--batch-size", "40"];
    const data = file("weighted.csv", weighted(3));
    const outcome = await json<Outcome>(["train", data, ...args, ...training, "--save", save]);
    expect(outcome.columns?.map(({ name, role }) => [name, role])).toEqual([
      ["x", "number"],
      ["y", "target"],
      ["w", "weight"],
    ]);
    // The weighted least squares of (0, 0), (1, 10), (2, 0), (3, 10) with weights 1, 3, 1, 3: means 7/4 and 30/4,
    // slope (sum w x y - 8 * 7/4 * 30/4) / (sum w x x - 8 * 49/16) = 15 / 9.5.
    const line = (x: number) => 7.5 + (15 / 9.5) * (x - 1.75);
    const { out } = await command(["predict", save, file("new.csv", "x\n0\n3\n")]);
    const [, first, last] = out.split("\n").map(Number);
    expect(Math.abs(first - line(0))).toBeLessThan(0.01);
    expect(Math.abs(last - line(3))).toBeLessThan(0.01);
    expect((await command(["evaluate", save, data])).code).toBe(0);
  });

  it("is a column of numbers of at least 0, in every row", async () => {
    const args = ["--target", "y", "--sample-weight", "w", "--epochs", "1", "--quiet"];
    for (const [name, wrong, message] of [
      ["negative", "-1", 'expected a weight from 0 to 1000000000000000000 in column "w" at row 3, received -1.'],
      ["missing", "", 'in column "w" at row 3, received none.'],
      ["huge", "1e19", 'in column "w" at row 3, received 10000000000000000000.'],
    ]) {
      const data = file(`${name}.csv`, weighted(1).replace("1,10,1", `1,10,${wrong}`));
      const { code, err } = await command(["train", data, ...args]);
      expect([code, err]).toEqual([1, expect.stringContaining(message)]);
    }
    const text = file("text.csv", weighted(1).replace("1,10,1", "1,10,heavy"));
    expect(await command(["train", text, ...args])).toMatchObject({
      code: 2,
      err: expect.stringContaining('expected --sample-weight to be a column of numbers, "w" is text'),
    });
  });

  it("is the same in the folds and when resumed", async () => {
    const data = file("again.csv", weighted(5));
    const [save, whole] = [path("again"), path("whole")];
    const args = ["train", data, "--target", "y", "--sample-weight", "w"];
    await json([...args, "--epochs", "2", "--save", save]);
    const more = await json<Outcome>(["train", data, "--save", save, "--resume", "--epochs", "4"]);
    const once = await json<Outcome>([
      ...args,
      "--epochs",
      "4",
      "--save",
      whole,
      "--folds",
      "2",
      "--validation",
      "0.2",
    ]);
    expect(more.epochs).toEqual(once.epochs);
  });
});

describe("--metrics", () => {
  it("stand in every epoch, in the scores and in the line of progress", async () => {
    const args = ["train", PENGUINS, "--target", "species", "--epochs", "3", "--metrics", "f1,auc,top-2"];
    const outcome = await json<Outcome>(args);
    const last = outcome.epochs?.at(-1);
    expect(last).toMatchObject({ f1: expect.any(Number), "top-2": expect.any(Number) });
    const { metrics, classes } = outcome.validation as ClassScores & { metrics: Record<string, number> };
    expect(Object.keys(metrics)).toEqual(["f1", "auc", "top-2"]);
    // Of classes that all occur: the mean of the table's column.
    expect(metrics.f1).toBeCloseTo((classes[0].f1 + classes[1].f1 + classes[2].f1) / 3, 12);
    expect(last?.validationF1).toBeCloseTo(metrics.f1, 12);
    const { out, err } = await command(args);
    expect(err).toMatch(/^epoch 3\/3 .* {2}f1 \d\.\d{4} .*validation f1 \d\.\d{4} {2}validation auc \d\.\d{4}/m);
    expect(out).toMatch(/^f1 0\.\d+ auc (0\.\d+|1) top-2 (0\.\d+|1)$/m);
  });

  it("of numbers are in the target's units", async () => {
    const args = ["train", PENGUINS, "--target", "body_mass_g", "--epochs", "5", "--metrics", "mae,r2"];
    const outcome = await json<Outcome>([...args, "--save", path("mass")]);
    const { metrics, meanAbsoluteError, r2 } = outcome.validation as NumberScores & { metrics: Record<string, number> };
    expect(Math.abs(metrics.mae / meanAbsoluteError - 1)).toBeLessThan(1e-5);
    expect(Math.abs(metrics.r2 - r2)).toBeLessThan(1e-5);
    expect(outcome.epochs?.at(-1)?.validationMae).toBe(metrics.mae);
    expect(outcome.epochs?.[0].mae).toBeGreaterThan(100);
  });

  it("are the folds' and their means", async () => {
    const args = ["--folds", "3", "--metrics", "auc", "--validation", "0"];
    const { crossValidation } = await json<Outcome>([...species(4), ...args]);
    const each = crossValidation?.folds.map(({ metrics }) => metrics?.auc ?? Number.NaN) ?? [];
    expect(each).toHaveLength(3);
    expect(crossValidation?.together.metrics?.auc).toBeCloseTo((each[0] + each[1] + each[2]) / 3, 12);
    const { out } = await command([...species(4), ...args]);
    expect(out).toMatch(/^fold 1: accuracy \d\.\d{4} {2}auc \S+$/m);
  });

  it("of evaluate are the model's, or those asked for", async () => {
    const save = path("measured");
    await json([...species(20), "--metrics", "f1", "--save", save]);
    type Evaluated = ClassScores & { metrics: Record<string, number> };
    const own = await json<Evaluated>(["evaluate", save, PENGUINS]);
    expect(Object.keys(own.metrics)).toEqual(["f1"]);
    const asked = await json<Evaluated>(["evaluate", save, PENGUINS, "--metrics", "accuracy,recall,auc,top-3"]);
    expect(asked.metrics.accuracy).toBe(asked.accuracy);
    const { classes } = asked;
    expect(asked.metrics.recall).toBeCloseTo((classes[0].recall + classes[1].recall + classes[2].recall) / 3, 12);
    expect(asked.metrics["top-3"]).toBe(1);
    expect(asked.metrics.auc).toBeGreaterThan(0.9);
    expect((await command(["evaluate", save, PENGUINS])).out).toMatch(/^f1 0\.\d+$/m);
  });
});

describe("what does not go together", () => {
  it.each<[string[], string]>([
    [["--schedule", "linear"], "--schedule to be one of constant, cosine, step, exponential"],
    [["--decay", "0.5"], "expected --schedule step or exponential with --decay."],
    [["--schedule", "cosine", "--decay-every", "3"], "expected --schedule step or exponential with --decay-every."],
    [["--schedule", "step", "--final-learning-rate", "0"], "expected --schedule cosine with --final-learning-rate."],
    [["--warmup", "1"], "expected --warmup of less than the 1 of --epochs, received 1."],
    [["--schedule", "step", "--decay", "0"], "expected --decay to be a number above 0"],
    [["--clip-norm", "0"], "expected --clip-norm to be a number above 0"],
    [["--clip-value", "1e39"], "expected --clip-value to be a number above 0"],
    [["--label-smoothing", "1.5"], "expected --label-smoothing to be a number from 0 to 1"],
    [
      ["--label-smoothing", "0.1", "--target", "sex"],
      "three classes or more with --label-smoothing, the target has two",
    ],
    [["--label-smoothing", "0.1", "--target", "body_mass_g"], "--label-smoothing, the target is a number"],
    [["--sample-weight", "nothing"], 'expected --sample-weight to name a column, found no "nothing".'],
    [["--sample-weight", "species"], 'expected --sample-weight to name no target, received "species".'],
    [["--ignore", "species"], 'expected --ignore to name no target, received "species".'],
    [["--metrics", "f2"], 'top-2 (top-3, ...), mae, r2, received "f2"'],
    [["--metrics", "top-0"], 'received "top-0"'],
    [["--metrics", "mae"], "expected --metrics that fit the target, which is 3 classes, received mae."],
    [["--metrics", "top-4"], "which is 3 classes, received top-4."],
    [["--metrics", "top-2", "--target", "sex"], "which is 2 classes, received top-2."],
    [["--metrics", "auc", "--target", "body_mass_g"], "which is a number, received auc."],
  ])("%j", async (args, message) => {
    const target = args.includes("--target") ? [] : ["--target", "species"];
    const { code, err } = await command(["train", PENGUINS, "--missing", ".", "--epochs", "1", ...target, ...args]);
    expect([code, err.split("\n")[0]]).toEqual([2, expect.stringContaining(message)]);
  });
});
