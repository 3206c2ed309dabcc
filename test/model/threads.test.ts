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
  type RunOptions,
  residual,
  type SequentialConfig,
  sequential,
  sgd,
} from "../../src/index.ts";
import { parts } from "../../src/plan/shares.ts";
import { Lanes } from "../../src/runtime/lanes.ts";
import { collectGarbage } from "../support/garbage.ts";
import { ODD_ROWS, oddBatch, oddConfig } from "../support/odd.ts";

const config = oddConfig;
const ROWS = ODD_ROWS;
const { x, y, random } = oddBatch();
const d = random.floats(ROWS * 7);

afterEach(() => vi.restoreAllMocks());

/** Lanes start on their own time: until they are ready one lane does all. */
async function untilShared(model: Model, run: ReturnType<typeof vi.spyOn>): Promise<void> {
  for (let i = 0; i < 6000 && run.mock.calls.length === 0; i++) {
    model.predict(x);
    await pause(10);
  }
  expect(run).toHaveBeenCalled();
}

async function trained(options: RunOptions, base: SequentialConfig = config): Promise<Uint32Array> {
  const run = vi.spyOn(Lanes.prototype, "run");
  // Busy cores would make one lane take over, and the test prove nothing.
  vi.spyOn(Lanes.prototype as unknown as { weigh(): void }, "weigh").mockImplementation(() => undefined);
  const model = sequential({ ...base, ...options });
  if ((options.threads ?? 1) > 1) await untilShared(model, run);
  for (let step = 0; step < 6; step++) {
    model.trainBatch(x, y);
    // Lanes that read a new list are not waited for.
    await pause(15);
  }
  const shared = run.mock.calls.length;
  model.forward(x);
  const dInput = model.backward(d);
  const results = [...model.weights, ...dInput, ...model.predict(x.subarray(0, 301 * 77))];
  if ((options.threads ?? 1) > 1) expect(shared).toBeGreaterThan(3);
  model[Symbol.dispose]();
  return new Uint32Array(Float32Array.from(results).buffer);
}

/** toEqual takes seconds on arrays this long. */
function sameBits(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));
}

/** The lanes share the cores with whatever else is running. Units: ms. */
const BUSY = 300_000;

describe("threads", { timeout: BUSY }, () => {
  it("1, 2, 3 and 4 give the same bits, for shapes that do not divide", async () => {
    const one = await trained({ threads: 1 });
    for (const threads of [2, 3, 4]) expect(await trained({ threads }), `${threads} threads`).toEqual(one);
  });

  it("the same for other optimizers, and frozen layers", async () => {
    const layers = [
      dense(600, { activation: "tanh" }),
      dense(600, { trainable: false }),
      dense(7, { activation: "softmax" }),
    ];
    const base = { ...config, layers, optimizer: sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }) };
    expect(await trained({ threads: 3 }, base)).toEqual(await trained({ threads: 1 }, base));
  });

  it("the same with dropout, norms and layers within layers", async () => {
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
    const one = await trained({ threads: 1 }, { ...config, layers });
    for (const threads of [2, 3, 4]) {
      expect(await trained({ threads }, { ...config, layers }), `${threads} threads`).toEqual(one);
    }
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
    const workers = vi.fn(() => new Worker(slow + laneSource, { eval: true }));
    const [two, one] = [2, 1].map((threads) => sequential({ ...config, threads, worker: workers }));
    for (let turn = 0; turn < 12; turn++) {
      // Each number of rows is a new list, which the lane has to read first.
      for (const model of [one, two]) {
        const rows = ROWS - turn;
        for (let i = 0; i < 3; i++) model.trainBatch(x.subarray(0, rows * 301), y.subarray(0, rows));
      }
      expect(sameBits(two.weights, one.weights), `turn ${turn}`).toBe(true);
      await pause(5);
    }
    expect(workers).toHaveBeenCalledOnce();
    two[Symbol.dispose]();
  });

  it("small steps stay on one lane", async () => {
    const run = vi.spyOn(Lanes.prototype, "run");
    const model = sequential({ ...config, layers: [dense(7, { activation: "softmax" })], threads: 2 });
    for (let i = 0; i < 20; i++) {
      model.trainBatch(x, y);
      await pause(2);
    }
    expect(run).not.toHaveBeenCalled();
    model[Symbol.dispose]();
  });

  it("a larger batch plans anew under running lanes", async () => {
    const run = vi.spyOn(Lanes.prototype, "run");
    const [two, one] = [2, 1].map((threads) => sequential({ ...config, maxBatch: 50, threads }));
    await untilShared(two, run);
    for (const rows of [50, 131, 50]) {
      for (let i = 0; i < 3; i++) {
        for (const model of [one, two]) model.trainBatch(x.subarray(0, rows * 301), y.subarray(0, rows));
        await pause(5);
      }
    }
    expect(two.weights).toEqual(one.weights);
    two[Symbol.dispose]();
  });

  it("a lane that ends gives RUNTIME once, then one lane goes on", async () => {
    const workers: Worker[] = [];
    const worker = () => {
      const made = new Worker(laneSource, { eval: true });
      workers.push(made);
      return made;
    };
    const run = vi.spyOn(Lanes.prototype, "run");
    const model = sequential({ ...config, threads: 2, worker });
    await untilShared(model, run);
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
