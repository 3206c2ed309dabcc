// The model's f32 gradients against central differences of the f64 network's loss, away from kinks.
import { expect, test } from "vitest";
import { activation, dense, type LayerSpec, type LossSpec, type Model, sequential, sgd } from "../src/index.ts";
import { ACTIVATION_KINDS, type ActivationKind } from "./reference/activations.ts";
import { LOSS_KINDS, type LossKind, oneHot } from "./reference/losses.ts";
import {
  backward,
  centralDifferences,
  distanceToKink,
  forward,
  loss as lossOf,
  outputs,
  type TwinBatch,
  type TwinLayer,
  type TwinLoss,
  type TwinNetwork,
} from "./reference/network.ts";
import { expectWithin } from "./support/bounds.ts";
import { LONG } from "./support/long.ts";
import { boundsOfLoss, boundsOfOutput } from "./support/network_bounds.ts";
import { type RandomSource, randomSource } from "./support/random.ts";

/** Central differences step by 1e-5: a corner must be much farther away. */
const KINK_MARGIN = 1e-3;

const PARAMETER: Partial<Record<ActivationKind, number>> = { "leaky-relu": 0.125, elu: 1 };

interface Problem {
  readonly network: TwinNetwork;
  readonly parameters: Float64Array[];
  readonly batch: TwinBatch & { x: Float64Array };
  /** The model's y: class indices where the batch's rows are one-hot, or the same rows. */
  readonly y: Int32Array | Float32Array;
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0);
const act = (kind: ActivationKind | "softmax"): TwinLayer => ({
  kind: "activation",
  activation: kind,
  parameter: kind === "softmax" ? 0 : (PARAMETER[kind] ?? 0),
});

/** What the losses take besides their name; label smoothing by chance. */
function lossSpec(random: RandomSource, kind: LossKind): TwinLoss {
  if (kind === "huber") return { kind, delta: 0.5 };
  return kind === "cross-entropy" && random.integer(2) ? { kind, labelSmoothing: 0.1 } : { kind };
}

/** The layers with the head that the loss needs, and the loss. */
function networkOf(input: number, layers: TwinLayer[], loss: TwinLoss): TwinNetwork {
  const head =
    { "cross-entropy": [act("softmax")], "binary-cross-entropy": [act("sigmoid")] }[loss.kind as string] ?? [];
  return { input, layers: [...layers, ...head], loss };
}

/** Kernels of variance 1 / fan-in, as networks start. */
function parametersOf(random: RandomSource, network: TwinNetwork): Float64Array[] {
  let width = network.input;
  return network.layers.flatMap((layer) => {
    if (layer.kind !== "dense") return [];
    const limit = Math.sqrt(3 / width);
    const kernel = Float64Array.from(random.floats(width * layer.units, -limit, limit));
    width = layer.units;
    return layer.useBias ? [kernel, Float64Array.from(random.floats(width, -0.5, 0.5))] : [kernel];
  });
}

/** Weights and a batch that run away from kinks; all numbers exact in f32. */
function problemOf(random: RandomSource, network: TwinNetwork, rows: number, weighted: boolean): Problem {
  const n = outputs(network);
  for (let attempt = 0; attempt < 1000; attempt++) {
    const parameters = parametersOf(random, network);
    const { rowsOfTargets, y } = randomTargets(random, network.loss.kind, rows, n);
    const batch = {
      rows,
      x: Float64Array.from(random.floats(rows * network.input, -1.5, 1.5)),
      y: rowsOfTargets,
      ...(weighted ? { weights: random.floats(rows, 0.25, 2) } : {}),
    };
    const trace = forward(network, parameters, batch.x, rows);
    if (distanceToKink(network, trace, batch.y) < KINK_MARGIN) continue;
    return { network, parameters, batch, y };
  }
  throw new Error("Found no problem away from kinks.");
}

interface Targets {
  readonly rowsOfTargets: Float32Array;
  readonly y: Int32Array | Float32Array;
}

