// Embeddings in a model: which column, which vector, and what is no index.
import { describe, expect, it } from "vitest";
import {
  adam,
  concat,
  dense,
  type ErrorCode,
  embedding,
  load,
  residual,
  type SequentialConfig,
  sequential,
} from "../../src/index.ts";
import { load as loadPredictor } from "../../src/infer.ts";
import { randomSource } from "../support/random.ts";

const random = randomSource(23);
const ROWS = 30;
/** Columns: a number, one of 5, a number, one of 3. */
const x = Float32Array.from({ length: ROWS * 4 }, (_, i) =>
  i % 2 === 0 ? random.uniform(-1, 1) : random.integer(i % 4 === 1 ? 5 : 3),
);
const y = Int32Array.from({ length: ROWS }, (_, i) => (x[4 * i + 1] + x[4 * i + 3]) % 2);
const config: SequentialConfig = {
  input: 4,
  layers: [
    embedding({ vocabulary: 3, units: 2, column: 3 }),
    embedding({ vocabulary: 5, units: 6, column: 1 }),
    dense(8, { activation: "tanh" }),
    dense(2, { activation: "softmax" }),
  ],
  loss: "cross-entropy",
  optimizer: adam({ learningRate: 0.05 }),
};
const expectError = (call: () => unknown, code: ErrorCode, message: RegExp) =>
  expect(call).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));

