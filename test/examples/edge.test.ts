// The edge example's journal on a storage with the platform's limits; in workerd it is tested by test/runtimes/edge.ts.
import { describe, expect, it } from "vitest";
import { CHECKPOINT_EVERY, type Feedback, KEPT, type ObjectStorage } from "../../examples/edge/journal.ts";
import { Learner, NETWORK } from "../../examples/edge/learner.ts";
import { randomOf } from "../../examples/random.ts";
import { adam, dense, type SequentialConfig, sequential } from "../../src/index.ts";

const MOST_VALUE_BYTES = 128 * 1024;
const MOST_KEYS = 128;

interface Disk extends ObjectStorage {
  readonly values: Map<string, unknown>;
  /** Writes fail from now on. */
  broken: boolean;
}

/** Keeps copies, as the platform does, and refuses what that refuses. */
function diskOf(entries: Iterable<[string, unknown]> = []): Disk {
  const values = new Map(entries);
  const disk: Disk = {
    values,
    broken: false,
    get: async <T>(key: string) => structuredClone(values.get(key)) as T | undefined,
    put: async (key, value) => {
      if (disk.broken) throw new Error("The disk is broken.");
      const bytes = JSON.stringify(value, (_, part) => (ArrayBuffer.isView(part) ? part.byteLength : part)).length;
      const views = Object.values((value ?? {}) as object).filter((part) => ArrayBuffer.isView(part));
      const size = (ArrayBuffer.isView(value) ? [value] : views).reduce(
        (sum, { buffer }) => sum + buffer.byteLength,
        0,
      );
      if (size + bytes > MOST_VALUE_BYTES) throw new RangeError(`${key}: ${size + bytes} bytes.`);
      values.set(key, structuredClone(value));
    },
    delete: async (keys) => {
      if (keys.length > MOST_KEYS) throw new RangeError(`${keys.length} keys.`);
      return keys.filter((key) => values.delete(key)).length;
    },
    list: async <T>({ prefix }: { prefix: string }) => {
      const found = [...values.entries()].filter(([key]) => key.startsWith(prefix));
      return structuredClone(new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)))) as Map<string, T>;
    },
  };
  return disk;
}

/** One row each, with ids. */
function feedbacks(count: number, seed: number, pixels = 64): Feedback[] {
  const random = randomOf(seed);
  return Array.from({ length: count }, (_, i) => ({
    id: `${seed}-${i}`,
    x: Float32Array.from({ length: pixels }, () => random.uniform()),
    y: Int32Array.of(Math.floor(random.uniform(0, 10))),
  }));
}

/** The state after them without a journal. */
function trained(all: readonly Feedback[], network = NETWORK): Uint8Array {
  const model = sequential(network);
  for (const { x, y } of all) model.trainBatch(x, y);
  return model.save();
}

/** Element by element, vitest would take seconds for it. */
function expectSame(found: Uint8Array, wanted: Uint8Array): void {
  expect([found.length, Buffer.compare(found, wanted)]).toEqual([wanted.length, 0]);
}