/** For classes: indices, one-hot rows or rows of probabilities, in turn by chance. */
function randomTargets(random: RandomSource, loss: LossKind, rows: number, n: number): Targets {
  if (loss !== "cross-entropy") {
    const values = loss === "binary-cross-entropy" ? random.floats(rows * n, 0, 1) : random.floats(rows * n, -2, 2);
    return { rowsOfTargets: values, y: values };
  }
  const labels = Int32Array.from({ length: rows }, () => random.integer(n));
  const hot = Float32Array.from(oneHot(labels, n));
  const soft = random.floats(rows * n, 0, 1);
  // A flat y of one output a row means indices.
  return [
    { rowsOfTargets: hot, y: labels },
    { rowsOfTargets: hot, y: hot },
    { rowsOfTargets: soft, y: soft },
  ][n === 1 ? 0 : random.integer(3)];
}

/** The same network as a model, its weights set; `merge`: activations as options of dense where they follow one. */
function modelOf({ network, parameters }: Problem, merge: boolean): Model {
  const layers: LayerSpec[] = [];
  network.layers.forEach((layer, l) => {
    if (layer.kind === "dense") {
      const next = network.layers[l + 1];
      const options = merge && next?.kind === "activation" ? { activation: activationSpec(next) } : {};
      layers.push(dense(layer.units, { useBias: layer.useBias, ...options }));
    } else if (!merge || network.layers[l - 1]?.kind !== "dense") {
      layers.push(activation(activationSpec(layer)));
    }
  });
  const model = sequential({
    input: network.input,
    layers,
    loss: network.loss as LossSpec,
    optimizer: sgd({ learningRate: 1e-3 }),
  });
  model.setWeights(Float32Array.from(parameters.flatMap((values) => [...values])));
  return model;
}

function activationSpec({ activation, parameter }: Extract<TwinLayer, { kind: "activation" }>) {
  if (activation === "leaky-relu") return { kind: activation, alpha: parameter };
  if (activation === "elu") return { kind: activation, alpha: parameter };
  return activation;
}

/** Central differences are off by about 1e-10 of the function's size. */
const DIFFERENCES = 1e-9;

/** Expects every element within its bound, and bounds that prove something: below 1e-2 of the largest element. */
function expectBounded(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  bound: Float64Array,
  what: string,
): void {
  const largest = Array.from(expected).reduce((most, x) => Math.max(most, Math.abs(x)), 1);
  expect(Math.max(...bound) / largest, `the bound, ${what}`).toBeLessThan(1e-2);
  expectWithin(actual, expected, (i) => 1.01 * bound[i] + DIFFERENCES * (1 + Math.abs(expected[i])), what);
}

/** trainBatch, and forward with backward, against central differences. */
function check(problem: Problem, merge: boolean, random: RandomSource): void {
  const { network, parameters, batch, y } = problem;
  const what = JSON.stringify({ ...network, rows: batch.rows, weighted: batch.weights !== undefined, merge });
  const x = Float32Array.from(batch.x);
  const differences = (f: () => number): Float64Array[] => parameters.map((values) => centralDifferences(f, values));

  const fused = modelOf(problem, merge);
  const bounds = boundsOfLoss(network, parameters, batch);
  const loss = fused.trainBatch(x, y, batch.weights ? { sampleWeight: batch.weights } : {});
  const f = (): number => lossOf(network, parameters, batch);
  expectWithin([loss], [f()], () => 1.01 * bounds.loss, `loss of ${what}`);
  compare(fused, differences(f), bounds.parameters, `trainBatch, ${what}`);

  const unfused = modelOf(problem, merge);
  const { output } = forward(network, parameters, batch.x, batch.rows);
  const dOutput = random.floats(output.length);
  const unfusedBounds = boundsOfOutput(network, parameters, batch.x, batch.rows, dOutput);
  expectBounded(unfused.forward(x), output, unfusedBounds.output, `output of ${what}`);
  const g = (): number => dot(forward(network, parameters, batch.x, batch.rows).output, dOutput);
  unfused.zeroGradients();
  const dInput = unfused.backward(dOutput);
  compare(unfused, differences(g), unfusedBounds.parameters, `backward, ${what}`);
  expectBounded(dInput, centralDifferences(g, batch.x), unfusedBounds.input, `dInput, ${what}`);
}

