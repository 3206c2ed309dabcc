// `predict`, `evaluate`, `inspect`, `demo` and the report, on models that `train` saved.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { type ClassScores, type NumberScores, scoreClasses, scoreNumbers } from "../../src/cli/metrics.ts";
import type { Outcome } from "../../src/cli/outcome.ts";
import { apply, csv, decode, parsePreprocessing } from "../../src/data.ts";
import { dense, type HealthReport, load, sequential } from "../../src/index.ts";
import { command, folder, json, PENGUINS } from "./support.ts";

const { path, file } = folder();
const SPECIES = path("species.safetensors");
const SEX = path("sex.safetensors");
const MASS = path("mass.safetensors");

beforeAll(async () => {
  const train = (target: string, save: string, ...args: string[]) =>
    command(["train", PENGUINS, "--target", target, "--save", save, "--epochs", "20", "--hidden", "16", ...args]);
  expect((await train("species", SPECIES)).code).toBe(0);
  expect((await train("sex", SEX, "--missing", ".")).code).toBe(0);
  expect((await train("body_mass_g", MASS)).code).toBe(0);
});

/** What the library itself says. */
function byHand(modelPath: string) {
  const model = load(readFileSync(modelPath));
  const preprocessing = parsePreprocessing(model.metadata.preprocessing);
  const penguins = csv(readFileSync(PENGUINS));
  const outputs = model.predict(apply(preprocessing, { ...penguins }).x);
  return { penguins, preprocessing, outputs, decoded: decode(preprocessing, outputs) };
}

const text = ({ rows, columns }: ReturnType<typeof csv>) =>
  Array.from({ length: rows }, (_, i) => columns.map(({ values }) => values[i]));

