// Ten training steps of many small networks against PyTorch in float64 (goldens/make_goldens.py), replayed
// through the public API. The script keeps only cases in which f32 rounding uses at most a third of a tolerance.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  activation,
  adagrad,
  adam,
  adamw,
  batchNorm,
  concat,
  dense,
  embedding,
  type LayerSpec,
  layerNorm,
  residual,
  rmsprop,
  sequential,
  sgd,
} from "../src/index.ts";

/** Per tensor, relative to its largest element; each step's loss is a tensor of its own. */
const TOLERANCE = { loss: 1e-5, gradient: 1e-5, finalWeights: 4e-5, finalBuffers: 4e-5, outputs: 4e-5 };

type Config = Parameters<typeof sequential>[0];
type Kind = string | { kind: string };
/** A layer's function and its arguments. */
type LayerEntry = readonly [keyof typeof layers, ...arguments: unknown[]];
type Tensors = Record<string, number[]>;

interface Batch {
  x: number[];
  y: number[];
  sampleWeight?: number[];
}

/** Inputs, targets, sample weights and initial weights count units of `Goldens.unit`; class indices are plain. */
interface Case {
  name: string;
  input: number;
  layers: LayerEntry[];
  loss: NonNullable<Config["loss"]> | null;
  optimizer: [keyof typeof optimizers, object];
  /** trainBatch: steps cycle over the batches. custom: each step accumulates the gradients of all batches; inference:
   *  in inference mode. */
  loop: "trainBatch" | "custom" | "inference";
  labels: boolean;
  weights: Tensors;
  /** The running statistics at the start. */
  buffers?: Tensors;
  batches: Batch[];
  probe: number[];
  expected: {
    losses: number[];
    gradients: Tensors;
    inputGradient?: number[];
    finalWeights: Tensors;
    finalBuffers?: Tensors;
    outputs: number[];
  };
}

interface Goldens {
  unit: number;
  steps: number;
  cases: Case[];
}

const layers = { dense, activation, layerNorm, batchNorm, residual, concat, embedding };
const optimizers = { sgd, rmsprop, adagrad, adam, adamw };
const goldens: Goldens = JSON.parse(readFileSync(new URL("./goldens/trajectories.json", import.meta.url), "utf8"));

const units = (values: number[]) => Float32Array.from(values, (v) => v * goldens.unit);

function build(c: Case) {
  const model = sequential({
    input: c.input,
    layers: c.layers.map(layerOf),
    optimizer: optimizers[c.optimizer[0]](c.optimizer[1]),
    ...(c.loss === null ? {} : { loss: c.loss }),
  });
  model.setWeights(Object.fromEntries(Object.entries(c.weights).map(([name, values]) => [name, units(values)])));
  for (const [name, values] of Object.entries(c.buffers ?? {})) model.buffers[name].set(units(values));
  return model;
}

function layerOf([name, ...rest]: LayerEntry): LayerSpec {
  if (name === "residual") return residual((rest[0] as LayerEntry[]).map(layerOf));
  if (name === "concat") return concat((rest[0] as LayerEntry[][]).map((branch) => branch.map(layerOf)));
  return (layers[name] as (...rest: unknown[]) => LayerSpec)(...rest);
}

type Model = ReturnType<typeof build>;

function read(model: Model, what: "value" | "gradient"): Record<string, Float32Array> {
  return Object.fromEntries(model.parameters.map((p) => [p.name, Float32Array.from(p[what])]));
}

/** A loss of one's own and its gradient: half the squared error, or cross-entropy on probabilities, over `total` rows. */
function customLoss(c: Case, output: Float32Array, y: Float32Array, total: number) {
  const d = new Float32Array(output.length);
  let loss = 0;
  for (let i = 0; i < d.length; i++) {
    if (c.loss === null) {
      loss += (output[i] - y[i]) ** 2 / (2 * total);
      d[i] = (output[i] - y[i]) / total;
    } else {
      loss -= (y[i] * Math.log(output[i])) / total;
      d[i] = -y[i] / output[i] / total;
    }
  }
  return { loss, d };
}

