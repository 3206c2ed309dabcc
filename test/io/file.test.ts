// Files: the same bits after load, runs that go on as if they had never stopped, and no trust in foreign bytes.
import { describe, expect, it } from "vitest";
import {
  adam,
  adamw,
  batchNorm,
  cosineDecay,
  dense,
  dropout,
  type FitOptions,
  load,
  type Model,
  rmsprop,
  type SequentialConfig,
  sequential,
  sgd,
  warmup,
} from "../../src/index.ts";
import { readSafetensors, writeSafetensors } from "../../src/io/safetensors.ts";
import { randomSource } from "../support/random.ts";
import { putTogether, takeApart } from "../support/safetensors.ts";
import { stateOf } from "../support/state.ts";

const random = randomSource(21);
const config: SequentialConfig = {
  input: 5,
  layers: [
    dense(13, { activation: "gelu" }),
    dropout(0.2),
    batchNorm(),
    dense(7, { useBias: false }),
    dense(3, { activation: "softmax" }),
  ],
  loss: "cross-entropy",
  optimizer: adam({ learningRate: 0.02 }),
  seed: 9,
};
const data = { x: random.floats(61 * 5), y: Int32Array.from({ length: 61 }, () => random.integer(3)) };
const validation = { x: random.floats(20 * 5), y: Int32Array.from({ length: 20 }, () => random.integer(3)) };

describe("save and load", () => {
  for (const optimizer of [undefined, sgd(), sgd({ momentum: 0.9 }), rmsprop({ momentum: 0.5 }), adam()]) {
    it(`bring everything back, with ${optimizer?.kind ?? "no optimizer"}`, async () => {
      const model = sequential({ ...config, optimizer });
      if (optimizer) await model.fit(data, { epochs: 2, batchSize: 16 });
      if (optimizer) model.learningRate = 0.125;
      const same = load(model.save());
      expect(same.spec).toEqual(model.spec);
      expect(same.weights).toEqual(model.weights);
      expect(same.parameters.map(({ moments }) => moments)).toEqual(model.parameters.map(({ moments }) => moments));
      if (optimizer) expect(same.learningRate).toBe(0.125);
      expect(same.predict(data.x)).toEqual(model.predict(data.x));
      expect(stateOf(same)).toBe(stateOf(model));
    });
  }

  it("equal states give equal bytes", async () => {
    const make = async (maxBatch: number) => {
      const model = sequential({ ...config, maxBatch });
      await model.fit(data, { epochs: 3, batchSize: 8 });
      return stateOf(model);
    };
    expect(await make(256)).toBe(await make(5));
  });

  it("training goes on bit for bit", async () => {
    const whole = sequential(config);
    const first = sequential(config);
    await first.fit(data, { epochs: 2, batchSize: 8 });
    const second = load(first.save(), { maxBatch: 3 });
    await second.fit(data, { epochs: 2, batchSize: 8 });
    await whole.fit(data, { epochs: 4, batchSize: 8 });
    expect(stateOf(second)).toBe(stateOf(whole));
  });

  it("keep what tells a divergence: files and clones diverge where the model does", () => {
    const steep: SequentialConfig = { ...config, layers: [dense(3, { activation: "softmax" })], optimizer: sgd() };
    const model = sequential(steep);
    const fresh = stateOf(model);
    model.learningRate = 3e38;
    expect(() =>
      model.trainBatch(
        data.x.map((x) => x * 1e3),
        data.y,
      ),
    ).toThrow(/diverged/);
    model.learningRate = 0.01;
    expect(stateOf(model)).toBe(fresh);
    model.trainBatch(data.x, data.y);
    model.setWeights(model.weights.map((w) => w * 1e8));
    const same = load(model.save());
    expect(stateOf(same)).toBe(stateOf(model));
    // What knows no first step, as an older file, takes any loss for one.
    const { header, data: body } = takeApart(model.save());
    const state = JSON.parse(String(header.__metadata__.state));
    expect(state.bounded).toBe(true);
    header.__metadata__.state = JSON.stringify({ ...state, bounded: undefined });
    const older = load(putTogether(header, body));
    for (const each of [model, same, model.clone()]) {
      expect(() => each.trainBatch(data.x, data.y)).toThrow(/diverged at optimizer step 2 .*the loss is/);
    }
    expect(older.trainBatch(data.x, data.y)).toBeGreaterThan(1e6);
    header.__metadata__.state = JSON.stringify({ ...state, bounded: 1 });
    expect(() => load(putTogether(header, body))).toThrow(/bounded to be true or false/);
  });

  it("without state the weights alone, and a model that only predicts", async () => {
    const model = sequential(config);
    await model.fit(data, { epochs: 2 });
    const light = model.save({ state: false });
    expect(light.length).toBeLessThan(model.save().length / 2);
    const predictor = load(light, { inference: true });
    expect(predictor.predict(data.x)).toEqual(model.predict(data.x));
    expect(predictor.evaluate(data)).toEqual(model.evaluate(data));
    expect(predictor.memory.regions.gradients + predictor.memory.regions.moments).toBe(0);
    expect(predictor.memory.regions.activations + predictor.memory.regions.inputOutput).toBeLessThan(100);
    for (const call of [
      () => predictor.trainBatch(data.x, data.y),
      () => predictor.forward(data.x),
      () => predictor.backward(new Float32Array(3)),
      () => predictor.step(),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: "CONFIG", message: expect.stringMatching(/inference/) }));
    }
    expect(load(light).trainBatch(data.x, data.y)).toBeGreaterThan(0);
  });
});

