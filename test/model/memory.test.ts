// No step leaves anything behind, and a dropped model is freed.
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { adam, dense, type Model, planMemory, type SequentialConfig, sequential } from "../../src/index.ts";
import { collectGarbage } from "../support/garbage.ts";
import { LONG } from "../support/long.ts";
import { randomSource } from "../support/random.ts";

const config: SequentialConfig = {
  input: 4,
  layers: [dense(16, { activation: "relu" }), dense(3, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam(),
};

const batch = () => ({ x: randomSource(1).floats(64), y: Int32Array.from({ length: 16 }, (_, i) => i % 3) });

/** How far the heap grows while it is done, in the best of three rounds: a leak grows in each, what engines compile and
 *  count in pages does not. */
function heapGrowth(work: () => void): number {
  const rounds = Array.from({ length: 3 }, () => {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    work();
    collectGarbage();
    return process.memoryUsage().heapUsed - before;
  });
  return Math.min(...rounds);
}

describe("memory", () => {
  it("100,000 steps leave memory and JS heap where they were", () => {
    const model = sequential(config);
    const { x, y } = batch();
    const out = new Float32Array(48);
    const steps = (count: number) => {
      for (let i = 0; i < count; i++) {
        model.trainBatch(x, y);
        if (i % 100 === 0) model.predictInto(x, out);
      }
    };
    steps(2000);
    const memory = model.weights.buffer.byteLength;
    // A leak of 3 bytes a step would show.
    expect(heapGrowth(() => steps(100_000))).toBeLessThan(300_000);
    expect(model.weights.buffer.byteLength).toBe(memory);
  });

  it("many batch sizes leave no lists behind", () => {
    const model = sequential({ ...config, maxBatch: 2000 });
    const x = randomSource(2).floats(2000 * 4);
    let rows = 1;
    const sizes = (count: number) => {
      for (const end = rows + count; rows < end; rows++) model.predict(x.subarray(0, rows * 4));
    };
    sizes(500);
    // A list takes 1.2 KB: 500 of them are 600 KB.
    expect(heapGrowth(() => sizes(500))).toBeLessThan(300_000);
  });

  it(`${LONG ? "20,000" : "2,000"} models made and dropped are collected`, async () => {
    const count = LONG ? 20_000 : 2000;
    const { x, y } = batch();
    let freed = 0;
    const registry = new FinalizationRegistry<void>(() => {
      freed++;
    });
    // In a function of its own: V8 keeps what the frame of a running loop saw last.
    const makeAndDrop = async () => {
      for (let i = 0; i < count; i++) {
        const model = sequential(config);
        model.trainBatch(x, y);
        registry.register(model, undefined);
        if (i % 500 === 499) await turn();
      }
    };
    await makeAndDrop();
    for (let i = 0; i < 50 && freed < count; i++) {
      collectGarbage();
      await turn();
    }
    expect(freed).toBe(count);
  });

  it("planMemory tells what the model takes", () => {
    for (const maxBatch of [1, 32, 1000]) {
      const model: Model = sequential({ ...config, maxBatch });
      const planned = planMemory({ ...config, maxBatch });
      expect(planned.total).toBe(model.weights.buffer.byteLength);
      expect(planned.regions).toEqual(model.memory.regions);
    }
  });

  it("a larger training batch plans anew and keeps weights, moments and their addresses", () => {
    const model = sequential({ ...config, maxBatch: 2 });
    const { x, y } = batch();
    model.trainBatch(x.subarray(0, 8), y.subarray(0, 2));
    const before = model.parameters.map(({ value, moments }) =>
      [value, ...moments].map((view) => [view.byteOffset, view.slice()]),
    );
    model.forward(randomSource(3).floats(4 * 5000));
    const after = model.parameters.map(({ value, moments }) =>
      [value, ...moments].map((view) => [view.byteOffset, view.slice()]),
    );
    expect(after).toEqual(before);
    expect(model.memory.maxBatch).toBe(5000);
  });

  it("Adam with moments of 1e-39 leaves no denormal", () => {
    const model = sequential(config);
    const { x, y } = batch();
    for (const { moments } of model.parameters) for (const moment of moments) moment.fill(1e-39);
    model.trainBatch(x, y);
    for (const { name, moments } of model.parameters) {
      for (const moment of moments) {
        expect(
          moment.filter((value) => value !== 0 && Math.abs(value) < 2 ** -126),
          name,
        ).toHaveLength(0);
      }
    }
  });
});
