// Lanes that die, hang, cannot start or have no time: the model keeps its bits, and the main thread waits for nobody long.
import { execFileSync } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it, vi } from "vitest";
import { laneSource } from "../../src/generated/lane.ts";
import {
  adam,
  batchNorm,
  dense,
  dropout,
  type Model,
  planMemory,
  type SequentialConfig,
  sequential,
} from "../../src/index.ts";
import { Lanes, type LaneWorker } from "../../src/runtime/lanes.ts";
import { BUSY, neverAlone, untilShared } from "../support/lanes.ts";
import { randomSource } from "../support/random.ts";

/** Its training step is one list with two gates: after forward, and before the update. */
const config: SequentialConfig = {
  input: 301,
  layers: [
    dense(1024, { activation: "relu" }),
    dense(600, { activation: "relu" }),
    dense(7, { activation: "softmax" }),
  ],
  loss: "cross-entropy",
  optimizer: adam(),
  seed: 4,
};
const random = randomSource(16);
const ROWS = 131;
const x = random.floats(ROWS * 301);
const y = Int32Array.from({ length: ROWS }, () => random.integer(7));

// Words of the block (src/runtime/barrier.ts).
const COMMAND = 1;
const ARRIVED = 2;
const GENERATION = 3;
const VERDICT = 6;
const LOADED = 16;

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** A lane that does something before one of its calls of Atomics. */
const lane = (operation: "add" | "load", when: string, what: string, workerData?: Int32Array) => () =>
  new Worker(
    `{
      const { workerData } = require("node:worker_threads");
      const original = Atomics.${operation};
      let n = 0;
      Atomics.${operation} = (words, i, value) => {
        if (${when}) { ${what} }
        return original(words, i, value);
      };
    }${laneSource}`,
    { eval: true, workerData },
  );

/** toEqual takes minutes on arrays this long. */
const sameBytes = (a: Uint8Array, b: Uint8Array) => Buffer.from(a).equals(Buffer.from(b));
const sameBits = (a: Float32Array, b: Float32Array) =>
  sameBytes(new Uint8Array(a.slice().buffer), new Uint8Array(b.slice().buffer));

/** Trains both until the first throws: its error, and how long that took. */
async function untilError(model: Model, twin: Model): Promise<{ error: unknown; milliseconds: number }> {
  for (let i = 0; i < 300; i++) {
    const start = performance.now();
    try {
      model.trainBatch(x, y);
    } catch (error) {
      return { error, milliseconds: performance.now() - start };
    }
    twin.trainBatch(x, y);
    await pause(5);
  }
  throw new Error("No lane died.");
}

const runtime = (message: RegExp) =>
  expect.objectContaining({ code: "RUNTIME", message: expect.stringMatching(message) });

