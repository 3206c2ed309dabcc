// What TypeScript takes, which `npm run check` tells by compiling this file, and that it is true when it runs: what
// functions return is an array on a buffer of its own, of the kind that Blob, Response and crypto.subtle take.
import { afterAll, describe, expect, expectTypeOf, it } from "vitest";
import {
  apply,
  applyInputs,
  decode,
  oneHot,
  prepare,
  scale,
  split,
  standardize,
  table,
  toIndices,
} from "../src/data.ts";
import { adam, type Dataset, dense, type Evaluation, load, sequential } from "../src/index.ts";
import { load as loadPredictor } from "../src/infer.ts";

const x = new Float32Array(2000).map((_, i) => Math.fround(((i * 37) % 100) / 50 - 1));
const y = Uint8Array.from({ length: 1000 }, (_, i) => i % 2);
const data: Dataset = { x, y };

interface Row {
  readonly size: number;
  readonly color?: string | null;
}
const rows: readonly Row[] = [{ size: 1, color: "red" }, { size: 2, color: null }, { size: 3 }];
interface Columns {
  readonly size: Float64Array;
  readonly color: string[];
}
const columns: Columns = { size: Float64Array.of(1, 2), color: ["red", "blue"] };

const models = [1, 2].map((threads) => {
  const layers = [dense(64, { activation: "relu" }), dense(2, { activation: "softmax" })];
  const config = { input: 2, layers, loss: "cross-entropy", optimizer: adam(), maxBatch: 1000, threads } as const;
  return { threads, model: sequential(config) };
});
afterAll(() => {
  for (const { model } of models) model[Symbol.dispose]();
});

describe.each(models)("what a model on $threads threads returns", ({ threads, model }) => {
  it("is on a plain buffer of its own", () => {
    expect(model.weights.buffer).toBeInstanceOf(threads === 2 ? SharedArrayBuffer : ArrayBuffer);
    const out = new Float32Array(2000);
    const arrays = [
      model.save(),
      model.save({ state: false }),
      model.save({ dtype: "f16" }),
      model.predict(x),
      model.predictClasses(x),
      model.forward(x, { training: false }),
      model.forward(x),
      model.backward(new Float32Array(2000)),
      model.predictInto(x, out),
    ] satisfies { readonly buffer: ArrayBuffer }[];
    for (const { buffer, byteLength } of arrays) {
      expect(buffer).toBeInstanceOf(ArrayBuffer);
      expect(buffer.byteLength).toBe(byteLength);
    }
    expect(model.predictInto(x, out)).toBe(out);
  });

  it("goes where the web's interfaces want it", async () => {
    const bytes = model.save();
    expect(new Blob([model.save()]).size).toBe(bytes.length);
    expect((await new Response(model.save()).arrayBuffer()).byteLength).toBe(bytes.length);
    expect((await crypto.subtle.digest("SHA-256", model.save())).byteLength).toBe(32);
    const outputs: Float32Array<ArrayBuffer> = model.predict(x);
    expect(load(bytes).predict(x)).toEqual(outputs);
    expect(loadPredictor(bytes).predict(x) satisfies Float32Array<ArrayBuffer>).toEqual(outputs);
    expect(loadPredictor(bytes).predictClasses(x).buffer satisfies ArrayBuffer).toBeInstanceOf(ArrayBuffer);
  });

  it("of an evaluation is a promise where a stream may be", async () => {
    const source = data as Dataset | AsyncIterable<Dataset>;
    expectTypeOf(model.evaluate(source)).toEqualTypeOf<Evaluation | Promise<Evaluation>>();
    expectTypeOf(model.evaluate(data)).toEqualTypeOf<Evaluation>();
    expectTypeOf(model.evaluate([data])).toEqualTypeOf<Promise<Evaluation>>();
    expect(await model.evaluate(source)).toEqual(await model.evaluate([data]));
  });
});

it("predictInto gives what it got", () => {
  const [{ model }] = models;
  const shared = new Float32Array(new SharedArrayBuffer(8000));
  expectTypeOf(model.predictInto(x, shared)).toEqualTypeOf<Float32Array<SharedArrayBuffer>>();
  expect(model.predictInto(x, shared)).toBe(shared);
});

describe("what data become", () => {
  it("is on a plain buffer of its own", () => {
    const source = table([...rows, { size: 4, color: "blue" }]);
    const fitted = prepare(source, { target: "size" });
    const { x, y } = apply(fitted, source);
    const decoded = decode(fitted, y);
    const arrays = [
      x,
      y,
      ...(decoded instanceof Float64Array ? [decoded] : []),
      applyInputs(fitted, source),
      scale(standardize([[1], [2]]), [[1], [2]]),
      oneHot([0, 1]),
      toIndices(["a"], ["a"]),
      split(4, { test: 0.5 }).train,
    ] satisfies { readonly buffer: ArrayBuffer }[];
    expect(arrays).toHaveLength(8);
    for (const { buffer, byteLength } of arrays) {
      expect(buffer).toBeInstanceOf(ArrayBuffer);
      expect(buffer.byteLength).toBe(byteLength);
    }
  });

  it("is a table of what interfaces describe", () => {
    expect(table(rows).columns.map(({ name, type }) => [name, type])).toEqual([
      ["size", "number"],
      ["color", "text"],
    ]);
    expect(table(columns).rows).toBe(2);
    expect(table(columns as Columns | readonly Row[]).rows).toBe(2);
    expect(table([{ a: 1 }, { b: "x" }]).columns).toHaveLength(2);
    const parsed: unknown = JSON.parse('[{ "a": "1" }]');
    expect(table(parsed as Record<string, string>[]).rows).toBe(1);
    // @ts-expect-error: a cell is no object
    expect(() => table([{ a: {} }])).toThrow("row 0");
    // @ts-expect-error: a column is a list
    expect(() => table({ a: 1 })).toThrow("received 1");
    // @ts-expect-error: a record has names
    expect(() => table([["a"]])).toThrow("an array of 1");
    // @ts-expect-error: neither columns nor records
    expect(() => table(1)).toThrow("received 1");
  });
});
