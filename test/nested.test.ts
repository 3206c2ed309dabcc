// Networks of layers within layers, drawn by fast-check: the model's f32 gradients against central differences of the
// f64 network's loss, away from kinks.
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  activation,
  batchNorm,
  concat,
  dense,
  dropout,
  embedding,
  type LayerSpec,
  layerNorm,
  type Model,
  residual,
  sequential,
  sgd,
} from "../src/index.ts";
import { ACTIVATION_KINDS } from "./reference/activations.ts";
import { centralDifferences } from "./reference/network.ts";
import { expectWithin, U } from "./support/bounds.ts";
import { LONG } from "./support/long.ts";
import { type Bounded, Pass, shapesOf, type Twin } from "./support/nested.ts";
import { randomSource } from "./support/random.ts";

/** Central differences step by 1e-5: a corner must be much farther away. */
const KINK_MARGIN = 1e-3;
/** Central differences are off by about 1e-10 of the function's size, and where it bends by their step. */
const DIFFERENCES = 1e-8;
/** A bound that proves something: below this share of the tensor's largest element, or of 1. */
const TELLING = 1e-2;

/** A network without widths that fit: a residual block ends in a dense layer of as many units as go in. */
const { layers: drawnLayers } = fc.letrec<{ layer: Twin; layers: readonly Twin[] }>((tie) => ({
  layer: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.record({ kind: fc.constant("dense"), units: fc.integer({ min: 1, max: 9 }), useBias: fc.boolean() }),
    fc
      .constantFrom(...ACTIVATION_KINDS, "softmax")
      .map((kind) => ({ kind: "activation", activation: kind, alpha: kind === "leaky-relu" ? 0.125 : 1 })),
    fc.constantFrom({ kind: "layer-norm" }, { kind: "batch-norm" }),
    fc.constantFrom(0, 0.25, 0.5).map((rate) => ({ kind: "dropout", rate })),
    tie("layers").map((layers) => ({ kind: "residual", layers })),
    fc
      .array(fc.oneof(fc.constant([]), tie("layers")), { minLength: 1, maxLength: 3 })
      .map((branches) => ({ kind: "concat", branches })),
  ) as fc.Arbitrary<Twin>,
  layers: fc.array(tie("layer"), { minLength: 1, maxLength: 3 }),
}));

interface Drawn {
  readonly input: number;
  /** Its first column is embedded. */
  readonly embedded: boolean;
  readonly layers: readonly Twin[];
  readonly rows: number;
  readonly seed: number;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  input: fc.integer({ min: 1, max: 7 }),
  embedded: fc.boolean(),
  layers: drawnLayers,
  rows: fc.integer({ min: 3, max: 7 }),
  seed: fc.nat(),
});

/** The same layers with widths that fit; and the width that they give. */
function fitted(layers: readonly Twin[], input: number): { layers: Twin[]; width: number } {
  let width = input;
  const fit = layers.map((layer): Twin => {
    switch (layer.kind) {
      case "dense":
        width = layer.units;
        return layer;
      case "residual": {
        const inner = fitted(layer.layers, width);
        const last: Twin = { kind: "dense", units: width, useBias: true };
        return { kind: "residual", layers: inner.width === width ? inner.layers : [...inner.layers, last] };
      }
      case "concat": {
        const branches = layer.branches.map((branch) => fitted(branch, width));
        width = branches.reduce((sum, branch) => sum + branch.width, 0);
        return { kind: "concat", branches: branches.map((branch) => branch.layers) };
      }
      default:
        return layer;
    }
  });
  return { layers: fit, width };
}

function specOf(layer: Twin): LayerSpec {
  switch (layer.kind) {
    case "dense":
      return dense(layer.units, { useBias: layer.useBias });
    case "activation": {
      const { activation: kind, alpha } = layer;
      return activation(kind === "leaky-relu" || kind === "elu" ? { kind, alpha } : kind);
    }
    case "layer-norm":
      return layerNorm();
    case "batch-norm":
      return batchNorm();
    case "dropout":
      return dropout(layer.rate);
    case "residual":
      return residual(layer.layers.map(specOf));
    case "concat":
      return concat(layer.branches.map((branch) => branch.map(specOf)));
    case "embedding": {
      const { kind: _, ...options } = layer;
      return embedding(options);
    }
  }
}

interface Problem {
  readonly layers: readonly Twin[];
  readonly input: number;
  readonly rows: number;
  readonly parameters: Float64Array[];
  readonly x: Float64Array;
  readonly targets: Float32Array;
  readonly dOutput: Float32Array;
}

/** Numbers, exact in f32, that run away from kinks and where f32 tells something; none for networks that have none. */
function problemOf({ input, embedded, layers: raw, rows, seed }: Drawn): Problem | undefined {
  const first: Twin[] = embedded ? [{ kind: "embedding", vocabulary: 4, units: 3, column: 0 }] : [];
  const layers = [...first, ...fitted(raw, embedded ? input + 2 : input).layers];
  const random = randomSource(seed);
  for (let attempt = 0; attempt < 60; attempt++) {
    const parameters = shapesOf(layers, input).map((shape) => {
      const limit = shape.length === 2 ? Math.sqrt(3 / shape[0]) : 1.5;
      return Float64Array.from(
        random.floats(
          shape.reduce((a, b) => a * b, 1),
          -limit,
          limit,
        ),
      );
    });
    const x = Float64Array.from(random.floats(rows * input, -1.5, 1.5), (value, at) =>
      embedded && at % input === 0 ? random.integer(4) : value,
    );
    const run = () => new Pass(layers, parameters, x, rows);
    const pass = run();
    const [targets, dOutput] = [0, 1].map(() => random.floats(pass.out.y.v.length));
    if (pass.kink < KINK_MARGIN) continue;
    const problem = { layers, input, rows, parameters, x, targets, dOutput };
    const dx = pass.out.backward({ v: Float64Array.from(dOutput), e: new Float64Array(dOutput.length) });
    const trained = run();
    trained.out.backward(meanSquaredError(trained.out.y, targets).gradient);
    if ([...pass.gradients, ...trained.gradients, dx, pass.out.y].every(isTelling)) return problem;
  }
  return undefined;
}