describe("a lane that dies within a step", () => {
  for (const [how, what] of [
    ["exits", "process.exit()"],
    ["throws", "throw new Error('broken')"],
  ]) {
    it(`and ${how} is noticed at once; the model is as before and goes on with the same bits`, async () => {
      // Barrier 21 is in the forward part, not in the update, of each step's 18.
      const worker = lane("add", `i === ${ARRIVED} && ++n === 21`, what);
      const [model, one] = [sequential({ ...config, threads: 2, worker }), sequential(config)];
      const { error, milliseconds } = await untilError(model, one);
      expect(error).toEqual(runtime(/lanes/));
      expect(milliseconds).toBeLessThan(20_000);
      expect(sameBits(model.weights, one.weights)).toBe(true);
      for (let i = 0; i < 2; i++) for (const each of [model, one]) each.trainBatch(x, y);
      expect(sameBits(model.weights, one.weights)).toBe(true);
      expect(sameBytes(model.save(), one.save())).toBe(true);
    });
  }

  describe("of a custom loop or of one that only looks", () => {
    const custom: SequentialConfig = {
      ...config,
      layers: [
        dense(1024, { activation: "relu" }),
        dropout(0.2),
        dense(600),
        batchNorm(),
        dense(7, { activation: "softmax" }),
      ],
    };
    const d = randomSource(17).floats(ROWS * 7);
    const out = new Float32Array(ROWS * 7);
    const calls: Record<string, (model: Model) => unknown> = {
      forward: (model) => model.forward(x),
      backward: (model) => model.backward(d),
      step: (model) => model.step(),
      evaluate: (model) => model.evaluate({ x, y }),
      predictInto: (model) => model.predictInto(x, out).slice(),
      "health(data)": (model) => String(model.health({ x, y })),
    };
    const needs: Record<string, string[]> = { backward: ["forward"], step: ["forward", "backward"] };
    const bits = (value: unknown) => (value instanceof Float32Array ? Buffer.from(value.buffer) : value);

    /** A model of two lanes and its twin of one, both after `call` where it ran on both lanes, and about to make it again:
     *  the lane exits at its nth barrier of it. */
    async function about(call: string, nth: number) {
      const armed = new Int32Array(new SharedArrayBuffer(4));
      const worker = lane("add", `i === ${ARRIVED} && workerData[0] === 1 && ++n === ${nth}`, "process.exit()", armed);
      neverAlone();
      const [model, one] = [sequential({ ...custom, threads: 2, worker }), sequential(custom)];
      const both = (name: string) => [model, one].map((each) => bits(calls[name](each)));
      const prepare = () => (needs[call] ?? []).forEach(both);
      await untilShared(() => both(call), 1, prepare);
      prepare();
      armed[0] = 1;
      return { model, one, both };
    }

    for (const [call, nth] of [
      ["forward", 4],
      ["step", 1],
      ["evaluate", 4],
      ["predictInto", 4],
      ["health(data)", 4],
    ] as const) {
      it(`${call} leaves everything as it was, and is made again with the same bits`, { timeout: BUSY }, async () => {
        const { model, one, both } = await about(call, nth);
        expect(() => calls[call](model)).toThrow(runtime(/lanes/));
        expect(sameBits(model.gradients, one.gradients)).toBe(true);
        expect(sameBytes(model.save(), one.save())).toBe(true);
        const [again, expected] = both(call);
        expect(again).toEqual(expected);
        expect(sameBytes(model.save(), one.save())).toBe(true);
      });
    }

    for (const nth of [3, 9]) {
      it(`backward leaves the gradients as they were, and wants forward again, ${nth}`, { timeout: BUSY }, async () => {
        const { model, one, both } = await about("backward", nth);
        expect(model.gradients.some((value) => value !== 0)).toBe(true);
        expect(() => model.backward(d)).toThrow(runtime(/lanes/));
        expect(sameBits(model.gradients, one.gradients)).toBe(true);
        expect(sameBytes(model.save(), one.save())).toBe(true);
        expect(() => model.backward(d)).toThrow(expect.objectContaining({ code: "CONFIG" }));
        both("forward");
        const [again, expected] = both("backward");
        expect(again).toEqual(expected);
        expect(sameBits(model.gradients, one.gradients)).toBe(true);
      });
    }

    it("backward keeps the forward where no lane began", { timeout: BUSY }, async () => {
      const { model, one, both } = await about("backward", 1);
      expect(() => model.backward(d)).toThrow(runtime(/lanes/));
      const [again, expected] = both("backward");
      expect(again).toEqual(expected);
      expect(sameBits(model.gradients, one.gradients)).toBe(true);
      expect(sameBytes(model.save(), one.save())).toBe(true);
    });
  });

  it("in an update leaves no model that trains, predicts or saves", async () => {
    const worker = lane("load", `i === ${VERDICT} && original(words, i) === 2 && ++n === 3`, "process.exit()");
    const model = sequential({ ...config, threads: 2, worker });
    const { error } = await untilError(model, sequential(config));
    expect(error).toEqual(runtime(/update/));
    for (const call of [
      () => model.trainBatch(x, y),
      () => model.train({ x, y }),
      () => model.predict(x),
      () => model.save(),
      () => model.clone(),
      () => model.weights,
    ]) {
      expect(call).toThrow(runtime(/last save/));
    }
    await expect(model.fit({ x, y })).rejects.toEqual(runtime(/last save/));
    model[Symbol.dispose]();
  });
});