describe("the journal", () => {
  it.each([0, 1, CHECKPOINT_EVERY - 1, CHECKPOINT_EVERY, CHECKPOINT_EVERY + 1, 200])(
    "brings back the model after %i feedbacks, bit for bit",
    async (count) => {
      const disk = diskOf();
      const all = feedbacks(count + 30, 1);
      const first = await Learner.open(disk);
      for (const feedback of all.slice(0, count)) await first.learn(feedback);
      const second = await Learner.open(diskOf(disk.values));
      expect(second.feedbacks).toBe(count);
      expectSame(second.model.save(), trained(all.slice(0, count)));
      for (const feedback of all.slice(count)) await second.learn(feedback);
      expectSame(second.model.save(), trained(all));
    },
  );

  it("keeps a model of 784-512-256-10 in values that are small enough", async () => {
    const network: SequentialConfig = {
      ...NETWORK,
      input: 784,
      layers: [
        dense(512, { activation: "relu" }),
        dense(256, { activation: "relu" }),
        dense(10, { activation: "softmax" }),
      ],
      optimizer: adam({ learningRate: 1e-4 }),
    };
    const disk = diskOf();
    const all = feedbacks(CHECKPOINT_EVERY, 2, 784);
    const learner = await Learner.open(disk, network);
    for (const feedback of all) await learner.learn(feedback);
    expect([...disk.values.keys()].filter((key) => key.startsWith("model:")).length).toBeGreaterThan(90);
    expectSame((await Learner.open(disk, network)).model.save(), trained(all, network));
  });

  it("forgets what is too old, and no more", async () => {
    const disk = diskOf();
    const all = feedbacks(KEPT + 5 * CHECKPOINT_EVERY, 3);
    const learner = await Learner.open(disk);
    for (const feedback of all) await learner.learn(feedback);
    const kept = [...disk.values.keys()].filter((key) => key.startsWith("feedback:"));
    expect(kept).toHaveLength(KEPT);
    expectSame((await Learner.open(disk)).model.save(), trained(all));
  });

  it("keeps what a feedback was made of no longer than a model that has learned it", async () => {
    const disk = diskOf();
    const count = 3 * CHECKPOINT_EVERY + 5;
    const { id: _, ...anonymous } = feedbacks(1, 7)[0];
    const all: Feedback[] = [...feedbacks(count, 7).slice(1), anonymous];
    // A restart between two models: the next one's list is then made of what was read.
    let learner = await Learner.open(disk);
    for (const [i, feedback] of all.entries()) {
      if (i === 100) learner = await Learner.open(disk);
      await learner.learn(feedback);
    }
    const kept = [...disk.values].filter(([key]) => key.startsWith("feedback:")).map(([, value]) => value as Feedback);
    expect(kept).toHaveLength(count);
    expect(kept.map((entry) => entry.x !== undefined)).toEqual(all.map((_, i) => i >= 3 * CHECKPOINT_EVERY));
    expect(kept.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    expectSame((await Learner.open(disk)).model.save(), trained(all));
  });

  it("learns an id once, before and after a restart", async () => {
    const disk = diskOf();
    const all = feedbacks(150, 4);
    let learner = await Learner.open(disk);
    const answers = [];
    for (const feedback of all) answers.push(await learner.learn(feedback));
    for (let restart = 0; restart < 2; restart++) {
      for (const i of [0, 63, 64, 149]) expect(await learner.learn(all[i])).toEqual(answers[i]);
      expectSame(learner.model.save(), trained(all));
      learner = await Learner.open(disk);
    }
    const { id: _, ...anonymous } = all[0];
    for (const expected of [151, 152]) expect((await learner.learn(anonymous)).feedback).toBe(expected);
  });

  it("keeps nothing of a feedback that is refused", async () => {
    const disk = diskOf();
    const [good, bad] = feedbacks(2, 5);
    const learner = await Learner.open(disk);
    await learner.learn(good);
    const before = structuredClone(disk.values);
    for (const wrong of [{ y: Int32Array.of(10) }, { x: bad.x.slice(1) }, { x: bad.x.fill(Number.NaN) }]) {
      await expect(learner.learn({ ...bad, ...wrong })).rejects.toMatchObject({ name: "SimdgradError" });
    }
    expect(disk.values).toEqual(before);
    expectSame(learner.model.save(), trained([good]));
    expect((await learner.learn({ ...bad, x: good.x })).feedback).toBe(2);
  });

  it("tells when a write fails, and when a chunk is gone", async () => {
    const disk = diskOf();
    const all = feedbacks(CHECKPOINT_EVERY + 1, 6);
    const learner = await Learner.open(disk);
    for (const feedback of all.slice(1)) await learner.learn(feedback);
    disk.broken = true;
    await expect(learner.learn(all[0])).rejects.toThrow("The disk is broken.");
    expectSame((await Learner.open(disk)).model.save(), trained(all.slice(1)));
    disk.values.delete("model:1");
    await expect(Learner.open(disk)).rejects.toThrow("The storage has lost chunk 1 of 2");
  });
});
