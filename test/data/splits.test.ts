// Splits and folds: each row once, classes in their shares, the kernels' random numbers.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { randomWords } from "../../src/data/random.ts";
import { csv, kFold, split, type Table, table, take } from "../../src/data.ts";
import { SimdgradError } from "../../src/errors.ts";
import { createKernels } from "../../src/kernels.ts";
import { PURPOSE_SPLIT, seedWords } from "../../src/numerics.ts";
import { philoxFill } from "../reference/philox.ts";
import { randomSource } from "../support/random.ts";

const penguins = csv(readFileSync(new URL("../../data/penguins.csv", import.meta.url)));
const sorted = (...parts: Uint32Array[]) => parts.flatMap((part) => [...part]).sort((a, b) => a - b);
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);
const count = (part: Table, species: string) =>
  (part.columns[0].values as readonly string[]).filter((name) => name === species).length;

describe("random words", () => {
  it.each([0, 1, 0xffffffff, 2 ** 32, 2 ** 52 + 12345])("of seed %d are the kernels' and the reference's", (seed) => {
    const [low, high] = seedWords(seed);
    const space = createKernels({ bytes: 1 << 16 });
    const out = space.f32(1000);
    for (const index of [0, 3, 0xffffffff]) {
      const word = randomWords(seed, index);
      const words = Uint32Array.from({ length: 1000 }, (_, i) => word(i));
      space.kernels.philox_u32(1000, out.byteOffset, low, high, PURPOSE_SPLIT, 0, index, 0);
      expect(words).toEqual(new Uint32Array(out.buffer, out.byteOffset, 1000).slice());
      expect(words).toEqual(philoxFill(1000, low, high, PURPOSE_SPLIT, 0, index));
      expect(word(5)).toBe(words[5]);
    }
  });
});

