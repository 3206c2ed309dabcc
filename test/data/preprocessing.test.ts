// Preprocessing: against scikit-learn, fitted on the training part alone, kept as JSON with the model.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  apply,
  applyInputs,
  classesOf,
  columnTypes,
  csv,
  decode,
  dropMissing,
  featureNames,
  fromIndices,
  impute,
  minMax,
  oneHot,
  type PrepareOptions,
  type Preprocessing,
  parsePreprocessing,
  prepare,
  prepareStream,
  scale,
  split,
  standardize,
  table,
  take,
  toIndices,
} from "../../src/data.ts";
import { dense, load, sequential } from "../../src/index.ts";
import { errorOf } from "../support/errors.ts";
import { randomSource } from "../support/random.ts";

const penguins = csv(readFileSync(new URL("../../data/penguins.csv", import.meta.url)));
const golden = JSON.parse(readFileSync(new URL("../goldens/preprocessing.json", import.meta.url), "utf8")) as {
  numbers: string[];
  categories: string[];
  shown: number[];
  fits: {
    fill: "mean" | "median" | "most-frequent";
    scale: "standardize" | "min-max";
    fills: number[];
    rows: number[][];
  }[];
  oneHot: { names: string[]; rows: number[][] };
};
const others = (names: readonly string[]) =>
  penguins.columns.map(({ name }) => name).filter((name) => !names.includes(name));

/** f64 sums of 344 values near 200 err by 344 * 2^-53 of them; the result is rounded to f32: half an ulp of its size. */
function expectClose(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(actual[i] - value)).toBeLessThan(2 ** -24 * Math.abs(value) + 1e-10);
  });
}

describe("numbers, as scikit-learn has them", () => {
  const columns = golden.numbers.map(
    (name) => penguins.columns.find((column) => column.name === name)?.values as Float64Array,
  );
  const flat = Float64Array.from({ length: 344 * 4 }, (_, i) => columns[i % 4][Math.floor(i / 4)]);

  it.each(golden.fits)("$fill, $scale", ({ fill, scale: kind, fills, rows }) => {
    const preprocessing = prepare(penguins, { ignore: others(golden.numbers), fill, scale: kind });
    preprocessing.features.forEach((feature, i) => {
      if (feature.kind !== "number") throw new Error(`Expected numbers, found ${feature.kind}.`);
      expect(Math.abs((feature.fill as number) - fills[i])).toBeLessThan(1e-10);
    });
    expectClose(applyInputs(preprocessing, take(penguins, golden.shown)), rows.flat());
    const scaling = (kind === "min-max" ? minMax : standardize)(flat, { columns: 4, fill });
    const shown = golden.shown.map((row) => Array.from(flat.subarray(4 * row, 4 * row + 4)));
    expectClose(scale(JSON.parse(JSON.stringify(scaling)), shown), rows.flat());
    const filled = scale(impute(flat, { columns: 4, fill }), flat);
    expectClose(filled.subarray(12, 16), fills);
  });

  it("a constant column becomes zeros, one of gaps is an error", () => {
    const made = table({ a: [0.1, 0.1, 0.1], b: [1, 2, 3], gaps: [null, null, null] });
    for (const kind of ["standardize", "min-max"] as const) {
      const x = applyInputs(prepare(made, { ignore: ["gaps"], scale: kind }), made);
      expect([x[0], x[2], x[4]]).toEqual([0, 0, 0]);
    }
    expect(errorOf(() => prepare(made)).message).toContain('"gaps"');
    expect(prepare(made, { fill: 7 }).features[2]).toEqual({
      column: "gaps",
      kind: "number",
      fill: 7,
      offset: 7,
      factor: 1,
    });
  });

  it("large offsets do not spoil the deviation", () => {
    const values = Float64Array.from({ length: 1000 }, (_, i) => 1e9 + (i % 2));
    const [fit] = standardize(values, { columns: 1 }).columns;
    expect(Math.abs(fit.offset - (1e9 + 0.5))).toBeLessThan(1e-6);
    expect(Math.abs(fit.factor - 2)).toBeLessThan(1e-6);
  });

  it("says where a value is missing or too large", () => {
    expect(
      errorOf(() =>
        standardize([
          [1, 2],
          [3, Number.NaN],
        ]),
      ).message,
    ).toContain("row 1, column 1");
    expect(errorOf(() => scale(standardize([[1], [3]]), [[1e300]])).message).toContain("row 0, column 0");
    expect(errorOf(() => standardize([[1, 2], [3]])).message).toContain("row 1");
    expect(errorOf(() => standardize(new Float32Array(5), { columns: 2 })).code).toBe("SHAPE");
    const strict = prepare(table({ a: [1, 2] }), { fill: "error" });
    expect(errorOf(() => applyInputs(strict, table({ a: [1, null, 2] }))).message).toContain('column "a" at row 1');
  });
});