describe("metadata", () => {
  const own = {
    labels: JSON.stringify(["a", "b"]),
    "": "",
    "10": "ten",
    "9": "nine",
    a: ",b",
    "a,": "b",
    'ä\u{1f600}"\\': "\u0000\n\ud800",
    constructor: "c",
    format: "mine",
  };

  it("is saved with and without state, loaded and cloned, each with a copy of its own", () => {
    const model = sequential(config);
    expect(model.metadata).toEqual({});
    Object.assign(model.metadata, own);
    // As JSON.parse makes it: a key like any other.
    Object.defineProperty(model.metadata, "__proto__", { value: "p", enumerable: true, writable: true });
    const models = [load(model.save()), load(model.save({ state: false })), load(model.save(), { inference: true })];
    for (const same of [...models, model.clone(), load(model.clone().save())]) {
      expect(Object.entries(same.metadata).sort()).toEqual(Object.entries(model.metadata).sort());
      same.metadata.labels = "changed";
      expect(model.metadata.labels).toBe(own.labels);
    }
  });

  it("equal entries give equal bytes, in whatever order they came", () => {
    const write = (entries: [string, string][]) => {
      const model = sequential(config);
      for (const [key, value] of entries) model.metadata[key] = value;
      return stateOf(model);
    };
    const entries = Object.entries(own);
    expect(write(entries)).toBe(write(entries.reverse()));
    expect(write(entries)).not.toBe(write(entries.slice(1)));
    expect(write([])).toBe(stateOf(sequential(config)));
  });

  it("is no part of a network that has none", () => {
    expect(stateOf(sequential(config))).not.toMatch(/user/);
  });

  it("other than text, or too much of it: CONFIG that names the key", () => {
    const model = sequential(config);
    const metadata = model.metadata as Record<string, unknown>;
    for (const value of [1, null, undefined, {}, ["a"]]) {
      metadata.labels = value;
      expect(() => model.save()).toThrow(
        expect.objectContaining({ code: "CONFIG", message: expect.stringMatching(/save.*"labels".*string/) }),
      );
    }
    metadata.labels = "x".repeat(2 ** 22);
    expect(() => model.save()).toThrow(
      expect.objectContaining({ code: "CONFIG", message: expect.stringMatching(/at most 4194304 char/) }),
    );
    // The largest, in the costliest characters, still fits the header that the reader takes.
    metadata.labels = "\u20ac".repeat(2 ** 22 - 13);
    expect(load(model.save({ state: false })).metadata).toEqual(model.metadata);
  });
});

