// Gates within a list that lanes run: a training step is one command, and what ends it early leaves what one thread leaves.
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it, vi } from "vitest";
import { laneSource } from "../../src/generated/lane.ts";
import { type Dataset, type Model, type SequentialConfig, sequential, sgd } from "../../src/index.ts";
import { instantiate } from "../../src/runtime/instance.ts";
import { Lanes } from "../../src/runtime/lanes.ts";
import { builtinModules } from "../../src/runtime/modules.ts";
import { BUSY, neverAlone, untilShared } from "../support/lanes.ts";
import { ODD_ROWS, oddBatch, oddConfig } from "../support/odd.ts";

// Words of the block (src/runtime/barrier.ts).
const SEQUENCE = 0;
const VERDICT = 6;

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** Three parts; each lane writes its number into its cell in each, and gives it as its result. */
async function openLanes(count: number) {
  neverAlone();
  const module = builtinModules("strict", true);
  const instance = instantiate(module, { where: "test", bytes: 1 << 20 }, true);
  const lanes = new Lanes(count, module, instance);
  const floats = new Float32Array(instance.memory.buffer);
  const BASE = 1 << 17;
  const cell = (lane: number, part: number) => BASE + 8 * lane + part;
  const shares = Array.from({ length: count }, (_, lane) =>
    [0, 1, 2].map((part) => {
      const address = 4 * cell(lane, part);
      const call = (kernel: "fill" | "largest_magnitude", ...args: number[]) => ({
        call: { kernel, args, slots: [] },
        barrier: false,
      });
      return [call("fill", 1, address, lane + 1), call("largest_magnitude", 1, address)];
    }),
  );
  const list = lanes.load(shares, 0);
  while (!lanes.ready(list)) await pause(5);
  return {
    run: (gate: (sum: number, next: number) => boolean) => lanes.run(list, gate),
    clear: () => floats.fill(0, BASE, BASE + 8 * count),
    /** Which parts each lane ran. */
    written: () => [0, 1, 2].map((part) => shares.map((_, lane) => floats[cell(lane, part)])),
    stop: () => lanes.stop(),
  };
}

describe("a list with gates", { timeout: BUSY }, () => {
  for (const count of [2, 3, 4]) {
    it(`is left by all ${count} lanes at the gate that says so or throws, and runs again`, async () => {
      const lanes = await openLanes(count);
      const all = Array.from({ length: count }, (_, lane) => lane + 1);
      const none = all.map(() => 0);
      const sum = all.reduce((total, each) => total + each, 0);
      for (let round = 0; round < 20; round++) {
        for (const last of [1, 2, 3]) {
          const ran = [0, 1, 2].map((part) => (part < last ? all : none));
          for (const how of ["stops", "throws"]) {
            lanes.clear();
            const asked: number[] = [];
            const gate = (found: number, next: number) => {
              asked.push(next);
              expect(found).toBe(sum);
              expect(lanes.written()).toEqual([0, 1, 2].map((part) => (part < next ? all : none)));
              if (next === last && how === "throws") throw new RangeError("mine");
              return next !== last;
            };
            if (how === "throws" && last < 3) expect(() => lanes.run(gate)).toThrow(RangeError);
            else expect(lanes.run(gate)).toBe(sum);
            expect(asked).toEqual(last === 1 ? [1] : [1, 2]);
            expect(lanes.written()).toEqual(ran);
          }
        }
      }
      lanes.stop();
    });
  }
});

const config = oddConfig;
const ROWS = ODD_ROWS;
const { x, y } = oddBatch();

/** A model, and how often its lanes were commanded. */
function watched(options: SequentialConfig, source = laneSource) {
  neverAlone();
  let words: Int32Array | undefined;
  const worker = () => {
    const made = new Worker(source, { eval: true });
    const post = vi.spyOn(made, "postMessage");
    made.once("online", () => {
      words ??= new Int32Array((post.mock.calls[0][0] as { block: SharedArrayBuffer }).block);
    });
    return made;
  };
  const model = sequential({ ...options, worker });
  return { model, commands: () => (words ? words[SEQUENCE] / 2 : 0) };
}

function sameBits(a: Model, b: Model): boolean {
  return Buffer.from(a.save()).equals(Buffer.from(b.save()));
}

/** One epoch in order. */
const epoch = (model: Model, data: Dataset) => model.fit(data, { epochs: 1, batchSize: ROWS, shuffle: false });

