// CSV: what is read from whole texts and from streams cut anywhere, and errors that name row and column.
import { createReadStream, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readNumber, readPlain } from "../../src/data/read-number.ts";
import {
  apply,
  applyStream,
  type CsvOptions,
  type CsvSource,
  type CsvStreamOptions,
  columnTypes,
  csv,
  csvStream,
  prepare,
  prepareStream,
  type Table,
} from "../../src/data.ts";
import { adam, dense, sequential } from "../../src/index.ts";
import { rejectionOf } from "../support/errors.ts";
import { collectGarbage } from "../support/garbage.ts";
import { LONG } from "../support/long.ts";
import { randomSource } from "../support/random.ts";

const PENGUINS = fileURLToPath(new URL("../../data/penguins.csv", import.meta.url));

const values = ({ columns }: Table) =>
  Object.fromEntries(columns.map((column) => [column.name, Array.from<unknown>(column.values)]));

async function all(source: CsvSource, options: CsvStreamOptions = {}): Promise<Table[]> {
  const tables: Table[] = [];
  for await (const table of csvStream(source, options)) tables.push(table);
  return tables;
}

/** One table of several. */
const joined = (tables: readonly Table[]) =>
  Object.fromEntries(
    tables[0].columns.map(({ name }, j) => [
      name,
      tables.flatMap(({ columns }) => Array.from<unknown>(columns[j].values)),
    ]),
  );

