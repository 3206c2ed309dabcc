// Same seed, same bits: whatever the batch, the chunk or the order of calls.
import { describe, expect, it } from "vitest";
import { activation, adam, dense, type Model, type SequentialConfig, sequential } from "../../src/index.ts";
import { randomSource } from "../support/random.ts";

const config: SequentialConfig = {
  input: 13,
  layers: [dense(37, { activation: "gelu" }), dense(22, { activation: "tanh" }), dense(5, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam(),
  seed: 7,
};

function samples(rows: number, columns: number, classes: number) {
  const random = randomSource(1);
  return { x: random.floats(rows * columns), y: Int32Array.from({ length: rows }, () => random.integer(classes)) };
}

const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.slice().buffer);

async function trained(options: Partial<SequentialConfig> = {}, shuffle = true): Promise<Model> {
  const model = sequential({ ...config, ...options });
  await model.fit(samples(103, 13, 5), { epochs: 3, batchSize: 10, shuffle });
  return model;
}

describe("same bits", () => {
  it("for the same seed twice, a short last batch included", async () => {
    const [first, second] = [await trained(), await trained()];
    expect(bits(first.weights)).toEqual(bits(second.weights));
    expect(first.parameters.map(({ moments }) => moments.map(bits))).toEqual(
      second.parameters.map(({ moments }) => moments.map(bits)),
    );
  });

  it("for another capacity, and for one that has to grow", async () => {
    expect(bits((await trained({ maxBatch: 3 })).weights)).toEqual(bits((await trained()).weights));
  });

  it("for fit(2 epochs) twice and fit(4 epochs)", async () => {
    const [twice, once] = [sequential(config), sequential(config)];
    const data = samples(103, 13, 5);
    await twice.fit(data, { epochs: 2, batchSize: 10 });
    await twice.fit(data, { epochs: 2, batchSize: 10 });
    await once.fit(data, { epochs: 4, batchSize: 10 });
    expect(bits(twice.weights)).toEqual(bits(once.weights));
  });

  it("for fit without shuffling and trainBatch in a loop", async () => {
    const { x, y } = samples(103, 13, 5);
    const model = sequential(config);
    for (let start = 0; start < 309; start += start % 103 === 100 ? 3 : 10) {
      const row = start % 103;
      model.trainBatch(x.slice(row * 13, (row + 10) * 13), y.slice(row, row + 10));
    }
    expect(bits((await trained({}, false)).weights)).toEqual(bits(model.weights));
  });

  it("for a clone that trains on", async () => {
    const model = await trained();
    const copy = model.clone();
    const data = samples(50, 13, 5);
    await model.fit(data, { epochs: 2 });
    await copy.fit(data, { epochs: 2 });
    expect(bits(copy.weights)).toEqual(bits(model.weights));
  });

  it("but others for another seed", async () => {
    expect(bits((await trained({ seed: 8 })).weights)).not.toEqual(bits((await trained()).weights));
    expect(bits((await trained({ seed: 2 ** 32 + 7 })).weights)).not.toEqual(bits((await trained()).weights));
  });

  it("when predict and evaluate come between the batches", async () => {
    const data = samples(103, 13, 5);
    const model = sequential(config);
    const onBatch = () => {
      model.predict(data.x);
      model.evaluate(data);
    };
    await model.fit(data, { epochs: 3, batchSize: 10, onBatch });
    expect(bits(model.weights)).toEqual(bits((await trained()).weights));
  });
});

describe("row i of predict has the same bits in every batch", () => {
  const layers = [
    { name: "softmax", layers: [dense(50, { activation: "relu" }), dense(10, { activation: "softmax" })] },
    { name: "wide", layers: [dense(129, { activation: "silu" }), dense(63, { activation: "tanh" }), dense(3)] },
    { name: "one output", layers: [dense(17, { activation: "sigmoid" }), dense(1, { activation: "sigmoid" })] },
    {
      name: "activation layers",
      layers: [activation("softplus"), dense(31), activation("elu"), activation("selu"), dense(7)],
    },
  ];
  for (const { name, layers: net } of layers) {
    it(`${name}, K = 784`, () => {
      const x = randomSource(5).floats(300 * 784);
      const model = sequential({ input: 784, layers: net, maxBatch: 256 });
      const whole = bits(model.predict(x));
      const width = whole.length / 300;
      for (const batch of [1, 3, 8, 9, 32]) {
        for (let row = 0; row + batch <= 300; row += 59) {
          const part = model.predict(x.subarray(row * 784, (row + batch) * 784));
          expect(bits(part), `batch ${batch} from row ${row}`).toEqual(whole.slice(row * width, (row + batch) * width));
        }
      }
      expect(bits(sequential({ input: 784, layers: net, maxBatch: 7 }).predict(x))).toEqual(whole);
    });
  }
});