/** Lanes whose workers are the test itself: it may write into the block what a lane would. */
function openLanes(count: number) {
  const posted: Record<string, unknown>[] = [];
  const made: EventTarget[] = [];
  const makeWorker = (): LaneWorker => {
    const worker = new EventTarget();
    made.push(worker);
    const postMessage = (message: unknown) => posted.push(message as Record<string, unknown>);
    return Object.assign(worker, { postMessage, terminate: () => undefined });
  };
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const lanes = new Lanes(count, {} as never, { memory, kernels: {} } as never, makeWorker);
  const words = new Int32Array(posted[0]["block"] as SharedArrayBuffer);
  for (let i = 1; i < count; i++) words[LOADED + i] = 1;
  const list = lanes.load(Array(count).fill([[]]), 0);
  return { lanes, list, words, made };
}

/** A page's main thread, and a clock that goes on with each look at it. Units: ms. */
function onPage(tick: number, during: (now: number) => void = () => undefined): void {
  vi.stubGlobal("document", {});
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => {
    now += tick;
    during(now);
    return now;
  });
}

describe("a lane that hangs", () => {
  it("is given up after seconds, also at the last barrier and on a page", () => {
    onPage(10);
    const { lanes, list } = openLanes(2);
    const start = performance.now();
    expect(lanes.ready(list)).toBe(true);
    expect(() => lanes.run(list)).toThrow(runtime(/did not answer/));
    const waited = performance.now() - start;
    expect(waited).toBeGreaterThan(50_000);
    expect(waited).toBeLessThan(80_000);
    expect(lanes.ready(list)).toBe(false);
  });

  it("is given up where threads sleep", () => {
    const sleep = vi.spyOn(Atomics, "wait").mockReturnValue("timed-out");
    const { lanes, list } = openLanes(2);
    expect(() => lanes.run(list)).toThrow(runtime(/did not answer/));
    expect(sleep.mock.calls.length).toBeGreaterThan(50);
  });

  it("is not one that comes late, when others came meanwhile", () => {
    let words: Int32Array | undefined;
    // The second lane after 40 seconds, the third after 80.
    onPage(10, (now) => {
      if (!words || words[ARRIVED] === 0) return;
      if (now > 80_000) {
        words[ARRIVED] = 0;
        words[GENERATION]++;
      } else if (now > 40_000) words[ARRIVED] = 2;
    });
    const opened = openLanes(3);
    words = opened.words;
    expect(opened.lanes.run(opened.list)).toBe(0);
  });
});

describe("where waiting takes most of the time", () => {
  it("one lane takes over for a while, also on a page", () => {
    let words: Int32Array | undefined;
    let looks = 0;
    onPage(10, () => {
      if (!words || words[ARRIVED] === 0 || ++looks % 50 !== 0) return;
      words[ARRIVED] = 0;
      words[GENERATION]++;
    });
    const opened = openLanes(2);
    words = opened.words;
    const { lanes, list } = opened;
    for (let i = 0; i < 4; i++) {
      expect(lanes.ready(list)).toBe(true);
      lanes.run(list);
    }
    for (let i = 0; i < 200; i++) expect(lanes.ready(list)).toBe(false);
    expect(lanes.ready(list)).toBe(true);
  });

  it("the same where threads sleep", async () => {
    const run = vi.spyOn(Lanes.prototype, "run");
    const worker = lane(
      "load",
      `i === ${COMMAND}`,
      "for (const end = performance.now() + 300; performance.now() < end;);",
    );
    const model = sequential({ ...config, threads: 2, worker });
    for (let i = 0; i < 300 && run.mock.calls.length < 4; i++) {
      model.predict(x);
      await pause(5);
    }
    const before = run.mock.calls.length;
    for (let i = 0; i < 30; i++) model.predict(x);
    expect(run.mock.calls.length - before).toBeLessThan(10);
    model[Symbol.dispose]();
  });
});