describe("split", () => {
  it("gives each row to one part, in the data's order", () => {
    for (const rows of [2, 3, 10, 97, 1000]) {
      const { train, test, validation } = split(rows, { test: 0.3, validation: rows < 10 ? 0 : 0.2, seed: rows });
      expect(sorted(train, test, validation)).toEqual(upTo(rows));
      expect([test.length, validation.length]).toEqual([
        Math.round(rows * 0.3),
        rows < 10 ? 0 : Math.round(rows * 0.2),
      ]);
      for (const part of [train, test, validation]) expect([...part]).toEqual([...part].sort((a, b) => a - b));
    }
  });

  it("is the same for the same seed, another for another, and spreads", () => {
    const tests = upTo(40).map((seed) => split(200, { seed }).test);
    expect(split(200, { seed: 7 }).test).toEqual(tests[7]);
    expect(split(200).test).toEqual(tests[0]);
    expect(new Set(tests.map((part) => part.join())).size).toBe(40);
    // 40 draws of a fifth: each row is drawn 8 times, give or take 2.5; 8 deviations bound all 200 rows.
    const drawn = new Uint32Array(200);
    for (const part of tests) for (const row of part) drawn[row]++;
    expect(Math.max(...drawn)).toBeLessThan(28);
    expect(Math.min(...drawn)).toBeGreaterThan(0);
  });

  it("takes the first rows for the test without shuffling", () => {
    const { train, test } = split(10, { shuffle: false });
    expect([[...train], [...test]]).toEqual([
      [2, 3, 4, 5, 6, 7, 8, 9],
      [0, 1],
    ]);
  });

  it("stratifies to the row", () => {
    const { train, test, validation } = split(penguins, { stratify: "species", test: 0.25, validation: 0.1, seed: 3 });
    expect([train.rows, test.rows, validation.rows]).toEqual([344 - 86 - 34, 86, 34]);
    for (const [species, rows] of [
      ["Adelie", 152],
      ["Chinstrap", 68],
      ["Gentoo", 124],
    ] as const) {
      expect(Math.abs(count(test, species) - 0.25 * rows)).toBeLessThan(1);
      expect(Math.abs(count(validation, species) - 0.1 * rows)).toBeLessThan(1);
    }
  });

  it("splits arrays, flat or of rows, with all that belongs to them", () => {
    const x = Float32Array.from({ length: 20 }, (_, i) => i);
    const y = Int32Array.from({ length: 10 }, (_, i) => i % 2);
    const flat = split({ x, y, sampleWeight: upTo(10), name: "set" }, { stratify: true, seed: 1 });
    const rows = split({ x: upTo(10).map((i) => [2 * i, 2 * i + 1]), y: [...y] }, { stratify: true, seed: 1 });
    expect(flat.test.x).toBeInstanceOf(Float32Array);
    expect([...flat.test.x]).toEqual(rows.test.x.flat());
    expect([...flat.train.y].sort()).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    expect([...flat.test.x].filter((_, i) => i % 2 === 0)).toEqual(flat.test.sampleWeight.map((i) => 2 * i));
    expect(flat.test.name).toBe("set");
    const several = split({ x, y: Float32Array.from({ length: 30 }, (_, i) => i), rows: 10 }, { rows: 10 });
    expect([several.test.x.length, several.test.y.length, several.test.rows]).toEqual([4, 6, 2]);
    expect(several.test.y[0]).toBe((several.test.x[0] / 2) * 3);
  });

  it.each<[string, string, () => unknown]>([
    ["CONFIG", "a test part that is all", () => split(10, { test: 1 })],
    ["CONFIG", "parts that leave nothing to train on", () => split(10, { test: 0.6, validation: 0.4 })],
    ["CONFIG", "a test part without a row", () => split(3, { test: 0.1 })],
    ["CONFIG", "a negative seed", () => split(10, { seed: -1 })],
    ["CONFIG", "classes for other rows", () => split(10, { stratify: [1, 2] })],
    ["CONFIG", "y of no samples", () => split(10, { stratify: true })],
    ["CONFIG", "an unknown option", () => split(10, { tests: 0.1 } as object)],
    ["CONFIG", "no rows", () => split(0)],
    ["DATA", "an unknown column", () => split(penguins, { stratify: "specie" })],
    ["DATA", "what has no rows", () => split({ a: 1 } as unknown as number)],
    ["SHAPE", "a flat x that does not divide", () => split({ x: new Float32Array(21), y: new Int32Array(10) })],
    ["CONFIG", "one fold", () => kFold(10, { folds: 1 })],
    ["CONFIG", "more folds than rows", () => kFold(4)],
  ])("refuses, with %s, %s", (code, _, run) => {
    expect(run).toThrow(SimdgradError);
    expect(run).toThrow(expect.objectContaining({ code }));
  });
});

describe("kFold", () => {
  it("tests each row once, against all others", () => {
    const random = randomSource(5);
    for (let turn = 0; turn < 20; turn++) {
      const rows = 10 + random.integer(100);
      const folds = 2 + random.integer(8);
      const parts = kFold(rows, { folds, seed: turn, shuffle: turn % 2 === 0 });
      expect(sorted(...parts.map(({ test }) => test))).toEqual(upTo(rows));
      for (const { train, test } of parts) {
        expect(sorted(train, test)).toEqual(upTo(rows));
        expect(Math.abs(test.length - rows / folds)).toBeLessThan(1);
      }
    }
    expect(kFold(6, { folds: 3, shuffle: false }).map(({ test }) => [...test])).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
  });

  it("stratifies to the row", () => {
    for (const { train, test } of kFold(penguins, { folds: 10, stratify: "species", seed: 2 })) {
      expect(train.rows + test.rows).toBe(344);
      for (const [species, rows] of [
        ["Adelie", 152],
        ["Chinstrap", 68],
        ["Gentoo", 124],
      ] as const) {
        expect(Math.abs(count(test, species) - rows / 10)).toBeLessThan(1);
      }
    }
  });
});

describe("take", () => {
  it.each([[2], [-1], [0.5], [Number.NaN]])("of row %s, which is not there, is DATA", (row) => {
    const message = expect.stringContaining(`rows from 0 to 1, received ${row} at 1`);
    expect(() => take(table({ a: [1, 2] }), [0, row])).toThrow(expect.objectContaining({ code: "DATA", message }));
  });
});
