// Data in pieces: the same bits as whole, one piece at a time, closed and resumable however a pass ends.
import { describe, expect, it } from "vitest";
import {
  adam,
  type DataSource,
  type DataStream,
  type Dataset,
  dense,
  type FitOptions,
  load,
  type SequentialConfig,
  sequential,
  sgd,
} from "../../src/index.ts";
import { wrong } from "../support/errors.ts";
import { collectGarbage } from "../support/garbage.ts";
import { ordersOf } from "../support/orders.ts";
import { randomSource } from "../support/random.ts";

const random = randomSource(81);
const ROWS = 103;
const config: SequentialConfig = {
  input: 4,
  layers: [dense(9, { activation: "relu" }), dense(3, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam({ learningRate: 0.05 }),
  metrics: ["f1"],
  maxBatch: 16,
};
const x = random.floats(ROWS * 4);
const y = Int32Array.from({ length: ROWS }, () => random.integer(3));
const sampleWeight = Float32Array.from({ length: ROWS }, () => random.integer(4));
const whole: Dataset = { x, y };

/** The whole set in pieces of these sizes, over and over; `weighted`: which pieces bring weights. */
function pieces(sizes: number[], weighted: (piece: number) => boolean = () => false): Dataset[] {
  const result: Dataset[] = [];
  for (let start = 0, i = 0; start < ROWS; i++) {
    const end = Math.min(ROWS, start + sizes[i % sizes.length]);
    const weights = weighted(i) ? { sampleWeight: sampleWeight.subarray(start, end) } : {};
    result.push({ x: x.subarray(start * 4, end * 4), y: y.subarray(start, end), ...weights });
    start = end;
  }
  return result;
}

async function* slowly(data: Iterable<Dataset>): AsyncGenerator<Dataset> {
  for (const piece of data) {
    await Promise.resolve();
    yield piece;
  }
}

const trained = async (source: DataSource, options: FitOptions = {}) => {
  const model = sequential(config);
  const { epochs } = await model.fit(source, { epochs: 3, batchSize: 16, shuffle: false, ...options });
  return { bytes: model.save(), reports: epochs.map((report) => ({ ...report, rowsPerSecond: 0 })) };
};

describe("a stream trains with the bits of the whole", () => {
  for (const sizes of [[1], [7], [16], [5, 0, 31, 1], [64], [ROWS]]) {
    it(`in pieces of ${sizes}`, async () => {
      const expected = await trained(whole);
      expect(await trained(() => pieces(sizes))).toEqual(expected);
      expect(await trained(() => slowly(pieces(sizes)))).toEqual(expected);
      expect(await trained(async () => slowly(pieces(sizes)))).toEqual(expected);
    });
  }

  it("weighted in some pieces and by class, validated by a stream", async () => {
    const sizes = [13, 21];
    const odd = (piece: number) => piece % 2 === 1;
    const weights = pieces(sizes, odd).flatMap((piece) =>
      Array.from({ length: (piece.y as Int32Array).length }, (_, i) => piece.sampleWeight?.[i] ?? 1),
    );
    const options = { classWeight: { 1: 3 } };
    const expected = await trained({ ...whole, sampleWeight: weights }, { ...options, validation: whole });
    const found = await trained(() => pieces(sizes, odd), { ...options, validation: () => pieces([10]) });
    // Where no row of a batch has a weight of its own, class weights still weigh all.
    expect(found).toEqual(expected);
  });

  it("one-hot rows and rows of values too", async () => {
    const rows = (labels: Int32Array) => Array.from(labels, (label) => [0, 1, 2].map((j) => Number(j === label)));
    const oneHot = pieces([10]).map((piece) => ({ ...piece, y: rows(piece.y as Int32Array) }));
    expect(await trained(() => oneHot)).toEqual(await trained({ x, y: rows(y) }));
  });

  it("and is evaluated as the whole", async () => {
    const model = sequential(config);
    const expected = model.evaluate({ ...whole, sampleWeight });
    const all = () => true;
    expect(await model.evaluate(slowly(pieces([9], all)))).toEqual(expected);
    expect(await model.evaluate(() => pieces([50, 3], all))).toEqual(expected);
    expect(await load(model.save(), { inference: true, maxBatch: 16 }).evaluate(pieces([9], all))).toEqual(expected);
  });
});

describe("shuffling", () => {
  async function orders(shuffle: FitOptions["shuffle"], { epochs = 2, seed = 0, batchSize = 1, rows = 50 } = {}) {
    const source = function* () {
      for (let i = 0; i < rows; i += 7) {
        const count = Math.min(7, rows - i);
        yield { x: Float32Array.from({ length: count }, (_, j) => i + j), y: new Float32Array(count) };
      }
    };
    return ordersOf(() => source(), { epochs, batchSize, ...(shuffle === undefined ? {} : { shuffle }) }, seed);
  }
  const numbers = Array.from({ length: 50 }, (_, i) => i);
  const sorted = (order: number[]) => [...order].sort((a, b) => a - b);

  it("mixes within a buffer, every epoch anew, by the seed", async () => {
    const [first, second] = await orders({ buffer: 20 });
    expect(sorted(first)).toEqual(numbers);
    expect(sorted(second)).toEqual(numbers);
    expect(first).not.toEqual(second);
    for (const [start, end] of [
      [0, 20],
      [20, 40],
      [40, 50],
    ]) {
      const part = first.slice(start, end);
      expect(sorted(part)).toEqual(numbers.slice(start, end));
      expect(part).not.toEqual(numbers.slice(start, end));
    }
    // Parts have orders of their own.
    expect(first.slice(20, 40)).not.toEqual(first.slice(0, 20).map((row) => row + 20));
    expect(await orders({ buffer: 20 })).toEqual([first, second]);
    expect((await orders({ buffer: 20 }, { seed: 1 }))[0]).not.toEqual(first);
  });

  it("happens when asked, and then in 4096 rows", async () => {
    expect((await orders(undefined))[0]).toEqual(numbers);
    expect((await orders(false))[0]).toEqual(numbers);
    const [order] = await orders(true, { epochs: 1, rows: 5000 });
    expect(Math.max(...order.slice(0, 4096))).toBe(4095);
    expect(sorted(order)).toHaveLength(5000);
    expect(order.slice(0, 50)).not.toEqual(numbers);
  });
});

/** Counts what is asked of a stream. */
function watched(data: Dataset[], failAt = Number.POSITIVE_INFINITY) {
  const seen = { pulled: 0, closed: 0, opened: 0 };
  const stream: AsyncIterable<Dataset> = {
    [Symbol.asyncIterator]() {
      seen.opened++;
      let i = 0;
      return {
        next: async () => {
          if (i >= failAt) throw new Error("the disk is gone");
          seen.pulled++;
          return i < data.length ? { done: false, value: data[i++] } : { done: true, value: undefined };
        },
        return: async () => {
          seen.closed++;
          return { done: true, value: undefined };
        },
      };
    },
  };
  return { seen, stream };
}

describe("the ends of a stream", () => {
  it("pieces are pulled when they are needed, one at a time", async () => {
    const { seen, stream } = watched(pieces([8]));
    const pulledAt: number[] = [];
    await sequential(config).fit(stream, { batchSize: 16, onBatch: () => void pulledAt.push(seen.pulled) });
    // 13 pieces of 8 rows; the last batch has 7 rows, and the end has been seen by then.
    expect(pulledAt).toEqual([2, 4, 6, 8, 10, 12, 14]);
    expect(seen).toEqual({ pulled: 14, closed: 0, opened: 1 });
  });

  it("a callback that throws closes the stream", async () => {
    const { seen, stream } = watched(pieces([8]));
    const onBatch = () => {
      throw new Error("mine");
    };
    const model = sequential(config);
    await expect(model.fit(stream, { batchSize: 16, onBatch })).rejects.toThrow("mine");
    expect(seen).toEqual({ pulled: 2, closed: 1, opened: 1 });
    await model.fit(whole);
  });

  it("an abort closes it too, also one that waits for a piece that never comes", async () => {
    const abort = new AbortController();
    const { seen, stream } = watched(pieces([8]));
    const options = { batchSize: 16, signal: abort.signal };
    const model = sequential(config);
    const running = model.fit(stream, { ...options, onBatch: () => abort.abort(new Error("enough")) });
    await expect(running).rejects.toThrow("enough");
    expect(seen.closed).toBe(1);

    const later = new AbortController();
    let closed = false;
    const silent: AsyncIterable<Dataset> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: () => {
          closed = true;
          return new Promise(() => undefined);
        },
      }),
    };
    const waiting = model.fit(silent, { signal: later.signal });
    setTimeout(() => later.abort(new Error("no more")), 5);
    await expect(waiting).rejects.toThrow("no more");
    expect(closed).toBe(true);
    await model.fit(whole);
  });

  it("an abort between two pieces does not wait for the second, nor one for a stream to open", async () => {
    const abort = new AbortController();
    let closed = false;
    const one = pieces([16])[0];
    let sent = 0;
    const halting: AsyncIterable<Dataset> = {
      [Symbol.asyncIterator]: () => ({
        next: () => (sent++ === 0 ? Promise.resolve({ done: false, value: one }) : new Promise(() => undefined)),
        return: async () => {
          closed = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const model = sequential(config);
    const onBatch = () => abort.abort(new Error("enough"));
    await expect(model.fit(halting, { batchSize: 16, onBatch, signal: abort.signal })).rejects.toThrow("enough");
    expect({ closed, sent }).toEqual({ closed: true, sent: 1 });

    const later = new AbortController();
    const opening = model.fit(() => new Promise(() => undefined), { signal: later.signal });
    setTimeout(() => later.abort(new Error("no more")), 5);
    await expect(opening).rejects.toThrow("no more");
    await model.fit(whole);
  });

  it("the stream's own error comes through and leaves a usable model", async () => {
    const { seen, stream } = watched(pieces([8]), 5);
    const model = sequential(config);
    const steps: number[] = [];
    const running = model.fit(stream, { batchSize: 16, onBatch: ({ step }) => void steps.push(step) });
    await expect(running).rejects.toThrow("the disk is gone");
    expect(steps).toEqual([1, 2]);
    expect(seen.closed).toBe(0);
    await expect(model.evaluate(watched(pieces([8]), 2).stream)).rejects.toThrow("the disk is gone");
    await model.fit(whole);
  });

  it("a loop over train that breaks leaves no stream open", async () => {
    let open = 0;
    const source = async function* () {
      open++;
      try {
        yield* pieces([8]);
      } finally {
        open--;
      }
    };
    for await (const { epoch } of sequential(config).train(() => source(), { epochs: 5 })) if (epoch === 2) break;
    expect(open).toBe(0);
  });

  const piece = pieces([8])[0];
  const mistakes: [string, DataSource, string, RegExp][] = [
    ["no rows", [], "DATA", /fit: expected at least one row/],
    ["only empty pieces", [{ x: [], y: [] }], "DATA", /at least one row/],
    ["a piece that is none", [piece, wrong(x)], "DATA", /piece 1: expected data { x, y }/],
    ["a bad label", [piece, { x: [[1, 2, 3, 4]], y: [7] }], "DATA", /piece 1.*row 0.*7/],
    ["not a number", [piece, { x: [[1, 2, Number.NaN, 4]], y: [0] }], "DATA", /piece 1.*row 0, column 2/],
    ["a short row", [{ x: [[1, 2, 3]], y: [0] }], "SHAPE", /piece 0.*4/],
    ["another kind of targets", [piece, { x: [[1, 2, 3, 4]], y: [[1, 0, 0]] }], "SHAPE", /piece 1.*indices or rows/],
    ["a function that opens nothing", wrong(() => 7), "DATA", /stream of { x, y }, received 7/],
  ];
  for (const [name, source, code, message] of mistakes) {
    it(`${name}: ${code}`, async () => {
      const model = sequential(config);
      await expect(model.fit(source)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
      await model.fit(whole);
    });
  }

  it("several epochs, and their validations, need a function", () => {
    const model = sequential(config);
    const error = expect.objectContaining({
      code: "CONFIG",
      message: expect.stringMatching(/2 epochs.*\(\) => stream/),
    });
    expect(() => model.train(slowly(pieces([8])), { epochs: 2 })).toThrow(error);
    expect(() => model.train(whole, { epochs: 2, validation: pieces([8]) })).toThrow(error);
    expect(() => model.train(() => pieces([8]), { validationSplit: 0.5 })).toThrow(/validationSplit of a stream/);
    expect(() => model.train(() => pieces([8]), { shuffle: { buffer: 0 } })).toThrow(/buffer/);
  });
});

describe("an interrupted stream", () => {
  for (const shuffle of [false, { buffer: 40 }]) {
    for (const at of [0, 2, 4, 6, 7, 13, 20]) {
      it(`goes on after batch ${at}${shuffle ? ", shuffled" : ""}, as if it had not been`, async () => {
        const source = () => slowly(pieces([11, 3], (i) => i % 3 === 0));
        const options: FitOptions = { epochs: 3, batchSize: 16, shuffle, validation: whole };
        const uninterrupted = sequential(config);
        await uninterrupted.fit(source, options);
        const abort = new AbortController();
        let seen = 0;
        let saved: Uint8Array = new Uint8Array(0);
        const model = sequential(config);
        const onBatch = () => {
          if (seen++ !== at) return;
          saved = model.save();
          abort.abort();
        };
        await model.fit(source, { ...options, onBatch, signal: abort.signal }).catch(() => undefined);
        for (const resumed of [load(saved, { maxBatch: 16 }), model]) {
          await resumed.fit(source, { ...options, resume: true });
          expect(resumed.save()).toEqual(uninterrupted.save());
        }
      });
    }
  }

  it("wants the same stream", async () => {
    const abort = new AbortController();
    const model = sequential(config);
    const onBatch = ({ batch }: { batch: number }) => batch === 4 && abort.abort();
    await model.fit(pieces([8]), { batchSize: 16, onBatch, signal: abort.signal }).catch(() => undefined);
    const again = (source: DataSource) => model.fit(source, { batchSize: 16, resume: true });
    await expect(again(whole)).rejects.toMatchObject({
      code: "CONFIG",
      message: expect.stringMatching(/stream.*103 rows/),
    });
    await expect(again(pieces([8]).slice(0, 3))).rejects.toMatchObject({
      code: "CONFIG",
      message: expect.stringMatching(/which had more rows, received one of 24\./),
    });
    await again(pieces([8]));
  });
});

it("a million rows take no more memory than a thousand", async () => {
  const inputs = 8;
  const size = 1000;
  // One room for all pieces: whatever grows is the model's.
  const piece = { x: random.floats(size * inputs), y: random.floats(size) };
  const stream = function* (count: number): DataStream & Iterable<Dataset> {
    for (let i = 0; i < count; i++) {
      piece.x[i % piece.x.length] = i / count;
      yield piece;
    }
  };
  const model = sequential({ input: inputs, layers: [dense(1)], loss: "mean-squared-error", optimizer: sgd() });
  const options = { batchSize: 250, shuffle: { buffer: 2000 } };
  await model.fit(stream(10), options);
  collectGarbage();
  const before = { model: model.memory.total, buffers: process.memoryUsage().arrayBuffers };
  const { epochs } = await model.fit(stream(1000), options);
  expect(epochs[0].step).toBe(40 + 4000);
  expect(model.memory.total).toBe(before.model);
  collectGarbage();
  // The rows are 36 MB; a pass needs its chunk and views.
  expect(process.memoryUsage().arrayBuffers - before.buffers).toBeLessThan(8e6);
});
