// Lanes: the same bits as one thread, no process kept alive, no hang when one dies.
import { execFileSync } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it, vi } from "vitest";
import { laneSource } from "../../src/generated/lane.ts";
import {
  activation,
  batchNorm,
  concat,
  dense,
  dropout,
  layerNorm,
  type Model,
  residual,
  type SequentialConfig,
  sequential,
  sgd,
} from "../../src/index.ts";
import { parts } from "../../src/plan/shares.ts";
import { collectGarbage } from "../support/garbage.ts";
import { BUSY, countShared, neverAlone, untilShared } from "../support/lanes.ts";
import { ODD_ROWS, oddBatch, oddConfig } from "../support/odd.ts";

const config = oddConfig;
const ROWS = ODD_ROWS;
const { x, y, random } = oddBatch();
const d = random.floats(ROWS * 7);

afterEach(() => vi.restoreAllMocks());

/** toEqual takes seconds on arrays this long. */
function sameBits(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));
}

/** Trains, runs a custom loop, predicts and evaluates on lanes and on one thread, in lock-step, until each ran on all lanes:
 *  the same bits come out of every call. */
async function expectBitsOfOne(threads: number, base: SequentialConfig = config): Promise<void> {
  neverAlone();
  const [many, one] = [threads, 1].map((count) => sequential({ ...base, threads: count }));
  const both = (what: string, call: (model: Model) => Float32Array) => () =>
    expect(sameBits(call(many), call(one)), what).toBe(true);
  const train = both("weights", (model) => {
    model.trainBatch(x, y);
    return model.weights;
  });
  const forward = both("forward", (model) => model.forward(x));
  const backward = () => {
    both("dInput", (model) => model.backward(d))();
    both("gradients", (model) => model.gradients)();
  };
  const predict = both("predict", (model) => model.predict(x.subarray(0, 301 * 77)));
  await untilShared(train, 4);
  await untilShared(forward);
  await untilShared(backward, 2, forward);
  await untilShared(predict);
  // Chunks, the last of which is too small for lanes.
  const evaluation = { x, y, sampleWeight: random.floats(ROWS, 0, 2) };
  await untilShared(() => expect(many.evaluate(evaluation)).toEqual(one.evaluate(evaluation)));
  many[Symbol.dispose]();
}