describe("predict", () => {
  it("gives the model's classes, and the probabilities", async () => {
    const { outputs, decoded } = byHand(SPECIES);
    const plain = await command(["predict", SPECIES, PENGUINS]);
    expect(plain).toMatchObject({ code: 0, err: "" });
    expect(plain.out).toBe(`prediction\n${(decoded as string[]).join("\n")}\n`);
    const { out } = await command(["predict", SPECIES, PENGUINS, "--probabilities", "--with", "island,species"]);
    const table = csv(out);
    expect(table.columns.map(({ name }) => name)).toEqual([
      "island",
      "species",
      "prediction",
      "probability_Adelie",
      "probability_Chinstrap",
      "probability_Gentoo",
    ]);
    text(table).forEach((row, i) => {
      row.slice(3).forEach((value, j) => {
        expect(Math.abs((value as number) - outputs[3 * i + j])).toBeLessThan(1e-6 * outputs[3 * i + j] + 1e-30);
      });
    });
  });

  it("gives both probabilities of two classes", async () => {
    const { out } = await command(["predict", SEX, PENGUINS, "-p"]);
    const rows = text(csv(out)) as [string, number, number][];
    expect(rows).toHaveLength(344);
    for (const [prediction, female, male] of rows) {
      expect(Math.abs(female + male - 1)).toBeLessThan(1e-6);
      expect(prediction).toBe(male > 0.5 ? "MALE" : "FEMALE");
    }
  });

  it("gives numbers in the target's units, to a file", async () => {
    const output = path("mass.csv");
    expect(await command(["predict", MASS, PENGUINS, "--output", output])).toMatchObject({ code: 0, out: "" });
    const [mass] = csv(readFileSync(output)).columns;
    const truth = csv(readFileSync(PENGUINS)).columns[5];
    const { meanAbsoluteError } = scoreNumbers(
      Array.from(truth.values as Float64Array).filter((value) => !Number.isNaN(value)),
      Array.from(mass.values as Float64Array).filter((_, i) => !Number.isNaN(truth.values[i])),
    );
    // The weights' standard deviation is 802 g.
    expect(meanAbsoluteError).toBeLessThan(400);
  });

  it("needs no target and no other column, in any order", async () => {
    const { penguins, decoded } = byHand(SPECIES);
    const order = [6, 2, 4, 3, 5, 1];
    const lines = text(penguins).map((row) => order.map((j) => (Number.isNaN(row[j]) ? "" : (row[j] ?? ""))).join(","));
    const names = order.map((j) => penguins.columns[j].name);
    const { out } = await command(["predict", SPECIES, file("bare.csv", `${names.join(",")}\n${lines.join("\n")}\n`)]);
    expect(out).toBe(`prediction\n${(decoded as string[]).join("\n")}\n`);
  });

  it("reads a long file in pieces", async () => {
    const [header, ...rows] = readFileSync(PENGUINS, "utf8").trim().split("\n");
    const long = file("long.csv", `${[header, ...Array.from({ length: 30 }, () => rows).flat()].join("\n")}\n`);
    const { out } = await command(["predict", SPECIES, long]);
    const { decoded } = byHand(SPECIES);
    expect(out).toBe(
      `prediction\n${Array.from({ length: 30 }, () => decoded as string[])
        .flat()
        .join("\n")}\n`,
    );
  });

  it("says what is wrong with the data, and gets over unknown categories when asked", async () => {
    const header = "island,beak_length_mm,beak_depth_mm,flipper_length_mm,body_mass_g,sex";
    const unknown = file("unknown.csv", `${header}\nAtlantis,39,18,181,3750,MALE\n`);
    expect(await command(["predict", SPECIES, unknown])).toMatchObject({
      code: 1,
      err: expect.stringContaining('"island" at row 2, received "Atlantis"'),
    });
    expect(await command(["predict", SPECIES, unknown, "--unknown", "zeros"])).toMatchObject({ code: 0 });
    const lacking = await command(["predict", SPECIES, file("lacking.csv", "island,sex\nDream,MALE\n")]);
    expect(lacking).toMatchObject({ code: 1, err: expect.stringContaining('expected a column "beak_length_mm"') });
    const wrong = await command(["predict", SPECIES, file("wrong.csv", `${header}\nDream,39,18,x,3750,MALE\n`)]);
    expect(wrong.err).toContain('column "flipper_length_mm" at row 2, received "x"');
    expect((await command(["predict", MASS, PENGUINS, "-p"])).code).toBe(2);
    expect((await command(["predict", SPECIES, PENGUINS, "-o", path("no/where.csv")])).err).toContain(
      "no such file or folder",
    );
    expect((await command(["predict", SPECIES, "nowhere.csv"])).err).toContain("nowhere.csv: no such file");
  });

  it("leaves an old output alone when there is nothing to predict", async () => {
    const output = file("old.csv", "prediction\nAdelie\n");
    for (const wrong of ["nowhere.csv", file("binary.csv", Uint8Array.of(0xff, 0xfe, 0)), file("empty.csv", "")]) {
      expect((await command(["predict", SPECIES, wrong, "--output", output])).code).toBe(1);
      expect(readFileSync(output, "utf8")).toBe("prediction\nAdelie\n");
    }
    const heading = readFileSync(PENGUINS, "utf8").split("\n")[0];
    expect((await command(["predict", SPECIES, file("none.csv", heading), "--output", output])).code).toBe(0);
    expect(readFileSync(output, "utf8")).toBe("prediction\n");
  });

  it("refuses a model that train did not save", async () => {
    const other = file("other.safetensors", sequential({ input: 2, layers: [dense(1)] }).save());
    expect(await command(["predict", other, PENGUINS])).toMatchObject({
      code: 1,
      err: expect.stringContaining("preprocessing"),
    });
    expect((await command(["inspect", other])).out).toContain("dense");
  });
});