describe("a training step on lanes", { timeout: BUSY }, () => {
  it("is one command; so is a chunk of an evaluation, and the step of a loop of one's own", async () => {
    const { model, commands } = watched({ ...config, threads: 3 });
    for (const [name, call] of [
      ["trainBatch", () => model.trainBatch(x, y)],
      ["fit", () => epoch(model, { x, y })],
      ["evaluate", () => model.evaluate({ x, y })],
      ["step", () => model.step()],
    ] as const) {
      await untilShared(call);
      const before = commands();
      for (let i = 0; i < 5; i++) await call();
      expect(commands() - before, name).toBe(5);
    }
    model[Symbol.dispose]();
  });

  it("lets no page's main thread sleep", async () => {
    vi.stubGlobal("document", {});
    const sleep = vi.spyOn(Atomics, "wait");
    const { model, commands } = watched({ ...config, threads: 2 });
    const one = sequential(config);
    const step = () => [model, one].map((each) => each.trainBatch(x, y));
    await untilShared(step);
    const before = commands();
    for (let i = 0; i < 5; i++) step();
    expect(commands() - before).toBe(5);
    expect(sameBits(model, one)).toBe(true);
    expect(sleep).not.toHaveBeenCalled();
    model[Symbol.dispose]();
  });

  for (const threads of [2, 3, 4]) {
    it(`of ${threads} that is refused or makes no step leaves what one thread leaves, and the lanes go on`, async () => {
      const { model, commands } = watched({ ...config, threads });
      const one = sequential(config);
      const huge = x.map((value) => value * 3e38);
      // Of the second batch no row weighs anything.
      const sampleWeight = Float32Array.from({ length: 2 * ROWS }, (_, row) => (row < ROWS ? 1 : 0));
      const half = { x: Float32Array.of(...x, ...x), y: Int32Array.of(...y, ...y), sampleWeight };
      const calls: [name: string, commands: number, call: (each: Model) => unknown][] = [
        ["a step", 1, (each) => each.trainBatch(x, y)],
        [
          "one without weight",
          2,
          (each) => epoch(each, half).then(({ epochs: [{ loss, accuracy, step }] }) => [loss, accuracy, step]),
        ],
        ["one not finite", 1, (each) => each.trainBatch(huge, y)],
        ["one of gradients not finite", 1, (each) => badStep(each)],
        ["a step again", 1, (each) => each.trainBatch(x, y)],
      ];
      for (const [name, expected, call] of calls) {
        const outcomes = () => Promise.all([model, one].map((each) => outcome(() => call(each))));
        await untilShared(outcomes);
        const before = commands();
        const [mine, other] = await outcomes();
        expect(mine, name).toEqual(other);
        expect(commands() - before, name).toBe(expected);
        expect(sameBits(model, one), name).toBe(true);
      }
      for (const call of [() => model.trainBatch(huge, y), () => badStep(model)]) {
        expect(await outcome(call)).toMatch(/NUMERIC.*not finite/);
      }
      model[Symbol.dispose]();
    });

    it(`of ${threads} whose update does not fit goes back`, async () => {
      const wild = { ...config, optimizer: sgd({ learningRate: 3e38, momentum: 0.5 }) };
      const { model, commands } = watched({ ...wild, threads });
      const one = sequential(wild);
      const large = x.map((value) => value * 1e4);
      const outcomes = () => Promise.all([model, one].map((each) => outcome(() => each.trainBatch(large, y))));
      await untilShared(outcomes);
      const [before, weights] = [commands(), model.weights.slice()];
      const [mine, other] = await outcomes();
      expect(mine).toMatch(/NUMERIC.*update of \d+ parameters/);
      expect(mine).toBe(other);
      expect(commands()).toBe(before + 1);
      expect(Buffer.from(weights.buffer).equals(Buffer.from(model.weights.slice().buffer))).toBe(true);
      expect(sameBits(model, one)).toBe(true);
      model[Symbol.dispose]();
    });
  }

  it("whose lane dies at the first gate leaves the model as before, which goes on", async () => {
    const source = `{
      const { load } = Atomics;
      let n = 0;
      Atomics.load = (words, i) => {
        if (i === ${VERDICT} && ++n === 3) process.exit();
        return load(words, i);
      };
    }${laneSource}`;
    const { model } = watched({ ...config, threads: 2 }, source);
    const one = sequential(config);
    let error: unknown;
    for (let i = 0; i < 300 && error === undefined; i++) {
      try {
        model.trainBatch(x, y);
        one.trainBatch(x, y);
      } catch (caught) {
        error = caught;
      }
      await pause(5);
    }
    expect(error).toMatchObject({ code: "RUNTIME", message: expect.stringMatching(/lanes/) });
    expect(sameBits(model, one)).toBe(true);
    for (const each of [model, one]) each.trainBatch(x, y);
    expect(sameBits(model, one)).toBe(true);
  });
});

/** A loop of one's own that has a bad gradient, in the last lane's share. */
function badStep(model: Model): void {
  const { gradients } = model;
  gradients[gradients.length - 1] = Number.NaN;
  model.step();
}

/** What a call gives, or its error's code and message. */
async function outcome(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return `${code}: ${message}`;
  }
}