describe("categories", () => {
  it("become one-hot columns, as scikit-learn's", () => {
    const preprocessing = prepare(penguins, { ignore: others(golden.categories) });
    expect(featureNames(preprocessing)).toEqual(golden.oneHot.names.map((name) => name.replace("_", "=")));
    expect([...applyInputs(preprocessing, take(penguins, golden.shown))]).toEqual(golden.oneHot.rows.flat());
  });

  it("unknown ones are an error, or zeros", () => {
    const known = table({ colour: ["red", "green", "red", null], n: [1, 2, 3, 4] });
    const other = table({ colour: ["blue", "green"], n: [1, 2] });
    const { message, code } = errorOf(() => applyInputs(prepare(known), other));
    expect(code).toBe("DATA");
    expect(message).toContain('column "colour" at row 0, received "blue"');
    const lenient = prepare(known, { unknown: "zeros", scale: "none" });
    expect([...applyInputs(lenient, other)]).toEqual([0, 0, 1, 1, 0, 2]);
    expect([...applyInputs(prepare(known, { scale: "none" }), other, { unknown: "zeros" })]).toEqual([
      0, 0, 1, 1, 0, 2,
    ]);
    // Missing: red, the most frequent, or zeros.
    expect([...applyInputs(lenient, known)].slice(9)).toEqual([0, 1, 4]);
    expect([...applyInputs(prepare(known, { fillCategory: "zeros", scale: "none" }), known)].slice(9)).toEqual([
      0, 0, 4,
    ]);
  });

  it("may be numbers", () => {
    const rooms = table({ rooms: [10, 2, 2, 3], y: [0, 1, 0, 1] });
    const preprocessing = prepare(rooms, { categories: ["rooms"], target: "y", task: "classification" });
    expect(featureNames(preprocessing)).toEqual(["rooms=2", "rooms=3", "rooms=10"]);
    expect([...apply(preprocessing, rooms).y]).toEqual([0, 1, 0, 1]);
    expect(columnTypes(preprocessing)).toEqual({ rooms: "number", y: "number" });
  });
});