describe("threads", { timeout: BUSY }, () => {
  for (const threads of [2, 3, 4]) {
    it(`${threads} give the bits of 1, for shapes that do not divide`, () =>
      expectBitsOfOne(threads, { ...config, maxBatch: 60, metrics: ["top-2", "f1", "auc"] }));

    it(`${threads}, the same with dropout, norms and layers within layers`, () => {
      const layers = [
        dropout(0.1),
        dense(517, { useBias: false }),
        batchNorm(),
        activation("relu"),
        dropout(0.5),
        dense(263),
        layerNorm(),
        residual([dense(130, { activation: "silu" }), concat([[dense(200)], [dense(63), batchNorm()]])]),
        dense(7, { activation: "softmax" }),
      ];
      return expectBitsOfOne(threads, { ...config, layers });
    });
  }

  it("the same for other optimizers, and frozen layers", () => {
    const layers = [
      dense(600, { activation: "tanh" }),
      dense(600, { trainable: false }),
      dense(7, { activation: "softmax" }),
    ];
    const optimizer = sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true });
    return expectBitsOfOne(3, { ...config, layers, optimizer });
  });

  it("a lane that is slow to read its command does no step twice", async () => {
    // Word 1 is the command; without a pause between steps, commands to yield and to run follow each other closely.
    const slow = `{
      const { load } = Atomics;
      Atomics.load = (words, i) => {
        if (i === 1) for (const end = performance.now() + 1; performance.now() < end;);
        return load(words, i);
      };
    }`;
    neverAlone();
    const workers = vi.fn(() => new Worker(slow + laneSource, { eval: true }));
    const [two, one] = [2, 1].map((threads) => sequential({ ...config, threads, worker: workers }));
    // Each number of rows is a new list, which the lane has to read first.
    for (let rows = ROWS; rows > ROWS - 12; rows--) {
      await untilShared(() => {
        for (const model of [one, two]) {
          for (let i = 0; i < 3; i++) model.trainBatch(x.subarray(0, rows * 301), y.subarray(0, rows));
        }
        expect(sameBits(two.weights, one.weights), `${rows} rows`).toBe(true);
      });
    }
    expect(workers).toHaveBeenCalledOnce();
    two[Symbol.dispose]();
  });

  it("small steps stay on one lane", async () => {
    const shared = countShared();
    const model = sequential({ ...config, layers: [dense(7, { activation: "softmax" })], threads: 2 });
    for (let i = 0; i < 20; i++) {
      model.trainBatch(x, y);
      await pause(2);
    }
    expect(shared()).toBe(0);
    model[Symbol.dispose]();
  });

  it("a larger batch plans anew under running lanes", async () => {
    neverAlone();
    const [two, one] = [2, 1].map((threads) => sequential({ ...config, maxBatch: 50, threads }));
    for (const rows of [50, 131, 50]) {
      await untilShared(() => {
        for (const model of [one, two]) model.trainBatch(x.subarray(0, rows * 301), y.subarray(0, rows));
      }, 2);
      expect(sameBits(two.weights, one.weights), `${rows} rows`).toBe(true);
    }
    two[Symbol.dispose]();
  });

  it("a lane that ends gives RUNTIME once, then one lane goes on", async () => {
    const workers: Worker[] = [];
    const worker = () => {
      const made = new Worker(laneSource, { eval: true });
      workers.push(made);
      return made;
    };
    const model = sequential({ ...config, threads: 2, worker });
    await untilShared(() => model.predict(x));
    await workers[0].terminate();
    await pause(20);
    expect(() => model.predict(x)).toThrow(
      expect.objectContaining({ code: "RUNTIME", message: expect.stringMatching(/lanes/) }),
    );
    expect(model.predict(x)).toEqual(sequential(config).predict(x));
    expect(model.trainBatch(x, y)).toBeGreaterThan(0);
  });

  it("a model that is dropped ends its workers", async () => {
    let ended = 0;
    const worker = () => {
      const made = new Worker(laneSource, { eval: true });
      made.once("exit", () => {
        ended++;
      });
      return made;
    };
    const drop = () => {
      sequential({ ...config, threads: 3, worker }).trainBatch(x, y);
    };
    drop();
    for (let i = 0; i < 3000 && ended < 2; i++) {
      collectGarbage();
      await pause(20);
    }
    expect(ended).toBe(2);
  });

  it("never keeps the process alive", () => {
    const script = `
      import { dense, sequential } from "simdgrad";
      const model = sequential({ input: 400, layers: [dense(400), dense(400)], threads: 2 });
      const x = new Float32Array(256 * 400);
      for (let i = 0; i < 20; i++) {
        model.predict(x);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      console.log("done");`;
    const cwd = fileURLToPath(new URL("../..", import.meta.url));
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd,
      encoding: "utf8",
      timeout: BUSY,
    });
    expect(output.trim()).toBe("done");
  });
});

it("parts cover all, each but the last a multiple of the unit", () => {
  for (const total of [1, 3, 4, 5, 63, 64, 65, 1000]) {
    for (const unit of [1, 4, 8, 64]) {
      for (const count of [1, 2, 3, 7]) {
        const found = parts(total, unit, count);
        expect(found.length).toBeLessThanOrEqual(count);
        let next = 0;
        for (const [start, length] of found) {
          expect(start).toBe(next);
          expect(length).toBeGreaterThan(0);
          next = start + length;
          if (next < total) expect(length % unit).toBe(0);
        }
        expect(next).toBe(total);
      }
    }
  }
});