describe("csv", () => {
  it.each<[string, string, CsvOptions, Record<string, unknown[]>]>([
    ["numbers and text", "a,b\n1,x\n-2.5e3,y\n", {}, { a: [1, -2500], b: ["x", "y"] }],
    ["a last line without its end", "a,b\n1,x", {}, { a: [1], b: ["x"] }],
    ["a header alone", "a,b\n", {}, { a: [], b: [] }],
    ["Windows line ends", 'a,b\r\n1,"x"\r\n2,y\r\n', {}, { a: [1, 2], b: ["x", "y"] }],
    ["old Mac line ends", "a,b\r1,x\r2,y\r", {}, { a: [1, 2], b: ["x", "y"] }],
    ["a byte order mark", "\uFEFFa,b\n1,x\n", {}, { a: [1], b: ["x"] }],
    ["quotes", 'a,b\n1,"x, ""y""\nz"\n', {}, { a: [1], b: ['x, "y"\nz'] }],
    ["missing cells", "a,b\n,x\nNA,\n3,?\n", {}, { a: [Number.NaN, Number.NaN, 3], b: ["x", null, null] }],
    ["own missing cells", "a\n-\nNA\n3\n", { missing: ["-", "NA"] }, { a: [Number.NaN, Number.NaN, 3] }],
    ["spaces around cells", "a , b\n 1 , x y \n", {}, { a: [1], b: ["x y"] }],
    ["blank lines", "\na,b\n\n1,x\n  \n2,y\n\n", {}, { a: [1, 2], b: ["x", "y"] }],
    ["a column without a name", ",b\n1,x\n", {}, { column1: [1], b: ["x"] }],
    ["no header", "1,x\n2,y\n", { header: false }, { column1: [1, 2], column2: ["x", "y"] }],
    ["given names", "1,x\n2,y\n", { header: ["p", "q"] }, { p: [1, 2], q: ["x", "y"] }],
    ["lines to pass over", "about, this; file\n1,x\n", { header: false, skip: 1 }, { column1: [1], column2: ["x"] }],
    ["semicolons with decimal commas", "a;b\n1,5;x\n2;y\n", { decimal: "," }, { a: [1.5, 2], b: ["x", "y"] }],
    ["tabs", "a\tb\n1\tx\n", {}, { a: [1], b: ["x"] }],
    ["bars", "a|b\n1|x\n", {}, { a: [1], b: ["x"] }],
    ["a given delimiter", "a:b\n1:x\n", { delimiter: ":" }, { a: [1], b: ["x"] }],
    ["a single column", "a\n1\n2\n", {}, { a: [1, 2] }],
    ["some columns", "a,b,c\n1,x,2\n3,y,4\n", { columns: ["c", "b"] }, { c: [2, 4], b: ["x", "y"] }],
    ["a given type", "zip\n012\n345\n", { types: { zip: "text" } }, { zip: ["012", "345"] }],
    ["what only looks like numbers", "a,b\n0x10,Infinity\n1,2\n", {}, { a: ["0x10", "1"], b: ["Infinity", "2"] }],
    ["a column of gaps", "a,b\n1,\n2,\n", {}, { a: [1, 2], b: [Number.NaN, Number.NaN] }],
    [
      "a name of Object's",
      "constructor,__proto__\n1,2\n",
      {},
      Object.fromEntries([
        ["constructor", [1]],
        ["__proto__", [2]],
      ]),
    ],
  ])("reads %s", async (_, text, options, expected) => {
    expect(values(csv(text, options))).toEqual(expected);
    expect(values(csv(new TextEncoder().encode(text), options))).toEqual(expected);
    expect(joined(await all([...text], { ...options, rows: 1000 }))).toEqual(expected);
  });

  it("reads the penguins", () => {
    const penguins = csv(readFileSync(PENGUINS));
    expect(penguins.rows).toBe(344);
    expect(penguins.columns.map(({ name, type }) => [name, type])).toEqual([
      ["species", "text"],
      ["island", "text"],
      ["beak_length_mm", "number"],
      ["beak_depth_mm", "number"],
      ["flipper_length_mm", "number"],
      ["body_mass_g", "number"],
      ["sex", "text"],
    ]);
    const missing = penguins.columns.map(
      ({ values }) => Array.from<unknown>(values).filter((v) => v === null || Number.isNaN(v)).length,
    );
    expect(missing).toEqual([0, 0, 2, 2, 2, 2, 10]);
    expect([...penguins.rowNumbers.slice(0, 2), ...penguins.rowNumbers.slice(-1)]).toEqual([2, 3, 345]);
  });

  it.each<[string, string | Uint8Array, CsvOptions, string[]]>([
    ["a short row", "a,b\n1,2\n3\n", {}, ["expected 2 cells at row 3", 'none for column "b"']],
    ["a long row", "a,b\n1,2\n3,4,5\n", {}, ["expected 2 cells at row 3", '"5" is too much']],
    ["text among given numbers", "a,b\n1,2\n3,x\n", { types: { b: "number" } }, ['column "b" at row 3', '"x"']],
    ["a number beyond f64", "a\n1e999\n", { types: { a: "number" } }, ['column "a" at row 2']],
    ["a name twice", "a,b,a\n1,2,3\n", {}, ['"a" twice']],
    ["a column that is not there", "a,b\n1,2\n", { columns: ["c"] }, ['"c"', 'Columns: "a", "b"']],
    ["an open quote", 'a,b\n1,"x\n2,y\n', {}, ["row 2", "never closed"]],
    ["a quote within a cell", 'a,b\n1,x\n2,"y"z"\n', {}, ["row 3"]],
    ["nothing", "", {}, ["header"]],
    ["bytes of another encoding", Uint8Array.of(97, 10, 0xe9, 0x20, 10), {}, ["UTF-8"]],
    ["an unfinished character", Uint8Array.of(97, 10, 0xc3), {}, ["UTF-8"]],
  ])("refuses %s", async (_, source, options, parts) => {
    const whole = await rejectionOf(() => csv(source, options));
    const pieces = typeof source === "string" ? [...source] : Array.from(source, (byte) => Uint8Array.of(byte));
    const streamed = await rejectionOf(() => all(pieces, options));
    for (const { code, message } of [whole, streamed]) {
      expect(code).toBe("DATA");
      for (const part of parts) expect(message).toContain(part);
    }
  });

  it.each<[string, unknown]>([
    ["delimiter", { delimiter: ",," }],
    ["delimiter", { delimiter: '"' }],
    ["header", { header: 1 }],
    ["missing", { missing: "NA" }],
    ["types", { types: { a: "date" } }],
    ["skip", { skip: -1 }],
    ["decimal", { decimal: ";" }],
    ["quote", { quote: "'" }],
  ])("refuses a bad %s", async (name, options) => {
    const { code, message } = await rejectionOf(() => csv("a\n1\n", options as CsvOptions));
    expect(code).toBe("CONFIG");
    expect(message).toContain(name);
  });

  it("takes types of columns that another file had, as a target that is yet to be predicted", () => {
    const preprocessing = prepare(csv("a,b\n1,x\n2,y\n"), { target: "b" });
    expect(csv("a\n3\n", { types: columnTypes(preprocessing) }).columns).toHaveLength(1);
  });

  it("refuses what is no text", async () => {
    expect((await rejectionOf(() => csv(12 as unknown as string))).code).toBe("DATA");
    expect((await rejectionOf(() => all(12 as unknown as string[]))).code).toBe("DATA");
  });
});

