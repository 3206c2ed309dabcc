// What messages show of a value that came: its kind and a little of it, however large it is and whatever it does.
import { describe, expect, it } from "vitest";
import { csv, prepare, table } from "../../src/data.ts";
import { show } from "../../src/errors.ts";
import { adam, createRuntime, dense, load, SimdgradError, sequential } from "../../src/index.ts";
import { load as loadPredictor } from "../../src/infer.ts";
import { errorOf, rejectionOf, wrong } from "../support/errors.ts";

const model = sequential({ input: 2, layers: [dense(1)], loss: "mean-squared-error", optimizer: adam() });
const data = { x: [[1, 2]], y: [1] };
class Row {
  readonly a = 1;
}

/** Counts what is read of it. */
function watched(keys: readonly string[], get: (key: PropertyKey) => unknown) {
  const seen = { reads: 0 };
  const value = new Proxy(Object.fromEntries(keys.map((key) => [key, 0])), {
    get: (target, key) => {
      seen.reads++;
      return key in target && typeof key === "string" ? get(key) : undefined;
    },
  });
  return { value, seen };
}

function throwing(): never {
  throw new Error("mine");
}

describe("what is shown of values", () => {
  it.each<readonly [string, unknown, string]>([
    ["numbers in typed arrays by their count", { x: new Float32Array(1e7) }, '{"x":Float32Array(10000000)}'],
    ["bytes", new Uint8Array(3), "Uint8Array(3)"],
    ["a DataView's bytes", new DataView(new ArrayBuffer(12)), "DataView(12)"],
    ["an array by its length", [[1], [2]], "an array of 2"],
    ["an array within", { x: new Array(1e9), y: [] }, '{"x":an array of 1000000000,"y":an array of 0}'],
    ["what JSON leaves out", { a: undefined, b: Number.NaN, c: dense }, '{"a":undefined,"b":NaN,"c":a function}'],
    ["two levels", { a: { b: { c: { d: 1 } } } }, '{"a":{"b":{...}}}'],
    ["a Map", new Map(Array.from({ length: 1e6 }, (_, i) => [i, i])), "a Map"],
    ["a Set", new Set([1]), "a Set"],
    ["an ArrayBuffer", new ArrayBuffer(4), "an ArrayBuffer"],
    ["an AbortController", new AbortController(), "an AbortController"],
    ["a Blob", new Blob([]), "a Blob"],
    ["a Date", new Date(0), "a Date"],
    ["a generator", (function* () {})(), "a Generator"],
    ["an instance of a class", new Row(), "a Row"],
    ["an object without a prototype", Object.create(null, { a: { value: 1, enumerable: true } }), '{"a":1}'],
    ["a key called constructor", { constructor: "a" }, '{"constructor":"a"}'],
    ["a promise", Promise.resolve(), "a Promise (await it)"],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    ["null", null, "null"],
  ])("%s", (_, value, shown) => {
    expect(show(value)).toBe(shown);
  });

  it("is short, also of what is long", () => {
    const long = "x".repeat(1e6);
    for (const value of [long, { [long]: long }, [long], 10n ** 1000n, Symbol(long), new Date(), { a: { b: long } }]) {
      expect(show(value).length).toBeLessThanOrEqual(83);
    }
    expect(show({ [long]: 1 })).toBe(`{"${"x".repeat(40)}...":1}`);
  });

  it("ends where a value goes in circles, or deeper than any stack", () => {
    const circle: { self?: object } = {};
    circle.self = circle;
    expect(show(circle)).toBe('{"self":{"self":{...}}}');
    let deep: object = {};
    for (let i = 0; i < 1e5; i++) deep = { deep };
    expect(show(deep)).toBe('{"deep":{"deep":{...}}}');
  });

  it("reads no more of it than is shown", () => {
    const inner = watched(
      Array.from({ length: 1000 }, (_, i) => `inner${i}`),
      (key) => key,
    );
    const outer = watched(
      Array.from({ length: 1000 }, (_, i) => `key${i}`),
      () => inner.value,
    );
    expect(show(outer.value)).toMatch(/^\{"key0":\{"inner0":"inner0",.*\.\.\.$/);
    expect(outer.seen.reads + inner.seen.reads).toBeLessThan(500);
  });

  it("takes what throws for an object", () => {
    const throwers = [
      { get: throwing },
      { ownKeys: throwing },
      { getPrototypeOf: throwing, get: throwing },
    ] satisfies ProxyHandler<object>[];
    for (const handler of throwers) expect(show(new Proxy({ a: 1 }, handler))).toBe("an object");
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    expect(show(proxy)).toBe("an object");
    const getter = Object.defineProperty({}, "a", { get: throwing, enumerable: true });
    expect(show(getter)).toBe("an object");
    expect(show({ b: 1, c: { getter } })).toBe('{"b":1,"c":{"getter":{...}}}');
    expect(show({ b: 1, getter })).toBe('{"b":1,"getter":an object}');
    expect(show({ toJSON: throwing })).toBe('{"toJSON":a function}');
    expect(errorOf(() => model.predict(wrong(getter)))).toBeInstanceOf(SimdgradError);
  });
});

describe("a promise in the place of what it comes to", () => {
  const promise = wrong(Promise.resolve(data));
  it.each<readonly [string, () => unknown]>([
    ["predict", () => model.predict(promise)],
    ["predictClasses", () => model.predictClasses(promise)],
    ["fit", () => model.fit(promise)],
    ["fit, of pieces", () => model.fit(wrong([promise]))],
    ["evaluate", () => model.evaluate(promise)],
    ["trainBatch", () => model.trainBatch(promise, promise)],
    ["setWeights", () => model.setWeights(promise)],
    ["load", () => load(promise)],
    ["load to predict", () => loadPredictor(promise)],
    ["createRuntime", () => createRuntime(promise)],
    ["csv", () => csv(promise)],
    ["table", () => table(promise)],
    ["prepare", () => prepare(promise, { target: "a" })],
  ])("%s says that an await is missing", async (_, call) => {
    expect((await rejectionOf(call)).message).toContain("received a Promise (await it)");
  });

  it("an AbortController is told to give its signal", async () => {
    const { message, hint } = await rejectionOf(() => model.fit(data, { signal: wrong(new AbortController()) }));
    expect(message).toContain("received an AbortController");
    expect(hint).toMatch(/\.signal\.$/);
  });
});