describe("workers that cannot start", () => {
  const made: Worker[] = [];
  const make = () => {
    const worker = new Worker(laneSource, { eval: true });
    vi.spyOn(worker, "unref");
    made.push(worker);
    return worker;
  };
  // biome-ignore lint/suspicious/noExplicitAny: the point is to pass what the types forbid.
  const factories: [string, () => any, RegExp][] = [
    [
      "a second one that throws",
      () => {
        if (made.length > 0) throw new Error("no more");
        return make();
      },
      /no more/,
    ],
    ["undefined", () => undefined, /received undefined/],
    ["an object", () => ({}), /received \{\}/],
    ["the same one twice", () => made[0] ?? make(), /new Worker/],
    ["a promise", async () => make, /received/],
  ];
  for (const [name, worker, message] of factories) {
    it(`${name}: RUNTIME once, with its cause, then one lane`, async () => {
      made.length = 0;
      const calls = vi.fn(worker);
      const [model, one] = [sequential({ ...config, threads: 3, worker: calls }), sequential(config)];
      const refused = () => model.trainBatch(x, y);
      expect(refused).toThrow(runtime(message));
      const before = calls.mock.calls.length;
      for (let i = 0; i < 2; i++) for (const each of [model, one]) each.trainBatch(x, y);
      expect(sameBytes(model.save(), one.save())).toBe(true);
      expect(calls).toHaveBeenCalledTimes(before);
      for (const each of made) {
        expect(each.unref).toHaveBeenCalled();
        if (each.threadId >= 0) await new Promise((resolve) => each.once("exit", resolve));
      }
      model[Symbol.dispose]();
    });
  }

  it("keeps the cause and says what to do", () => {
    const cause = new Error("mine");
    const worker = () => {
      throw cause;
    };
    const model = sequential({ ...config, threads: 2, worker });
    let thrown: unknown;
    try {
      model.predict(x);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: "RUNTIME", cause });
    expect((thrown as Error).message).toMatch(/threads: 1.*simdgrad\/lane.*--allow-worker/);
  });

  it("and are wanted first by backward: the forward stays, for another try", () => {
    // Work of backward, and not of forward, is worth lanes.
    const [few, d] = [x.subarray(0, 6 * 301), x.subarray(0, 6 * 7)];
    const worker = vi.fn(() => {
      throw new Error("no more");
    });
    const [model, one] = [sequential({ ...config, threads: 2, worker }), sequential(config)];
    for (const each of [model, one]) each.forward(few);
    expect(worker).not.toHaveBeenCalled();
    expect(() => model.backward(d)).toThrow(runtime(/no more/));
    expect(sameBits(model.backward(d), one.backward(d))).toBe(true);
    expect(sameBits(model.gradients, one.gradients)).toBe(true);
    expect(model.gradients.some((value) => value !== 0)).toBe(true);
  });

  it("one that cannot read its messages", () => {
    const { lanes, list, made } = openLanes(2);
    expect(lanes.ready(list)).toBe(true);
    made[0].dispatchEvent(new Event("messageerror"));
    expect(() => lanes.ready(list)).toThrow(runtime(/lanes/));
  });
});