/** A table of odd cells as CSV, every cell quoted or as the format demands. */
function writeOdd(rows: readonly (readonly string[])[], quoteAll: boolean, delimiter: string, newline: string): string {
  const write = (cell: string) =>
    quoteAll || /["\r\n]/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell;
  return rows.map((row) => row.map(write).join(delimiter) + newline).join("");
}

describe("readPlain", () => {
  it("has the bits of Number, or none", () => {
    const random = randomSource(5);
    const parts = ["-", "+", ".", "e", " ", "x", ...Array.from({ length: 40 }, (_, i) => String(i % 10))];
    let read = 0;
    for (let turn = 0; turn < (LONG ? 1_000_000 : 100_000); turn++) {
      const cell = Array.from({ length: 1 + random.integer(19) }, () => random.pick(parts)).join("");
      const [plain, slow] = [readPlain(cell), readNumber(cell)];
      if (Number.isNaN(plain)) continue;
      read++;
      if (!Object.is(plain, slow)) expect([cell, plain]).toEqual([cell, slow]);
    }
    expect(read).toBeGreaterThan(10_000);
    for (const cell of ["0", "-0", "5.", ".5", "-.5", "0.1", "007", "123456789012345", "1234567.89012345"]) {
      expect([cell, readPlain(cell)]).toEqual([cell, Number(cell)]);
      expect([cell, readPlain(cell.replace(".", ","), ",")]).toEqual([cell, Number(cell)]);
    }
    for (const cell of [
      "",
      "-",
      ".",
      "-.",
      "1.2.3",
      "--1",
      "1-",
      "1e3",
      "+1",
      " 1",
      "0x1",
      "1234567890123456",
      "1,5",
    ]) {
      expect([cell, readPlain(cell)]).toEqual([cell, Number.NaN]);
    }
  });

  it("is not asked where a number counts as missing", () => {
    expect(values(csv("a\n1\n-999\n2\n", { missing: ["-999"] }))).toEqual({ a: [1, Number.NaN, 2] });
    expect(values(csv("a\n1,5\n9,9\n", { missing: ["9,9"], decimal: ",", delimiter: ";" }))).toEqual({
      a: [1.5, Number.NaN],
    });
  });
});

describe("csvStream", () => {
  it(`gives any text back, cut anywhere (${LONG ? 3000 : 300} texts)`, async () => {
    const random = randomSource(77);
    const parts = ["a", "Ä", "😀", '"', '""', ",", ";", "\n", "\r\n", "x y", "0", "-", "'"];
    for (let turn = 0; turn < (LONG ? 3000 : 300); turn++) {
      const columns = 1 + random.integer(4);
      const cell = () => `c${Array.from({ length: random.integer(5) }, () => random.pick(parts)).join("")}c`;
      const rows = Array.from({ length: random.integer(12) }, () => Array.from({ length: columns }, cell));
      const names = Array.from({ length: columns }, (_, j) => `n${j}`);
      const delimiter = random.pick([",", ";", "\t", "|"]);
      const text = writeOdd([names, ...rows], random.integer(2) === 0, delimiter, random.pick(["\n", "\r\n"]));
      const bytes = new TextEncoder().encode(text);
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; ) {
        const length = random.integer(7);
        pieces.push(bytes.subarray(at, at + length));
        at += length;
      }
      const size = 1 + random.integer(5);
      const tables = await all(pieces, {
        delimiter,
        rows: size,
        types: Object.fromEntries(names.map((name) => [name, "text"])),
      });
      expect(joined(tables)).toEqual(Object.fromEntries(names.map((name, j) => [name, rows.map((row) => row[j])])));
      expect(tables.map((table) => table.rows)).toEqual(
        rows.length === 0
          ? [0]
          : Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => Math.min(size, rows.length - i * size)),
      );
    }
  });

  it("reads Node's streams, fetch's bodies and streams that cannot be iterated over", async () => {
    const whole = values(csv(readFileSync(PENGUINS)));
    const body = () => new Response(readFileSync(PENGUINS)).body as ReadableStream<Uint8Array>;
    const bare = () => {
      const stream = body();
      return { getReader: () => stream.getReader() };
    };
    for (const source of [createReadStream(PENGUINS, { highWaterMark: 100 }), body(), bare()]) {
      expect(joined(await all(source, { rows: 50 }))).toEqual(whole);
    }
  });

  it("keeps the first table's types, and says how to choose others", async () => {
    const { message } = await rejectionOf(() => all(["a,b\n1,2\n3,4\n5,x\n"], { rows: 2 }));
    expect(message).toContain('column "b" at row 4');
    expect(message).toContain('types: { "b": "text" }');
    const tables = await all(["a,b\n1,2\n3,4\n5,x\n"], { rows: 2, types: { b: "text" } });
    expect(joined(tables)).toEqual({ a: [1, 3, 5], b: ["2", "4", "x"] });
  });

  it("passes on the source's error, and ends the source when it is left", async () => {
    let ended = 0;
    async function* source(fails: boolean) {
      try {
        for (let i = 0; i < 5000; i++) yield "1,2\n".repeat(1000);
        if (fails) throw new RangeError("torn");
      } finally {
        ended++;
      }
    }
    for await (const table of csvStream(source(false), { header: false, rows: 100 })) if (table.rows > 0) break;
    expect(ended).toBe(1);
    async function* torn() {
      yield "a,b\n1,2\n";
      throw new RangeError("torn");
    }
    await expect(all(torn())).rejects.toThrow(RangeError);
  });

  it(`trains on ${LONG ? "a million" : "100,000"} rows in bounded memory`, async () => {
    const rows = LONG ? 1_000_000 : 100_000;
    const source = function* () {
      const random = randomSource(3);
      yield "x1,x2,colour,y\n";
      for (let i = 0; i < rows; i += 100) {
        let text = "";
        for (let j = 0; j < 100; j++) {
          const [a, b, colour] = [random.uniform(-3, 3), random.uniform(0, 100), random.pick(["red", "green"])];
          text += `${a},${b},${colour},${2 * a + b / 10 + (colour === "red" ? 1 : 0)}\n`;
        }
        yield text;
      }
    };
    const preprocessing = await prepareStream(csvStream(source()), { target: "y" });
    const model = sequential({
      input: preprocessing.inputs,
      layers: [dense(1)],
      loss: "mean-squared-error",
      optimizer: adam({ learningRate: 0.01 }),
    });
    let [seen, looks, highest] = [0, 0, 0];
    // The least of three: engines compile meanwhile, and count in pages.
    const held = () => {
      const looks = Array.from({ length: 3 }, () => {
        collectGarbage();
        const { heapUsed, arrayBuffers } = process.memoryUsage();
        return heapUsed + arrayBuffers;
      });
      return Math.min(...looks);
    };
    const before = held();
    const pieces = async function* () {
      for await (const piece of applyStream(
        preprocessing,
        csvStream(source(), { types: columnTypes(preprocessing) }),
      )) {
        yield piece;
        seen += piece.rows;
        if (seen % (8 * 4096) !== 0) continue;
        looks++;
        highest = Math.max(highest, held() - before);
      }
    };
    await model.fit(pieces, { batchSize: 128 });
    const { loss } = model.evaluate(apply(preprocessing, csv("x1,x2,colour,y\n1,50,red,8\n-2,30,green,-1\n")));
    expect(seen).toBe(rows);
    expect(loss).toBeLessThan(1e-3);
    // A table of 4,096 rows and what waits: well under 2 MB. All rows as text are 6 MB for 100,000, 60 for a million.
    expect(looks).toBe(Math.floor(rows / (8 * 4096)));
    expect(highest).toBeLessThan(3e6);
  });

  it("gives the samples that the whole file gives", async () => {
    const preprocessing = await prepareStream(csvStream(createReadStream(PENGUINS), { rows: 10 }), {
      target: "species",
    });
    const { x, y } = apply(preprocessing, csv(readFileSync(PENGUINS)));
    const tables = csvStream(createReadStream(PENGUINS), { rows: 7, types: columnTypes(preprocessing) });
    const [xs, ys]: [number[], number[]] = [[], []];
    for await (const piece of applyStream(preprocessing, tables)) {
      xs.push(...piece.x);
      ys.push(...piece.y);
    }
    expect(xs).toEqual([...x]);
    expect(ys).toEqual([...y]);
  });
});