describe("evaluate", () => {
  it("counts what is right, by class", async () => {
    const { decoded, penguins } = byHand(SPECIES);
    const truths = penguins.columns[0].values as string[];
    const scores = await json<ClassScores & { rows: number }>(["evaluate", SPECIES, PENGUINS]);
    const right = truths.filter((truth, i) => truth === decoded[i]).length;
    expect(scores.accuracy).toBeCloseTo(right / 344, 12);
    expect(scores.rows).toBe(344);
    const { out } = await command(["evaluate", SPECIES, PENGUINS]);
    expect(out).toContain(`accuracy ${(right / 344).toFixed(4)}`);
    expect(out).toMatch(/^Gentoo +\d\.\d{4} +\d\.\d{4} +\d\.\d{4} +124$/m);
    expect(out).toMatch(/^ +Adelie +Chinstrap +Gentoo$/m);
  });

  it("measures errors of numbers, and leaves out rows without one", async () => {
    const scores = await json<NumberScores & { rows: number }>(["evaluate", MASS, PENGUINS]);
    expect(scores.rows).toBe(342);
    expect(scores.r2).toBeGreaterThan(0.6);
    const { out } = await command(["evaluate", MASS, PENGUINS]);
    expect(out).toContain("2 rows without it left out");
    expect(out).toMatch(/^R2 +0\.\d{4}$/m);
  });

  it("has the definitions of the field", () => {
    // Of 4 a: 3 found; of 2 b: 1 found, one taken for a; of 1 c: none found, and none is ever called so.
    const { accuracy, classes, confusion } = scoreClasses(
      [0, 0, 0, 0, 1, 1, 2],
      [0, 0, 0, 1, 1, 0, 1],
      ["a", "b", "c"],
    );
    expect(accuracy).toBeCloseTo(4 / 7, 12);
    expect(confusion).toEqual([
      [3, 1, 0],
      [1, 1, 0],
      [0, 1, 0],
    ]);
    expect(classes[0]).toEqual({ name: "a", precision: 3 / 4, recall: 3 / 4, f1: 3 / 4, rows: 4 });
    expect(classes[1]).toEqual({ name: "b", precision: 1 / 3, recall: 1 / 2, f1: 2 / 5, rows: 2 });
    expect(classes[2]).toEqual({ name: "c", precision: 0, recall: 0, f1: 0, rows: 1 });
    expect(scoreNumbers([1, 2, 3, 6], [1, 3, 3, 4])).toEqual({
      meanAbsoluteError: 3 / 4,
      rootMeanSquaredError: Math.sqrt(5 / 4),
      r2: 1 - 5 / 14,
    });
  });
});

describe("many classes", () => {
  /** `classes` of them, in turn, named so that their order is their index. */
  const many = (classes: number, rows: number, name = "c") => {
    const lines = Array.from({ length: rows }, (_, i) => `${i % 7},${name}${String(1000 + (i % classes))}`);
    return file(`many-${classes}.csv`, `x,y\n${lines.join("\n")}\n`);
  };
  const train = (data: string, ...args: string[]) => [
    "train",
    data,
    "--target",
    "y",
    "--epochs",
    "1",
    "--hidden",
    "none",
    "--quiet",
    ...args,
  ];

  it("have their most frequent mistakes told, in classes and rows", () => {
    const names = Array.from({ length: 14_000 }, (_, i) => `n${i}`);
    const { accuracy, classes, ...rest } = scoreClasses([0, 0, 0, 13_999, 5, 7], [1, 1, 0, 13_998, 5, 3], names);
    expect(accuracy).toBeCloseTo(1 / 3, 12);
    expect(classes[0]).toEqual({ name: "n0", precision: 1, recall: 1 / 3, f1: 1 / 2, rows: 3 });
    expect(rest).toEqual({
      confusions: [
        { actual: "n0", predicted: "n1", count: 2 },
        { actual: "n7", predicted: "n3", count: 1 },
        { actual: "n13999", predicted: "n13998", count: 1 },
      ],
    });
  });

  it.each([20, 21, 400])("%i of them take few lines and short ones", async (classes) => {
    const report = path("many.html");
    const { code, out } = await command(train(many(classes, 5 * classes, "a rather long name "), "--report", report));
    expect(code).toBe(0);
    const lines = out.split("\n");
    expect(lines.length).toBeLessThan(80);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(180);
    expect(out.includes("rows are what is true")).toBe(classes === 20);
    expect(out.includes(`the 20 of ${classes} classes with most mistakes (--json has all)`)).toBe(classes > 20);
    expect(/^actual +predicted +count$/m.test(out)).toBe(classes > 20);
    const page = readFileSync(report, "utf8");
    expect(page.includes("<p>Rows are what is true")).toBe(classes === 20);
    expect(page.includes(`<p>The 20 of ${classes} classes with most mistakes.</p>`)).toBe(classes > 20);
    expect(page.match(/<tr>/g)?.length).toBeLessThan(100);
  });

  it("are all in JSON, without a matrix", async () => {
    const model = path("many.safetensors");
    const data = many(30, 300);
    await command(train(data, "--save", model));
    const scores = await json<ClassScores>(["evaluate", model, data]);
    expect([scores.classes.length, scores.confusion]).toEqual([30, undefined]);
    const wrong = scores.confusions?.reduce((sum, { count }) => sum + count, 0);
    expect(wrong).toBe(Math.round(300 * (1 - scores.accuracy)));
    const { out } = await command(["inspect", model]);
    expect(out).toMatch(/^classes +c1000, .*, c1019 and 10 more$/m);
  });
});