describe("a lane that loads nothing, as its script is another's", () => {
  afterEach(() => vi.useRealTimers());

  /** Lanes of which the last has loaded nothing. */
  function halfLoaded(count: number) {
    vi.useFakeTimers();
    vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
    const opened = openLanes(count);
    opened.words[LOADED + count - 1] = 0;
    return opened;
  }

  it("is RUNTIME once, after a minute", () => {
    const { lanes, list } = halfLoaded(3);
    vi.advanceTimersByTime(59_500);
    for (let i = 0; i < 2; i++) expect(lanes.ready(list)).toBe(false);
    vi.advanceTimersByTime(1000);
    expect(() => lanes.ready(list)).toThrow(runtime(/did not answer.*simdgrad\/lane/));
    for (let i = 0; i < 2; i++) expect(lanes.ready(list)).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is none as long as the main thread gave it no chance", () => {
    const { lanes, list, words } = halfLoaded(3);
    for (let hours = 1; hours < 60; hours++) {
      vi.setSystemTime(hours * 3_600_000);
      vi.advanceTimersToNextTimer();
      expect(lanes.ready(list)).toBe(false);
    }
    words[LOADED + 2] = 1;
    vi.advanceTimersByTime(100_000);
    expect(lanes.ready(list)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps no process alive", () => {
    const timers = vi.spyOn(process.getBuiltinModule("node:timers"), "setTimeout");
    openLanes(2);
    expect(timers.mock.results.map(({ value }) => value.hasRef())).toEqual([false]);
  });
});

/** What a program prints that predicts ten times with two lanes, each error as its code. */
function runProgram(...flags: string[]): string {
  const script = `
    import { dense, sequential } from "simdgrad";
    const model = sequential({ input: 400, layers: [dense(400), dense(400)], threads: 2 });
    const x = new Float32Array(256 * 400);
    const outcomes = [];
    for (let i = 0; i < 10; i++) {
      try {
        model.predict(x);
      } catch (error) {
        outcomes.push(error.code);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    console.log("done", ...outcomes);`;
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  const options = { cwd, encoding: "utf8", timeout: BUSY, stdio: "pipe" } as const;
  return execFileSync(process.execPath, [...flags, "--input-type=module", "-e", script], options).trim();
}

it("where Node forbids workers: RUNTIME once", { timeout: BUSY }, () => {
  const known = process.allowedNodeEnvironmentFlags.has("--permission");
  const permission = [known ? "--permission" : "--experimental-permission", "--allow-fs-read=*"];
  expect(runProgram(...permission)).toBe("done RUNTIME");
  expect(runProgram(...permission, "--allow-worker")).toBe("done");
});

it("what the program preloads does not run in lanes", { timeout: BUSY }, () => {
  expect(runProgram("--import", 'data:text/javascript,console.log("preloaded")')).toBe("preloaded\ndone");
});

it("threads where no memory can be shared are RUNTIME", () => {
  const build = () => sequential({ ...config, threads: 2 });
  vi.stubGlobal("crossOriginIsolated", false);
  expect(build).toThrow(runtime(/sequential.*threads: 2/));
  vi.stubGlobal("crossOriginIsolated", true);
  build()[Symbol.dispose]();
  vi.stubGlobal("SharedArrayBuffer", undefined);
  expect(build).toThrow(runtime(/sequential.*threads: 2/));
});

it("planMemory refuses the threads that sequential refuses", () => {
  expect(() => planMemory({ ...config, threads: 65 })).toThrow(
    expect.objectContaining({ code: "CONFIG", message: expect.stringMatching(/planMemory.*64 threads.*65/) }),
  );
});

it("lanes forget the lists that the main thread forgot", () => {
  const lists = new Set<number>();
  const worker = () => ({
    postMessage: (message: { list?: number; forget?: number }) => {
      if (message.list !== undefined) lists.add(message.list);
      if (message.forget !== undefined) expect(lists.delete(message.forget)).toBe(true);
    },
    terminate: () => undefined,
  });
  const layers = [dense(300), dense(300)];
  const model = sequential({ input: 300, layers, threads: 2, maxBatch: 500, worker: worker as () => LaneWorker });
  const rows = new Float32Array(500 * 300);
  let most = 0;
  for (let n = 200; n < 500; n++) {
    model.predict(rows.subarray(0, n * 300));
    most = Math.max(most, lists.size);
  }
  expect(most).toBeGreaterThan(10);
  expect(most).toBeLessThan(70);
});

it("views from before the memory grew are known as the model's own", () => {
  const model = sequential({ ...config, threads: 2, maxBatch: 16 });
  const old = model.weights.subarray(0, 7);
  model.trainBatch(x, y);
  const { weights } = model;
  expect(old.buffer).not.toBe(weights.buffer);
  expect(old).toEqual(weights.subarray(0, 7));
  expect(() => model.predictInto(x.subarray(0, 301), old)).toThrow(expect.objectContaining({ code: "CONFIG" }));
  model[Symbol.dispose]();
});