describe("an interrupted run", () => {
  const options = (more: FitOptions = {}): FitOptions => ({ epochs: 6, batchSize: 8, validation, ...more });
  const stopping = { earlyStopping: { patience: 2 } };
  const patient = { earlyStopping: { patience: 50 } };
  const huge = { ...data, x: data.x.map((value) => value * 3e38) };

  const quick = { ...config, optimizer: adam({ learningRate: 0.2 }) };
  const learningRate = warmup({ steps: 10, after: cosineDecay({ initial: 0.3, steps: 30 }) });
  const scheduled = { ...config, optimizer: adamw({ learningRate }), metrics: ["f1", "top-2"] } as const;

  function abortedWhileOpening(model: Model): Promise<unknown> {
    const abort = new AbortController();
    return model.fit(
      () => {
        abort.abort();
        return new Promise<never>(() => undefined);
      },
      { signal: abort.signal },
    );
  }

  async function uninterrupted(more: FitOptions, network: SequentialConfig = quick) {
    const model = sequential(network);
    const { epochs } = await model.fit(data, options(more));
    return { state: stateOf(model), reports: epochs.map(({ rowsPerSecond, ...report }) => report) };
  }

  for (const [name, more, network] of [
    ["plain", {}, quick],
    ["with early stopping", stopping, quick],
    ["without shuffling", { shuffle: false }, quick],
    ["with a schedule and metrics", stopping, scheduled],
  ] as const) {
    for (const at of [0, 3, 7, 8, 13, 23]) {
      it(`${name}, saved in a callback after batch ${at}, ends as if it had not been`, async () => {
        const expected = await uninterrupted(more, network);
        let bytes: Uint8Array = new Uint8Array(0);
        let seen = 0;
        const model = sequential(network);
        const onBatch = () => {
          if (seen++ === at) bytes = model.save();
        };
        await model.fit(data, options({ ...more, onBatch }));
        if (bytes.length === 0) return expect(seen).toBeLessThanOrEqual(at);
        const resumed = load(bytes);
        const { epochs } = await resumed.fit(data, options({ ...more, resume: true }));
        const reports = epochs.map(({ rowsPerSecond, ...report }) => report);
        expect(reports).toEqual(expected.reports.slice(-epochs.length));
        expect(stateOf(resumed)).toBe(expected.state);
      });

      it(`${name}, aborted after batch ${at}, ends as if it had not been`, async () => {
        const expected = await uninterrupted(more, network);
        let seen = 0;
        const abort = new AbortController();
        const onBatch = () => {
          if (seen++ === at) abort.abort();
        };
        const model = sequential(network);
        const done = await model.fit(data, options({ ...more, onBatch, signal: abort.signal })).then(
          () => true,
          () => false,
        );
        if (done) return expect(seen).toBeLessThanOrEqual(at);
        for (const resumed of [load(model.save()), model.clone(), model]) {
          await resumed.fit(data, options({ ...more, resume: true }));
          expect(stateOf(resumed)).toBe(expected.state);
        }
      });
    }
  }

  it("keeps a best score that is beyond numbers, as worse than all others", async () => {
    const model = sequential({ input: 1, layers: [dense(1)], loss: "mean-absolute-error", optimizer: sgd() });
    model.setWeights([2, 0]);
    const more = { epochs: 3, validation: { x: [[3e38]], y: [0] }, earlyStopping: { patience: 2 } };
    const files: Uint8Array[] = [];
    const onEpoch = ({ validationLoss }: { validationLoss?: number }) => {
      files.push(model.save());
      expect(validationLoss).toBe(Number.POSITIVE_INFINITY);
    };
    const { bestEpoch } = await model.fit({ x: [[0.5]], y: [1] }, { ...more, onEpoch });
    expect(bestEpoch).toBe(1);
    const resumed = load(files[0]);
    await resumed.fit({ x: [[0.5]], y: [1] }, { ...more, resume: true });
    expect(stateOf(resumed)).toBe(stateOf(model));
  });

  it("saved in onEpoch goes on with the next epoch", async () => {
    const expected = await uninterrupted(stopping);
    const files: Uint8Array[] = [];
    const model = sequential({ ...config, optimizer: adam({ learningRate: 0.2 }) });
    await model.fit(data, options({ ...stopping, onEpoch: () => void files.push(model.save()) }));
    for (const file of files) {
      const resumed = load(file);
      await resumed.fit(data, options({ ...stopping, resume: true }));
      expect(stateOf(resumed)).toBe(expected.state);
    }
  });

  it.each<[string, (model: Model) => void]>([
    ["setWeights", (model) => model.setWeights(model.weights.map((w) => w + 1))],
    ["trainBatch", (model) => model.trainBatch(data.x, data.y)],
    ["step", (model) => model.step()],
  ])("goes on from what %s made of the model", async (_, change) => {
    const abort = new AbortController();
    const model = sequential(quick);
    const more = { ...patient, epochs: 4 };
    const onBatch = ({ epoch, batch }: { epoch: number; batch: number }) => {
      if (epoch === 3 && batch === 4) abort.abort();
    };
    await expect(model.fit(data, options({ ...more, onBatch, signal: abort.signal }))).rejects.toThrow();
    const untouched = model.clone();
    change(model);
    const weights = model.weights.slice();
    let seen: Float32Array | undefined;
    const rest = options({ ...more, resume: true });
    const onFirst = (of: Model) => ({
      ...rest,
      onBatch: () => {
        seen ??= of.weights.slice();
      },
    });
    const same = load(model.save());
    await model.fit(data, onFirst(model));
    // Adam moves a weight by about its rate in a step.
    expect(Math.max(...weights.map((w, i) => Math.abs(w - (seen as Float32Array)[i])))).toBeLessThan(0.5);
    await same.fit(data, rest);
    expect(stateOf(same)).toBe(stateOf(model));
    seen = undefined;
    await untouched.fit(data, onFirst(untouched));
    expect(Math.max(...weights.map((w, i) => Math.abs(w - (seen as Float32Array)[i])))).toBeGreaterThan(0.5);
  });

  it.each<[string, (model: Model) => Promise<unknown>]>([
    ["a source that does not open", (model) => model.fit(() => Promise.reject(new Error("down")))],
    ["an empty stream", (model) => model.fit([])],
    ["a bad first piece", (model) => model.fit([{ x: [[1]], y: [0] }])],
    ["a source that is aborted", abortedWhileOpening],
    ["a first step that diverges", (model) => model.fit(huge)],
    ["a resumed step that diverges", (model) => model.fit(huge, options({ ...patient, resume: true }))],
    ["no epochs", (model) => model.fit(data, { epochs: 0 }).then(() => Promise.reject(new Error("none")))],
  ])("is left as it was by %s", async (_, fail) => {
    const expected = await uninterrupted(patient);
    const abort = new AbortController();
    const model = sequential(quick);
    const onBatch = ({ epoch, batch }: { epoch: number; batch: number }) => {
      if (epoch === 4 && batch === 4) abort.abort();
    };
    await expect(model.fit(data, options({ ...patient, onBatch, signal: abort.signal }))).rejects.toThrow(/abort/);
    const before = stateOf(model);
    await expect(fail(model)).rejects.toThrow();
    expect(stateOf(model)).toBe(before);
    await model.fit(data, options({ ...patient, resume: true }));
    expect(stateOf(model)).toBe(expected.state);
  });

  it("gives way to the first step of another", async () => {
    const model = sequential(quick);
    for await (const _ of model.train(data, options())) break;
    const onBatch = () => {
      throw new Error("after a step");
    };
    await expect(model.fit(data, { batchSize: 16, onBatch })).rejects.toThrow("after a step");
    await expect(model.fit(data, options({ resume: true }))).rejects.toThrow(/run's 61 rows in batches of 16/);
  });

  it("is none once it has finished: resume begins anew, but not from the last onEpoch's file", async () => {
    let last: Uint8Array = new Uint8Array(0);
    const model = sequential(quick);
    const onEpoch = () => {
      last = model.save();
    };
    const finished = load(await model.fit(data, options({ onEpoch })).then(() => model.save()));
    const { epochs } = await finished.fit(data, options({ resume: true }));
    expect(epochs.map(({ epoch }) => epoch)).toEqual([7, 8, 9, 10, 11, 12]);
    const over = load(last);
    expect(await over.fit(data, options({ resume: true }))).toEqual({ epochs: [], stopped: "finished" });
    expect(stateOf(over)).toBe(stateOf(model));
  });

  it("wants the same data and batches", async () => {
    const model = sequential(config);
    const abort = new AbortController();
    await model
      .fit(data, { epochs: 2, batchSize: 8, signal: abort.signal, onBatch: () => abort.abort() })
      .catch(() => undefined);
    await expect(model.fit(data, { epochs: 2, batchSize: 16, resume: true })).rejects.toMatchObject({ code: "CONFIG" });
    await model.fit(data, { epochs: 2, batchSize: 8, resume: true });
  });
});

describe("the format", () => {
  it("is read at any offset", () => {
    const bytes = sequential(config).save();
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(load(shifted.subarray(3)).weights).toEqual(load(bytes).weights);
  });

  it("is read with a header of any length", () => {
    const bytes = sequential(config).save();
    const { header, data } = takeApart(bytes);
    const text = JSON.stringify(header);
    for (let spaces = 0; spaces < 9; spaces++) {
      expect(stateOf(load(putTogether(text + " ".repeat(spaces), data)))).toBe(Buffer.from(bytes).toString("latin1"));
    }
  });

  it("goes there and back", () => {
    const tensors = [
      { name: "a", shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
      { name: "none", shape: [0], values: new Float32Array(0) },
      { name: "one", shape: [], values: Float32Array.of(-0) },
    ];
    const file = readSafetensors(writeSafetensors(tensors, { key: "ä" }));
    expect([...file.tensors.values()]).toEqual(tensors);
    expect(file.metadata.get("key")).toBe("ä");
  });
});
