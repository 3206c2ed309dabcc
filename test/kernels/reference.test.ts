// The references themselves: known values, and derivatives against central differences.
import { expect, test } from "vitest";
import {
  type ActivationKind,
  derivative,
  derivativeFromOutput,
  erf,
  erfc,
  forward,
  softmax,
  softmaxBackward,
} from "../reference/activations.ts";
import { LOSS_KINDS, loss } from "../reference/losses.ts";
import {
  backward,
  backwardFromOutput,
  centralDifferences,
  loss as networkLoss,
  parameterLengths,
  forward as run,
  type TwinNetwork,
} from "../reference/network.ts";
import { philox, type Words4 } from "../reference/philox.ts";
import { expectWithin } from "../support/bounds.ts";
import { randomSource } from "../support/random.ts";

test("erf and erfc have the values of Abramowitz & Stegun, table 7.1", () => {
  const known: [number, number][] = [
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
  ];
  for (const [x, value] of known) {
    expect(erf(x)).toBeCloseTo(value, 14);
    expect(erf(-x)).toBeCloseTo(-value, 14);
  }
  expect(erfc(3) / 2.209049699858544e-5).toBeCloseTo(1, 12);
  expect(erfc(2.0000001) / erfc(1.9999999)).toBeCloseTo(1, 5);
});

test("derivatives agree with central differences, by input and by output", () => {
  const parameters: Partial<Record<ActivationKind, number>> = { "leaky-relu": 0.01, elu: 1.3 };
  for (const kind of Object.keys(forward) as ActivationKind[]) {
    const parameter = parameters[kind] ?? 0;
    for (const x of [-6, -2.1, -0.7, -0.01, 0.01, 0.7, 2.1, 6]) {
      const h = 1e-6;
      const slope = (forward[kind](x + h, parameter) - forward[kind](x - h, parameter)) / (2 * h);
      expect(derivative[kind](x, parameter), `${kind} at ${x}`).toBeCloseTo(slope, 8);
      const byOutput = derivativeFromOutput[kind as keyof typeof derivativeFromOutput];
      if (byOutput) expect(byOutput(forward[kind](x, parameter), parameter), kind).toBeCloseTo(slope, 8);
    }
  }
});

test("softmax's gradient agrees with central differences", () => {
  const random = randomSource(1);
  const x = Float64Array.from(random.floats(15));
  const dy = random.floats(15);
  const f = () => softmax(3, 5, x).reduce((sum, y, i) => sum + y * dy[i], 0);
  expectWithin(softmaxBackward(3, 5, softmax(3, 5, x), dy), centralDifferences(f, x), () => 1e-9);
});

test.each(LOSS_KINDS)("%s: the gradient agrees with central differences, with weights", (kind) => {
  const random = randomSource(2);
  const z = Float64Array.from(random.floats(20, -3, 3));
  const targets = random.floats(20, 0, 1);
  const weights = random.floats(4, 0, 2);
  const f = () => {
    const result = loss(kind, 4, 5, z, targets, weights, 0.7);
    return result.sum / result.weight;
  };
  expectWithin(loss(kind, 4, 5, z, targets, weights, 0.7).gradient, centralDifferences(f, z), () => 1e-9);
});

test("the network's gradients agree with central differences, fused and from the output", () => {
  const random = randomSource(3);
  for (const kind of LOSS_KINDS) {
    const head = kind === "cross-entropy" ? "softmax" : kind === "binary-cross-entropy" ? "sigmoid" : "tanh";
    const network: TwinNetwork = {
      input: 4,
      layers: [
        { kind: "dense", units: 5, useBias: true },
        { kind: "activation", activation: "gelu", parameter: 0 },
        { kind: "dense", units: 3, useBias: false },
        { kind: "activation", activation: head, parameter: 0 },
      ],
      loss: { kind },
    };
    const parameters = parameterLengths(network).map((n) => Float64Array.from(random.floats(n)));
    const x = Float64Array.from(random.floats(8));
    const batch = { rows: 2, x, y: random.floats(6, 0, 1), weights: [0.5, 2] };
    const gradients = backward(network, parameters, batch);
    const f = () => networkLoss(network, parameters, batch);
    expect(gradients.loss).toBe(f());
    parameters.forEach((p, i) => {
      expectWithin(gradients.parameters[i], centralDifferences(f, p), () => 1e-9, kind);
    });
    expectWithin(gradients.input, centralDifferences(f, x), () => 1e-9, kind);

    const dOutput = random.floats(6);
    const dot = () => run(network, parameters, x, 2).output.reduce((sum, y, i) => sum + y * dOutput[i], 0);
    const unfused = backwardFromOutput(network, parameters, x, 2, dOutput);
    parameters.forEach((p, i) => {
      expectWithin(unfused.parameters[i], centralDifferences(dot, p), () => 1e-9, kind);
    });
    expectWithin(unfused.input, centralDifferences(dot, x), () => 1e-9, kind);
  }
});

test("philox has the known answers of Random123", () => {
  const hex = (words: Words4) => words.map((word) => word.toString(16).padStart(8, "0")).join(" ");
  const ones = 0xffffffff;
  expect(hex(philox([0, 0, 0, 0], [0, 0]))).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
  expect(hex(philox([ones, ones, ones, ones], [ones, ones]))).toBe("408f276d 41c83b0e a20bc7c6 6d5451fd");
  expect(hex(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]))).toBe(
    "d16cfe09 94fdcceb 5001e420 24126ea1",
  );
});
