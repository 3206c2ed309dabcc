// The networks that the step, fit and inference workloads train and run, their data, and one contestant a maker.
import { adam, dense, type Model, type RunOptions, SimdgradError, sequential } from "../../src/index.ts";
import { createNaive } from "../baselines/naive.ts";
import { type CreateNetwork, createRandom, initialise, type Network } from "../baselines/network.ts";
import { createTuned } from "../baselines/tuned.ts";

export interface Task {
  sizes: readonly number[];
  batch: number;
}

export const tasks: readonly Task[] = [
  { sizes: [4, 16, 3], batch: 16 },
  { sizes: [784, 128, 10], batch: 32 },
  { sizes: [784, 512, 256, 10], batch: 128 },
  { sizes: [256, 1024, 1024, 10], batch: 256 },
];

export const taskName = ({ sizes, batch }: Task): string => `${sizes.join("-")} batch ${batch}`;

export const makers: Record<string, CreateNetwork> = { naive: createNaive, tuned: createTuned };

const INPUT_BATCHES = 32;
const LABEL_BATCHES = 31;

/** Random inputs and labels. Their counts are coprime, so that a batch comes back with other labels: nothing can be
 *  learned by heart, and gradients never fade into denormals. */
export function createBatches({ sizes, batch }: Task): { x: Float32Array[]; labels: Int32Array[] } {
  const random = createRandom(7);
  const classes = sizes[sizes.length - 1];
  const x = Array.from({ length: INPUT_BATCHES }, () =>
    Float32Array.from({ length: batch * sizes[0] }, () => 2 * random() - 1),
  );
  const labels = Array.from({ length: LABEL_BATCHES }, () =>
    Int32Array.from({ length: batch }, () => Math.floor(random() * classes)),
  );
  return { x, labels };
}

export function createBaseline(create: CreateNetwork, { sizes, batch }: Task): Network {
  const network = create(sizes, batch);
  initialise(network, createRandom(3));
  return network;
}

/** What `create` makes of the relaxed kernels, or null where the engine lacks them. */
export function whereRelaxed<T>(create: () => T): T | null {
  try {
    return create();
  } catch (error) {
    if (error instanceof SimdgradError && error.code === "RUNTIME") return null;
    throw error;
  }
}

/** The same network with the same weights as the baselines'. Errors: as sequential. */
export function createModel(task: Task, options: RunOptions = {}): Model {
  const { sizes, batch } = task;
  const last = sizes.length - 2;
  const model = sequential({
    input: sizes[0],
    layers: sizes.slice(1).map((units, i) => dense(units, { activation: i < last ? "relu" : "softmax" })),
    loss: "cross-entropy",
    optimizer: adam(),
    maxBatch: batch,
    ...options,
  });
  const { parameters } = createBaseline(createNaive, task);
  model.setWeights(
    Object.fromEntries(
      parameters.flatMap(({ kernel, bias }, i) => [
        [`${i}.kernel`, kernel],
        [`${i}.bias`, bias],
      ]),
    ),
  );
  return model;
}
