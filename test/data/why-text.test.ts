// Text that should have been numbers: found before it becomes hundreds of categories or classes.
import { describe, expect, it } from "vitest";
import { type Column, csv, csvStream, prepare, prepareStream, split, table, whyText } from "../../src/data.ts";
import { errorOf, rejectionOf } from "../support/errors.ts";

/** 100 rows of column a with other cells at some of them, beside a number b and a target. */
function rows(cellOf: (i: number) => string, delimiter = ","): string {
  const lines = Array.from({ length: 100 }, (_, i) => [cellOf(i), i % 9, i * 3].join(delimiter));
  return `${["a", "b", "y"].join(delimiter)}\n${lines.join("\n")}\n`;
}

const ODD = rows((i) => (i === 3 ? "unknown" : String(i)));
const kindOf = (text: string) => whyText(csv(text), "a")?.kind;

describe("whyText", () => {
  it("names the cell that is in the way", () => {
    expect(whyText(csv(ODD), "a")).toEqual({
      likely: true,
      kind: "text",
      cell: "unknown",
      row: 5,
      examples: ["unknown"],
      numbers: 99,
      cells: 100,
      message: 'expected a number in column "a" at row 5, received "unknown", where 99 of 100 cells are numbers',
    });
    expect(whyText(csv(ODD), "b")).toBeUndefined();
    expect(whyText(csv("a,b\n,1\n,2\n", { types: { a: "text" } }), "a")).toBeUndefined();
    expect(errorOf(() => whyText(csv(ODD), "c")).code).toBe("DATA");
  });

  it.each([
    ["12", "number"],
    ["1e-3", "number"],
    ["-.5", "number"],
    ["1,5", "decimal"],
    ["0,125", "decimal"],
    ["1234,567", "decimal"],
    ["1,234", "thousands"],
    ["-12,345", "thousands"],
    ["1,234,567", "signs"],
    ["1.234.567,8", "signs"],
    ["1 234 567", "signs"],
    ["1'234", "signs"],
    ["$1,200", "signs"],
    ["-$5", "signs"],
    ["12.50 €", "signs"],
    ["12 %", "signs"],
    ["1e999", "text"],
    ["0x10", "text"],
    ["12 kg", "text"],
    ["2024-01-02", "text"],
    ["12:30", "text"],
    ["1,2,3", "text"],
    ["-", "text"],
    ["$", "text"],
    ["", "text"],
  ])("reads %j as %s", (cell, kind) => {
    expect(whyText(table({ a: [cell] }), "a")?.kind).toBe(kind);
  });

  it("names what neither sign reads before what the other one does", () => {
    expect(kindOf(rows((i) => (i === 50 ? "n/k" : i === 20 ? "$5" : `"${i},5"`)))).toBe("text");
    expect(kindOf(rows((i) => (i === 20 ? "$5" : `"${i},5"`)))).toBe("signs");
    expect(kindOf(rows((i) => `"${i},5"`))).toBe("decimal");
    expect(kindOf(rows((i) => `"${i + 1},500"`))).toBe("thousands");
    expect(kindOf(rows((i) => (i === 3 ? '"1,5"' : `"${i + 1},500"`)))).toBe("decimal");
  });

  it("takes text for numbers where nine of ten cells are, or of the different ones", () => {
    const likely = (cells: string[]) => whyText(table({ a: cells }), "a")?.likely;
    const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i));
    const names = (count: number) => numbers(count).map((i) => `n${i}`);
    expect(likely([...numbers(90), ...names(10)])).toBe(true);
    expect(likely([...numbers(89), ...names(11)])).toBe(false);
    // Half of the cells, but one among 41 different ones.
    expect(likely([...numbers(40), ...Array(40).fill("unknown")])).toBe(true);
    expect(likely([...numbers(20), ...numbers(20), "x"])).toBe(true);
    // Few different ones are categories.
    expect(likely([...numbers(19), ...numbers(19), "x"])).toBe(false);
    expect(likely([...Array(50).fill("1"), "2", "3", "crew"])).toBe(false);
    expect(likely(["1,5", "2,5", "3,5"])).toBe(true);
    expect(likely(["1,5", "2,5"])).toBe(false);
    expect(likely(names(100))).toBe(false);
    expect(likely(numbers(100))).toBe(true);
  });
});