/** The steps of `c`; `afterFirst` sees the model with the first step's gradients and the first dLoss/dInput. */
function train(c: Case, model: Model, afterFirst: (inputGradient?: Float32Array) => void): number[] {
  const batches = c.batches.map((b) => ({
    x: units(b.x),
    y: c.labels ? Int32Array.from(b.y) : units(b.y),
    options: b.sampleWeight ? { sampleWeight: units(b.sampleWeight) } : {},
  }));
  const total = batches.reduce((rows, b) => rows + b.x.length / c.input, 0);
  const losses: number[] = [];
  for (let step = 0; step < goldens.steps; step++) {
    if (c.loop === "trainBatch") {
      const { x, y, options } = batches[step % batches.length];
      losses.push(model.trainBatch(x, y, options));
      if (step === 0) afterFirst();
      continue;
    }
    model.zeroGradients();
    let stepLoss = 0;
    let inputGradient: Float32Array | undefined;
    for (const { x, y } of batches) {
      const { loss, d } = customLoss(c, model.forward(x, { training: c.loop === "custom" }), y as Float32Array, total);
      stepLoss += loss;
      const dInput = model.backward(d);
      inputGradient ??= Float32Array.from(dInput);
    }
    losses.push(stepLoss);
    if (step === 0) afterFirst(inputGradient);
    model.step();
  }
  return losses;
}

function expectClose(tensor: string, actual: ArrayLike<number> | undefined, expected: number[], tolerance: number) {
  let difference = actual?.length === expected.length ? 0 : Number.NaN;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs((actual?.[i] ?? Number.NaN) - expected[i]));
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  const error = difference / largest;
  const message = `${tensor} (${actual?.length} of ${expected.length} elements): relative error ${error.toExponential(2)}`;
  expect(error, message).toBeLessThanOrEqual(tolerance);
}

describe("ten steps against PyTorch", () => {
  it.each(goldens.cases.map((c) => [c.name, c] as const))("%s", (_, c) => {
    const { expected } = c;
    const model = build(c);
    const losses = train(c, model, (inputGradient) => {
      const gradients = read(model, "gradient");
      for (const [name, values] of Object.entries(expected.gradients)) {
        expectClose(`first gradient of ${name}`, gradients[name], values, TOLERANCE.gradient);
      }
      if (expected.inputGradient) {
        expectClose("first gradient of the input", inputGradient, expected.inputGradient, TOLERANCE.gradient);
      }
    });
    expect(losses.length).toBe(expected.losses.length);
    for (const [step, loss] of expected.losses.entries()) {
      expectClose(`loss of step ${step}`, [losses[step]], [loss], TOLERANCE.loss);
    }
    const weights = read(model, "value");
    expect(Object.keys(weights).sort()).toEqual(Object.keys(expected.finalWeights).sort());
    for (const [name, values] of Object.entries(expected.finalWeights)) {
      expectClose(`final ${name}`, weights[name], values, TOLERANCE.finalWeights);
    }
    expect(Object.keys(model.buffers).sort()).toEqual(Object.keys(expected.finalBuffers ?? {}).sort());
    for (const [name, values] of Object.entries(expected.finalBuffers ?? {})) {
      expectClose(`final ${name}`, model.buffers[name], values, TOLERANCE.finalBuffers);
    }
    expectClose("outputs", model.predict(units(c.probe)), expected.outputs, TOLERANCE.outputs);
  });

  it("covers every layer with parameters, activation, loss and optimizer", () => {
    const kind = (spec: Kind) => (typeof spec === "string" ? spec : spec.kind);
    const { cases } = goldens;
    const activations = cases.flatMap((c) =>
      c.layers.flatMap(([name, first, second]): string[] => {
        if (name === "activation") return [kind(first as Kind)];
        return name === "dense" ? [kind((second as { activation?: Kind }).activation ?? "linear")] : [];
      }),
    );
    expect(new Set(cases.flatMap((c) => c.layers.map(([name]) => name)))).toEqual(new Set(Object.keys(layers)));
    const losses = cases.flatMap((c) => (c.loss === null ? [] : [kind(c.loss)]));
    const all = "linear relu leaky-relu elu selu gelu silu softplus sigmoid tanh softmax".split(" ");
    expect([...new Set(activations)].sort()).toEqual(all.sort());
    expect([...new Set(losses)].sort()).toEqual(
      ["cross-entropy", "binary-cross-entropy", "mean-squared-error", "mean-absolute-error", "huber"].sort(),
    );
    expect([...new Set(cases.map((c) => c.optimizer[0]))].sort()).toEqual(Object.keys(optimizers).sort());
  });
});
