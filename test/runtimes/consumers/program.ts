// What a TypeScript user writes; compiled as an ES module, as CommonJS and for bundlers.
import {
  type Activation,
  adam,
  concat,
  cosineDecay,
  createRuntime,
  type Dataset,
  type DenseOptions,
  dense,
  type EpochReport,
  type LayerSpec,
  load,
  type Model,
  planMemory,
  residual,
  type SequentialConfig,
  SimdgradError,
  sequential,
  sgd,
} from "simdgrad";
import { table } from "simdgrad/data";
import { load as loadPredictor } from "simdgrad/infer";
import { createKernels } from "simdgrad/kernels";
import type module from "simdgrad/kernels.wasm";
import { loadFile, saveFile } from "simdgrad/node";

type Half = typeof globalThis extends { Float16Array: { readonly prototype: infer A } } ? A : Float32Array;

const hidden: Activation = "relu";
const options: DenseOptions = { activation: hidden, kernelInit: "he-normal" };
const config: SequentialConfig = {
  input: 4,
  layers: [dense(8, options), dense(3, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam({ learningRate: 1e-3 }),
  threads: 2,
  worker: () => new Worker("lane.js"),
};
const data: Dataset = { x: new Float32Array(8), y: [0, 2] };

/** Half precision, where the library knows it. */
export const halves = (x: Half): Dataset["x"] => x;

export async function train(): Promise<Model> {
  const bytes: number = planMemory(config).total;
  const model = sequential(config);
  const { epochs, stopped } = await model.fit(data, {
    epochs: 2,
    signal: new AbortController().signal,
    onEpoch: ({ loss }: EpochReport) => loss + bytes,
  });
  for await (const { accuracy = 0 } of model.train(data, { epochs: 1 })) console.log(accuracy, epochs.length, stopped);
  const predictions: Float32Array = model.predict(data.x);
  model.setWeights({ "0.bias": predictions.subarray(0, 8) });
  await saveFile(model, "model.safetensors");
  const classes: Int32Array = loadPredictor(model.save()).predictClasses(data.x);
  console.log(classes, createKernels({ bytes: 1024 }).kernels);
  using loaded = load(model.save());
  return loaded.clone() && loadFile("model.safetensors");
}

/** What functions return is on a buffer of its own, as the web's interfaces want it. */
export async function send(model: Model): Promise<Response> {
  const outputs: Float32Array<ArrayBuffer> = model.predict(data.x);
  await crypto.subtle.digest("SHA-256", model.save());
  return new Response(new Blob([model.save(), outputs]));
}

/** A data set or a stream. */
export async function lossOf(model: Model, source: Dataset | AsyncIterable<Dataset>): Promise<number> {
  const { loss } = await model.evaluate(source);
  return loss;
}

interface Row {
  size: number;
  color?: string;
}

export const rowsOf = (rows: Row[]): number => table(rows).rows;

export function bring(kernels: typeof module): Model {
  try {
    return createRuntime(kernels).sequential(config);
  } catch (error) {
    if (error instanceof SimdgradError && error.code === "CONFIG") console.error(error.hint);
    throw error;
  }
}

/** Layers within layers tell their kinds apart. */
export function unitsOf(layers: readonly LayerSpec[]): number {
  let units = 0;
  for (const layer of layers) {
    if (layer.kind === "residual") units += unitsOf(layer.layers);
    else if (layer.kind === "concat") for (const branch of layer.branches) units += unitsOf(branch);
    else if (layer.kind === "dense") units += layer.units;
  }
  return units;
}

/** What specs hold is there, whatever the compiler makes of options that are undefined. */
export const filledIn: readonly number[] = [
  adam().epsilon,
  sgd().momentum,
  cosineDecay({ initial: 1, steps: 9 }).final,
  residual([dense(4), concat([[], [dense(4)]])]).layers.length,
];

// @ts-expect-error: no such layer
residual([{ kind: "foo" }]);
// @ts-expect-error: no such layer
concat([[{ kind: "foo" }]]);
// @ts-expect-error: no such loss
sequential({ ...config, loss: "entropy" });
// @ts-expect-error: no such activation
dense(8, { activation: "rectified" });