describe("prepare", () => {
  const width = (text: string, options = {}, reading = {}) =>
    prepare(csv(text, reading), { target: "y", ...options }).inputs;

  it.each([
    [
      ODD,
      /^prepare: .*"a" at row 5, received "unknown", .* missing: \[\.\.\.MISSING_CELLS, "unknown"\] of csv .* categories: \["a"\] takes/,
    ],
    [rows((i) => `${i},5`, ";"), /decimal point in column "a" at row 2, received "0,5"\. decimal: "," of csv/],
    [rows((i) => `"$${i},000"`), /received "\$0,000"\. Write numbers without currencies/],
    [rows((i) => `"${i + 1},000"`), /received "1,000"\. Write numbers without signs between thousands, or decimal/],
    [ODD.replace("unknown", "a"), /received "a".*\. The header stands there again: leave such rows out;/],
  ])("stops at it", (text, message) => {
    const { code, message: said } = errorOf(() => prepare(csv(text), { target: "y" }));
    expect(code).toBe("DATA");
    expect(said).toMatch(message);
  });

  it("goes on when told how", () => {
    expect(width(ODD, {}, { missing: ["unknown"] })).toBe(2);
    expect(width(ODD, { categories: ["a"] })).toBe(101);
    expect(width(ODD, {}, { types: { a: "text" } })).toBe(101);
    expect(width(ODD, { ignore: ["a"] })).toBe(1);
    expect(
      width(
        rows((i) => `${i},5`, ";"),
        {},
        { decimal: "," },
      ),
    ).toBe(2);
    const types = { a: "text" } as const;
    // Parts of a table know that too.
    expect(prepare(split(csv(ODD, { types }), { seed: 1 }).train, { target: "y" }).inputs).toBe(81);
  });

  it("stops at a target, unless it is asked for as classes", () => {
    const odd = csv(ODD);
    const target = { ...odd, columns: odd.columns.toReversed() as Column[] };
    const said = (options: object) => errorOf(() => prepare(target, { target: "a", ...options })).message;
    expect(said({})).toMatch(/"a" at row 5, received "unknown".* task: "classification" takes the column as it is\./);
    expect(said({ task: "regression" })).toMatch(/"a" at row 5, received "unknown"/);
    expect(prepare(target, { target: "a", task: "classification" }).target).toMatchObject({ kind: "class" });
    const text = csv(ODD, { types: { a: "text" } });
    expect(prepare(text, { target: "a" }).target).toMatchObject({ kind: "class" });
    expect(errorOf(() => prepare(text, { target: "a", task: "regression" })).message).toContain("of type number");
  });

  it("knows numbers that are text by mistake, as other readers of CSV give them", () => {
    const texts = table({
      a: Array.from({ length: 50 }, (_, i) => String(i)),
      y: Array.from({ length: 50 }, (_, i) => i),
    });
    expect(errorOf(() => prepare(texts, { target: "y" })).message).toMatch(
      /expected a number, not text that reads as one, in column "a" at row 0, received "0"\. Make numbers of all cells/,
    );
  });

  it("counts in streams what it has seen", async () => {
    const stream = (types = {}) => csvStream([ODD], { rows: 10, types });
    const { code, message } = await rejectionOf(() => prepareStream(stream(), { target: "y" }));
    expect(code).toBe("DATA");
    expect(message).toMatch(/^prepareStream: .*"a" at row 5, received "unknown", where 99 of 100 cells are numbers/);
    expect((await prepareStream(stream(), { target: "y", categories: ["a"] })).inputs).toBe(101);
    expect((await prepareStream(stream({ a: "text" }), { target: "y" })).inputs).toBe(101);
    // A later table's odd cell is csvStream's to tell.
    const later = csvStream([rows((i) => (i === 33 ? "unknown" : String(i)))], { rows: 10 });
    const said = await rejectionOf(() => prepareStream(later, { target: "y" }));
    expect(said.message).toMatch(
      /^csvStream: .*"a" at row 35, received "unknown"\. .*missing: \[\.\.\.MISSING_CELLS, "unknown"\]/,
    );
  });
});
