// The network, and one training of it.
import { adam, dense, type Model, sequential } from "../../src/index.ts";
import type { Images } from "./images.ts";

export const EPOCHS = 10;
export const BATCH_SIZE = 128;

/** 784-256-128-10, Adam at 1e-3. */
export function fashionModel(seed: number, threads = 1): Model {
  return sequential({
    input: 784,
    layers: [
      dense(256, { activation: "relu" }),
      dense(128, { activation: "relu" }),
      dense(10, { activation: "softmax" }),
    ],
    loss: "cross-entropy",
    optimizer: adam({ learningRate: 1e-3 }),
    seed,
    threads,
  });
}

export interface Trained {
  readonly accuracy: number;
  /** Of the epochs alone. Units: s. */
  readonly seconds: number;
}

/** Trains a fresh network; `onEpoch` is told after each epoch. */
export async function trainOnce(
  seed: number,
  threads: number,
  train: Images,
  test: Images,
  onEpoch: (epoch: number, loss: number) => void = () => {},
): Promise<Trained> {
  const model = fashionModel(seed, threads);
  const start = performance.now();
  await model.fit(train, { epochs: EPOCHS, batchSize: BATCH_SIZE, onEpoch: ({ epoch, loss }) => onEpoch(epoch, loss) });
  const seconds = (performance.now() - start) / 1000;
  return { accuracy: model.evaluate(test).accuracy as number, seconds };
}