describe("preprocessing", () => {
  it("says what is missing where there is nothing to learn", () => {
    const said = (text: string) => errorOf(() => prepare(csv(text), { target: "y" })).message;
    expect(said("y\n1\n2\n")).toMatch(/at least one input column, found none\. A table has more columns/);
    expect(said("a,y\n")).toMatch(/at least one row to learn from, found none\./);
  });

  it("knows the training part alone", () => {
    const { train, test } = split(penguins, { stratify: "species", seed: 4 });
    const options: PrepareOptions = { target: "species" };
    const changed = {
      ...test,
      columns: test.columns.map((column) =>
        column.type === "number" ? { ...column, values: column.values.map((value) => 1000 * value) } : column,
      ),
    };
    const preprocessing = prepare(train, options);
    // What the test part holds changes its own samples and nothing else.
    expect(apply(preprocessing, changed).x).not.toEqual(apply(preprocessing, test).x);
    expect(prepare(train, options)).toEqual(preprocessing);
    const x = applyInputs(preprocessing, train);
    const { inputs } = preprocessing;
    const column = featureNames(preprocessing).indexOf("body_mass_g");
    const mean =
      Array.from({ length: train.rows }, (_, i) => x[i * inputs + column]).reduce((sum, v) => sum + v) / train.rows;
    expect(Math.abs(mean)).toBeLessThan(1e-6);
  });

  it("is the same over JSON, and saved with the model", () => {
    const preprocessing = prepare(penguins, { target: "species" });
    const model = sequential({ input: preprocessing.inputs, layers: [dense(3, { activation: "softmax" })] });
    model.metadata.preprocessing = JSON.stringify(preprocessing);
    const same = parsePreprocessing(load(model.save()).metadata.preprocessing);
    expect(same).toEqual(preprocessing);
    expect(apply(same, penguins)).toEqual(apply(preprocessing, penguins));
    const names = decode(same, model.predict(applyInputs(same, penguins)));
    const indices = model.predictClasses(applyInputs(same, penguins));
    expect(names).toEqual(Array.from(indices, (i) => ["Adelie", "Chinstrap", "Gentoo"][i]));
  });

  it.each(["", "12", "null", "{}", '{"kind":"preprocessing"}'])("is not %j", (text) => {
    expect(errorOf(() => parsePreprocessing(text)).code).toBe("FORMAT");
  });

  it.each([
    ["standardize", [1, Number.POSITIVE_INFINITY], "1 to Infinity"],
    ["min-max", [1, Number.POSITIVE_INFINITY], "1 to Infinity"],
    ["none", [1, Number.POSITIVE_INFINITY], "1 to Infinity"],
    ["standardize", [1e300, 4e301], "1e+300 to 4e+301"],
    ["min-max", [-1e308, 1e308], "-1e+308 to 1e+308"],
    ["min-max", [0, 1e-310], "0 to 1e-310"],
  ] as const)("%s refuses %j, which would become 0 or NaN", (scale, a, range) => {
    const error = errorOf(() => prepare(table({ a }), { scale }));
    expect([error.code, error.message]).toEqual(["DATA", expect.stringContaining(`column "a", found ${range}.`)]);
    if (scale !== "standardize") return;
    expect(errorOf(() => prepare(table({ b: [1, 2], a }), { target: "a" })).message).toContain(range);
  });

  it("refuses damaged JSON of every kind", () => {
    const whole = prepare(penguins, { target: "species" });
    const damaged: object[] = [
      { ...whole, inputs: 3 },
      { ...whole, version: 2 },
      { ...whole, features: [{ column: "a", kind: "number", fill: 1, offset: null, factor: 1 }], inputs: 1 },
      { ...whole, features: [{ column: "a", kind: "category", type: "text", categories: [] }], inputs: 0 },
      { ...whole, target: { column: "a", kind: "number", offset: 0, factor: 0 } },
    ];
    for (const value of damaged) {
      expect(errorOf(() => parsePreprocessing(JSON.stringify(value))).code).toBe("FORMAT");
      expect(errorOf(() => applyInputs(value as Preprocessing, penguins)).code).toBe("CONFIG");
    }
  });

  it("is fitted from pieces as from the whole", async () => {
    const rows = Array.from({ length: 344 }, (_, i) => i);
    const pieces = [rows.slice(0, 3), [], rows.slice(3, 100), rows.slice(100)].map((part) => take(penguins, part));
    for (const fill of ["mean", "median", "most-frequent"] as const) {
      const options: PrepareOptions = { target: "body_mass_g", fill, ignore: ["island"] };
      const known = pieces.map((piece) => dropMissing(piece, ["body_mass_g"]));
      expect(await prepareStream(known, options)).toEqual(prepare(dropMissing(penguins, ["body_mass_g"]), options));
    }
  });

  it("scales a number to predict, and decodes it", () => {
    const made = table({ a: [1, 2, 3, 4], y: [1000, 2000, 3000, 4000] });
    const preprocessing = prepare(made, { target: "y" });
    const y = Array.from(apply(preprocessing, made).y);
    expect(Math.abs(y.reduce((sum, value) => sum + value))).toBeLessThan(1e-6);
    (decode(preprocessing, y) as Float64Array).forEach((value, i) => {
      expect(Math.abs(value - 1000 * (i + 1))).toBeLessThan(1e-3);
    });
    expect([...apply(prepare(made, { target: "y", scaleTarget: false }), made).y]).toEqual([1000, 2000, 3000, 4000]);
    expect(decode(prepare(penguins, { target: "sex", ignore: ["species"] }), [0, 1, 0])).toEqual(["FEMALE"]);
    const two = prepare(table({ a: [1, 2], y: ["no", "yes"] }), { target: "y" });
    expect(decode(two, [0.2, 0.5, 0.7])).toEqual(["no", "no", "yes"]);
  });

  it.each<[string, () => unknown, string]>([
    ["no such column", () => prepare(penguins, { target: "Species" }), '"Species"'],
    ["no such ignored column", () => prepare(penguins, { ignore: ["x"] }), '"x"'],
    ["no inputs", () => prepare(table({ y: [1, 2] }), { target: "y" }), "input column"],
    ["one class", () => prepare(table({ a: [1, 2], y: ["p", "p"] }), { target: "y" }), "2 classes"],
    ["a number that is text", () => prepare(penguins, { target: "sex", task: "regression" }), "number"],
    ["a missing target", () => apply(prepare(penguins, { target: "sex" }), penguins), 'column "sex" at row 5'],
    ["a missing number to predict", () => apply(prepare(penguins, { target: "body_mass_g" }), penguins), "row 5"],
    [
      "a class that is new",
      () => apply(prepare(table({ a: [1, 2], y: ["p", "q"] }), { target: "y" }), table({ a: [1], y: ["r"] })),
      '"r"',
    ],
    ["another type", () => applyInputs(prepare(table({ a: [1, 2] })), table({ a: ["x"] })), "of type number"],
  ])("names what is wrong: %s", (_, run, part) => {
    const { code, message } = errorOf(run);
    expect(code).toBe("DATA");
    expect(message).toContain(part);
  });

  it("refuses unknown options", () => {
    expect(errorOf(() => prepare(penguins, { tagret: "sex" } as PrepareOptions)).code).toBe("CONFIG");
    expect(errorOf(() => prepare(penguins, { fill: "average" as "mean" })).code).toBe("CONFIG");
  });
});