describe("embedding", () => {
  it("puts the index's vector in the column's place", () => {
    const model = sequential({ input: 3, layers: [embedding({ vocabulary: 4, units: 2, column: 1 })] });
    model.setWeights({ "0.table": [10, 11, 20, 21, 30, 31, 40, 41] });
    expect(model.parameters[0].shape).toEqual([4, 2]);
    expect([...model.predict([[1, 2, 3], [4, 0, 5]])]).toEqual([1, 30, 31, 3, 4, 10, 11, 5]); // biome-ignore format: rows
    const only = sequential({ input: 1, layers: [embedding({ vocabulary: 4, units: 2, column: 0 })] });
    only.setWeights(model.weights.slice());
    expect([...only.predict([[3], [1]])]).toEqual([40, 41, 20, 21]); // biome-ignore format: rows
  });

  it("gives each row of the table the gradients of its rows, and the index none", () => {
    const model = sequential({ input: 2, layers: [embedding({ vocabulary: 3, units: 2, column: 0 })] });
    model.forward([[2, 5], [0, 6], [2, 7]]); // biome-ignore format: rows
    expect([...model.backward([[1, 2, 3], [4, 5, 6], [7, 8, 9]])]).toEqual([0, 3, 0, 6, 0, 9]); // biome-ignore format: rows
    expect([...model.gradients]).toEqual([4, 5, 0, 0, 8, 10]);
  });

  it("starts normal, of standard deviation 1, or as asked", () => {
    const options = { vocabulary: 1000, units: 20, column: 0 };
    const { weights } = sequential({ input: 1, layers: [embedding(options)] });
    const square = weights.reduce((sum, value) => sum + value * value, 0) / weights.length;
    // The variance of a square is 2.
    expect(Math.abs(square - 1)).toBeLessThan(6 * Math.sqrt(2 / weights.length));
    const zeros = sequential({ input: 1, layers: [embedding({ ...options, tableInit: "zeros" })] });
    expect(new Set(zeros.weights)).toEqual(new Set([0]));
  });

  it("learns, resumes and predicts alone", async () => {
    const model = sequential(config);
    await model.fit({ x, y }, { epochs: 40, batchSize: 8 });
    expect(model.evaluate({ x, y }).accuracy).toBe(1);
    const same = load(model.save());
    expect(same.spec).toEqual(model.spec);
    for (const each of [same, model]) await each.fit({ x, y }, { epochs: 2, batchSize: 8 });
    expect(same.weights).toEqual(model.weights);
    expect(loadPredictor(model.save()).predict(x)).toEqual(model.predict(x));
    const frozen = sequential({
      ...config,
      layers: [embedding({ vocabulary: 5, units: 6, column: 1, trainable: false }), ...config.layers.slice(2)],
    });
    const table = frozen.parameters[0].value.slice();
    await frozen.fit({ x, y }, { epochs: 2 });
    expect(frozen.parameters[0].value).toEqual(table);
  });

  it("an index that is not whole or out of range is DATA with row and column, everywhere, before anything is written", async () => {
    const model = sequential(config);
    const before = Buffer.from(model.save()).toString("latin1");
    for (const [at, value, range] of [
      [4 * 7 + 1, 5, "0 to 4"],
      [4 * 7 + 1, -1, "0 to 4"],
      [4 * 7 + 3, 3, "0 to 2"],
      [4 * 7 + 3, 1.5, "0 to 2"],
    ] as const) {
      const wrong = Float64Array.from(x);
      wrong[at] = value;
      const message = new RegExp(`whole number from ${range} in x at row 7, column ${at % 4}, received ${value}`);
      expectError(() => model.predict(wrong), "DATA", message);
      expectError(() => model.trainBatch(wrong, y), "DATA", message);
      expectError(() => model.evaluate({ x: wrong, y }), "DATA", message);
      expectError(() => model.forward(wrong), "DATA", message);
      await expect(model.fit({ x: wrong, y }, { batchSize: 4 })).rejects.toMatchObject({ code: "DATA" });
      await expect(model.fit({ x, y }, { validation: { x: wrong, y } })).rejects.toMatchObject({ code: "DATA" });
      expectError(() => loadPredictor(model.save()).predict(wrong), "DATA", message);
      const piece = { x: wrong.subarray(4 * 4), y: y.slice(4) };
      const named = {
        code: "DATA",
        message: expect.stringMatching(`piece 2: .*whole number from ${range} in x at row 3, column ${at % 4}`),
      };
      const stream = () => [{ x, y }, { x, y }, piece];
      await expect(model.evaluate(stream)).rejects.toMatchObject(named);
      await expect(model.clone().fit(stream, { batchSize: 4096 })).rejects.toMatchObject(named);
    }
    expect(Buffer.from(model.save()).toString("latin1")).toBe(before);
  });

  it("does not take large indices for features out of scale", () => {
    const layers = [embedding({ vocabulary: 1e5, units: 2, column: 0 }), dense(2, { activation: "softmax" })];
    const model = sequential({ ...config, input: 2, layers });
    model.parameters[0].value.fill(2);
    model.parameters[1].value.fill(1e38);
    const rows = Float32Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 99_999 : 1));
    expectError(() => model.trainBatch(rows, new Int32Array(10)), "NUMERIC", /weights have grown/);
  });

  it("stands first, on a column that holds indices", () => {
    const layer = embedding({ vocabulary: 3, units: 2, column: 1 });
    const refused = (layers: SequentialConfig["layers"], message: RegExp) =>
      expectError(() => sequential({ input: 4, layers }), "CONFIG", message);
    refused([dense(4), layer], /embedding.*first layer/);
    refused([residual([layer, dense(4)])], /embedding.*first layer/);
    refused([concat([[layer], []])], /embedding.*first layer/);
    refused([embedding({ vocabulary: 3, units: 2, column: 4 })], /column.*0 to 3, received 4/);
    refused([layer, embedding({ vocabulary: 3, units: 2, column: 2 })], /within the vector/);
    for (const options of [
      { vocabulary: 0, units: 2, column: 0 },
      { vocabulary: 2 ** 24 + 1, units: 2, column: 0 },
      { vocabulary: 3, units: 1.5, column: 0 },
      { vocabulary: 3, units: 2, column: -1 },
      { vocabulary: 3, units: 2 } as never,
      { vocabulary: 3, units: 2, column: 0, size: 3 } as never,
    ]) {
      expectError(() => embedding(options), "CONFIG", /embedding/);
    }
  });
});