function compare(model: Model, expected: Float64Array[], bounds: Float64Array[], what: string): void {
  expect(model.parameters.length, what).toBe(expected.length);
  model.parameters.forEach(({ name, gradient }, i) => {
    expectBounded(gradient, expected[i], bounds[i], `${name}, ${what}`);
  });
}

const denseLayer = (units: number, useBias = true): TwinLayer => ({ kind: "dense", units, useBias });

test.each([true, false])("dense, with bias: %s", (useBias) => {
  const random = randomSource(1);
  for (const [input, units, rows] of [
    [1, 1, 1],
    [3, 5, 2],
    [9, 17, 7],
    [16, 8, 4],
  ]) {
    const network = networkOf(input, [denseLayer(units, useBias), denseLayer(2, useBias)], {
      kind: "mean-squared-error",
    });
    check(problemOf(random, network, rows, false), true, random);
  }
});

test.each(ACTIVATION_KINDS)("activation %s, inside and at the end, in dense and as a layer of its own", (kind) => {
  const random = randomSource(2);
  for (const merge of [true, false]) {
    const layers = [denseLayer(7), act(kind), denseLayer(5), act(kind)];
    check(problemOf(random, networkOf(4, layers, { kind: "mean-squared-error" }), 3, false), merge, random);
  }
});

test("softmax inside and at the end without cross-entropy", () => {
  const random = randomSource(3);
  const layers = [denseLayer(6), act("softmax"), denseLayer(5), act("softmax")];
  for (const merge of [true, false]) {
    check(problemOf(random, networkOf(4, layers, { kind: "mean-squared-error" }), 3, false), merge, random);
  }
});

test("an activation before the first dense layer", () => {
  const random = randomSource(4);
  check(
    problemOf(random, networkOf(5, [act("tanh"), denseLayer(3)], { kind: "mean-squared-error" }), 4, false),
    true,
    random,
  );
});

test.each(LOSS_KINDS)("%s: with and without weights, one and several rows and outputs", (kind) => {
  const random = randomSource(5);
  for (const weighted of [false, true]) {
    for (const [rows, n] of [
      [1, 1],
      [1, 3],
      [5, 1],
      [6, 5],
      [4, 9],
    ]) {
      const network = networkOf(3, [denseLayer(6), act("gelu"), denseLayer(n)], lossSpec(random, kind));
      check(problemOf(random, network, rows, weighted), true, random);
    }
  }
});

test("backward accumulates: twice gives twice the gradient", () => {
  const random = randomSource(6);
  const network = networkOf(5, [denseLayer(9), act("silu"), denseLayer(3), act("tanh")], {
    kind: "mean-squared-error",
  });
  const problem = problemOf(random, network, 6, false);
  const model = modelOf(problem, true);
  const expected = backward(network, problem.parameters, problem.batch);
  const output = model.forward(Float32Array.from(problem.batch.x));
  const dOutput = Float32Array.from(output, (value, i) => (2 * (value - problem.batch.y[i])) / output.length);
  model.zeroGradients();
  model.backward(dOutput);
  model.forward(Float32Array.from(problem.batch.x));
  model.backward(dOutput);
  const twice = (values: Float64Array): Float64Array => values.map((value) => 2 * value);
  const bounds = boundsOfLoss(network, problem.parameters, problem.batch);
  // dOutput was rounded once more, from an output that was off: as much again.
  compare(model, expected.parameters.map(twice), bounds.parameters.map(twice).map(twice), "twice");
});

test(`${LONG ? 500 : 50} random networks`, () => {
  for (let seed = 1; seed <= (LONG ? 500 : 50); seed++) {
    const random = randomSource(1000 + seed);
    const layers: TwinLayer[] = [];
    const depth = 1 + random.integer(3);
    for (let l = 0; l < depth; l++) {
      layers.push(denseLayer(1 + random.integer(20), random.integer(4) > 0));
      if (l < depth - 1 || random.integer(2)) layers.push(act(random.pick(ACTIVATION_KINDS)));
    }
    const loss = lossSpec(random, random.pick(LOSS_KINDS));
    const network = networkOf(1 + random.integer(12), layers, loss);
    check(problemOf(random, network, 1 + random.integer(7), random.integer(2) === 1), random.integer(2) === 1, random);
  }
});