describe("inspect", () => {
  it("shows layers, memory, preprocessing and training", async () => {
    const { out } = await command(["inspect", SPECIES]);
    expect(out).toMatch(/^0 +dense \(relu\) +16/m);
    expect(out).toMatch(/^moments +[\d,]+$/m);
    expect(out).toMatch(/^body_mass_g +number +\(value - 4\d\d\d.*\) \* 0\.0012/m);
    expect(out).toMatch(/^epochs +20 of 20, finished$/m);
    expect(out).not.toContain("Plan");
    expect((await command(["inspect", SPECIES, "--plan"])).out).toContain("sgemm");
  });

  it("shows health, on data too", async () => {
    const bare = await json<{ health: HealthReport }>(["inspect", SPECIES]);
    expect(bare.health.layers.map(({ layer, nonFinite }) => [layer, nonFinite])).toEqual([
      ["0", 0],
      ["1", 0],
    ]);
    // A file has no gradients: nothing is measured of them, nor of a step on zeros.
    for (const { deadUnits, gradientNorm, updateRatio, weightNorm } of bare.health.layers) {
      expect([deadUnits, gradientNorm, updateRatio]).toEqual([null, null, null]);
      expect(weightNorm).toBeGreaterThan(0);
    }
    const { out } = await command(["inspect", SPECIES]);
    expect(out).toMatch(/^layer +symmetric +weight norm +not finite$/m);
    expect(out).toMatch(/^No findings; --data FILE\.csv measures dead units and gradients too\.$/m);
    const { health } = await json<{ health: HealthReport }>(["inspect", SPECIES, "--data", PENGUINS]);
    expect(health.layers[0].deadUnits).toBeInstanceOf(Array);
    expect(health.layers[0].gradientNorm).toBeGreaterThan(0);
    expect(health.layers[0].updateRatio).toBeGreaterThan(0);
    expect((await command(["inspect", SPECIES, "--data", PENGUINS])).out).toMatch(
      /\nHealth\nlayer +dead +symmetric +weight norm +gradient norm +update\/weight/,
    );
  });

  it("as JSON has it all", async () => {
    const { spec, preprocessing, training } = await json<Record<string, Record<string, unknown>>>(["inspect", SPECIES]);
    expect(spec.input).toBe(10);
    expect(preprocessing.inputs).toBe(10);
    expect(training.history).toHaveLength(20);
  });
});

describe("demo", () => {
  it("trains on the data that it carries", async () => {
    const { code, out } = await command(["demo", "--epochs", "20"]);
    expect(code).toBe(0);
    expect(Number(/^accuracy (0\.\d{4}|1\.0000)$/m.exec(out)?.[1])).toBeGreaterThan(0.9);
    expect(out).toContain("simdgrad train penguins.csv");
    expect((await command(["demo", "--csv"])).out).toBe(readFileSync(PENGUINS, "utf8"));
  });
});

describe("the report", () => {
  it("is a page of its own with the curves", async () => {
    const report = path("report.html");
    const args = ["train", PENGUINS, "--target", "species", "--epochs", "7", "--folds", "3", "--validation", "0.2"];
    const outcome = await json<Outcome>([...args, "--report", report]);
    const page = readFileSync(report, "utf8");
    expect(page).not.toMatch(/(src|href)=/);
    expect(page.match(/<script>/g)).toHaveLength(2);
    const charts = JSON.parse(/const charts = (.*);$/m.exec(page)?.[1] ?? "");
    expect(charts.map(({ title, names }: { title: string; names: string[] }) => [title, names])).toEqual([
      ["Loss", ["training", "validation"]],
      ["Accuracy", ["training", "validation"]],
    ]);
    expect(charts[0].data[1]).toEqual(outcome.epochs?.map(({ loss }) => loss));
    expect(page).toContain("Cross-validation, 3 folds");
  });

  it("shows names as names, whatever they contain", async () => {
    const evil = '<script>alert("x")</script>';
    const rows = Array.from({ length: 20 }, (_, i) => `${i},${i % 2 ? evil.replaceAll('"', "'") : "b"}`);
    const report = path("evil.html");
    await command([
      "train",
      file("evil.csv", `x,${evil.replaceAll('"', "'")}\n${rows.join("\n")}\n`),
      "--target",
      "last",
      "--epochs",
      "2",
      "--report",
      report,
    ]);
    const page = readFileSync(report, "utf8");
    expect(page).toContain("&lt;script&gt;alert");
    expect(page).not.toContain("<script>alert");
  });
});