describe("classes", () => {
  it("are in order, of numbers where all are", () => {
    expect(classesOf(["b", "a", "b"])).toEqual(["a", "b"]);
    expect(classesOf([10, 9, 1, 10])).toEqual(["1", "9", "10"]);
    expect(classesOf(["10", "9", "x"])).toEqual(["10", "9", "x"]);
    expect(classesOf([true, false])).toEqual(["false", "true"]);
  });

  it("go to indices, one-hot rows and back", () => {
    const random = randomSource(8);
    const labels = Array.from({ length: 50 }, () => random.pick(["x", "y", "z"]));
    const classes = classesOf(labels);
    const indices = toIndices(labels, classes);
    expect(fromIndices(indices, classes)).toEqual(labels);
    const rows = oneHot(indices, 3);
    labels.forEach((label, i) => {
      expect([...rows.subarray(3 * i, 3 * i + 3)]).toEqual(classes.map((name) => (name === label ? 1 : 0)));
    });
    expect([...oneHot([1, 0])]).toEqual([0, 1, 1, 0]);
  });

  it("name what is out of range", () => {
    expect(errorOf(() => toIndices(["x", "q"], ["x"])).message).toContain('row 1, received "q"');
    expect(errorOf(() => fromIndices([3], ["x"])).message).toContain("row 0, received 3");
    expect(errorOf(() => oneHot([0, -1], 2)).message).toContain("row 1, received -1");
    expect(errorOf(() => oneHot([0.5], 2)).code).toBe("DATA");
  });
});

describe("tables", () => {
  it("come from columns or records", () => {
    const fromColumns = table({ a: [1, null, 3], b: ["x", undefined, "z"], c: [true, false, null] });
    const fromRecords = table([{ a: 1, b: "x", c: true }, { c: false }, { a: 3, b: "z" }]);
    expect(fromRecords).toEqual(fromColumns);
    expect(fromColumns.columns.map(({ values }) => [...values])).toEqual([
      [1, Number.NaN, 3],
      ["x", null, "z"],
      ["true", "false", null],
    ]);
    expect(errorOf(() => table({ a: [1], b: [1, 2] })).code).toBe("SHAPE");
    expect(errorOf(() => table({ a: [{} as unknown as number] })).code).toBe("DATA");
  });

  it("lose rows with gaps when asked", () => {
    const whole = dropMissing(penguins);
    expect(whole.rows).toBe(334);
    expect(dropMissing(penguins, ["body_mass_g"]).rows).toBe(342);
    // A row keeps its number in the file.
    expect([...whole.rowNumbers.slice(2, 4)]).toEqual([4, 6]);
  });
});