/** The loss of outputs, with the bound of its error, and its gradient. */
function meanSquaredError({ v, e }: Bounded, targets: Float32Array) {
  const n = targets.length;
  const size = (i: number): number => Math.abs(v[i]) + Math.abs(targets[i]);
  const gradient = {
    v: v.map((value, i) => (2 * (value - targets[i])) / n),
    e: e.map((error, i) => (2 * (error + 4 * U * size(i))) / n),
  };
  const loss = v.reduce((sum, value, i) => sum + (value - targets[i]) ** 2 / n, 0);
  const error = e.reduce(
    (sum, error, i) => sum + Math.abs(gradient.v[i]) * error + (error ** 2 + 4 * U * size(i) ** 2) / n,
    0,
  );
  return { loss, error, gradient };
}

function isTelling({ v, e }: Bounded): boolean {
  const largest = v.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  return e.every((error) => error < 0.3 * TELLING * largest);
}

function modelOf({ layers, input, parameters }: Problem): Model {
  const model = sequential({
    input,
    layers: layers.map(specOf),
    loss: "mean-squared-error",
    optimizer: sgd({ learningRate: 0 }),
  });
  model.setWeights(Float32Array.from(parameters.flatMap((values) => [...values])));
  return model;
}

function expectBounded(actual: ArrayLike<number>, expected: Float64Array, { e }: Bounded, what: string): void {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  expect(Math.max(0, ...e) / largest, `the bound, ${what}`).toBeLessThan(TELLING);
  // The bounds are of first order.
  expectWithin(actual, expected, (i) => 1.05 * e[i] + DIFFERENCES * largest, what);
}

function check(problem: Problem): void {
  const { layers, parameters, x, rows, targets, dOutput } = problem;
  const what = JSON.stringify({ layers, rows, input: problem.input });
  const input = Float32Array.from(x);
  const run = (): Pass => new Pass(layers, parameters, x, rows);
  const compare = (model: Model, gradients: readonly Bounded[], f: () => number, where: string): void => {
    expect(model.parameters.length, what).toBe(parameters.length);
    model.parameters.forEach(({ name, gradient }, i) => {
      expectBounded(gradient, centralDifferences(f, parameters[i]), gradients[i], `${where}, ${name}, ${what}`);
    });
  };

  const fused = modelOf(problem);
  const loss = fused.trainBatch(input, targets);
  const trained = run();
  const lossOf = (): number => meanSquaredError(run().out.y, targets).loss;
  const expectedLoss = meanSquaredError(trained.out.y, targets);
  expectWithin([loss], [expectedLoss.loss], () => 1.05 * expectedLoss.error + 1e-12, `loss, ${what}`);
  trained.out.backward(expectedLoss.gradient);
  compare(fused, trained.gradients, lossOf, "trainBatch");

  const unfused = modelOf(problem);
  const pass = run();
  expectBounded(unfused.forward(input), pass.out.y.v, pass.out.y, `output, ${what}`);
  const dx = pass.out.backward({ v: Float64Array.from(dOutput), e: new Float64Array(dOutput.length) });
  unfused.zeroGradients();
  const dInput = unfused.backward(dOutput);
  const product = (): number => run().out.y.v.reduce((sum, value, i) => sum + value * dOutput[i], 0);
  compare(unfused, pass.gradients, product, "backward");
  // By an index there is no difference to take.
  const embedded = layers[0].kind === "embedding";
  const expected = embedded ? dx.v : centralDifferences(product, x);
  expectBounded(dInput, expected, dx, `dInput, ${what}`);
}

/** Enough networks are drawn that this many pass: some have no numbers at which f32 tells anything. */
test(`${LONG ? 500 : 50} networks of nested layers`, () => {
  const runs = LONG ? 500 : 50;
  let checked = 0;
  fc.assert(
    fc.property(drawn, (network) => {
      if (checked >= runs) return;
      const problem = problemOf(network);
      if (!problem) return;
      check(problem);
      checked++;
    }),
    { numRuns: 2 * runs, seed: 5, endOnFailure: true },
  );
  expect(checked).toBe(runs);
});

test("each kind, alone and within the others", () => {
  const inner: Twin[] = [
    { kind: "dense", units: 5, useBias: true },
    { kind: "activation", activation: "gelu", alpha: 1 },
    { kind: "layer-norm" },
    { kind: "batch-norm" },
    { kind: "dropout", rate: 0.5 },
    { kind: "residual", layers: [{ kind: "activation", activation: "tanh", alpha: 1 }] },
    { kind: "concat", branches: [[], [{ kind: "dense", units: 2, useBias: false }]] },
  ];
  for (const layer of inner) {
    for (const layers of [
      [layer],
      [{ kind: "residual", layers: [layer] }],
      [{ kind: "concat", branches: [[layer], []] }],
      [{ kind: "concat", branches: [[{ kind: "residual", layers: [layer, layer] }]] }, layer],
    ] as Twin[][]) {
      for (const embedded of [false, true]) {
        const problem = problemOf({ input: 5, embedded, layers, rows: 6, seed: 3 });
        expect(problem, JSON.stringify(layers)).toBeDefined();
        check(problem as Problem);
      }
    }
  }
});
