import { expect, test } from "vitest";
import type { Kernels } from "../../src/kernels.ts";
import { derivative, derivativeFromOutput, erf, forward, sigmoid } from "../reference/activations.ts";
import { expectSameBits, expectWithin, TINY, U, ulp, ulpError } from "../support/bounds.ts";
import { LONG } from "../support/long.ts";
import { randomSource } from "../support/random.ts";
import { SPECIAL, wholeRange } from "../support/samples.ts";
import { openSpace } from "../support/space.ts";

type Bound = (x: number, expected: number) => number;

interface Forward {
  readonly name: string;
  readonly run: (k: Kernels, n: number, x: number, y: number) => void;
  readonly of: (x: number) => number;
  readonly bound: Bound;
  /** What its values never leave, not even by rounding. */
  readonly range?: readonly [number, number];
}

const EVERYTHING = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** Bounds in ulps: the worst that the kernels' docstrings state, and little more, since no sample meets the worst. */
const ulps =
  (count: number): Bound =>
  (_, expected) =>
    count * ulp(expected);

// alpha and slope are exact in f32, so that kernel and reference mean the same function.
const SLOPE = 0.015625;
const ALPHA = 1.25;

const FORWARD: readonly Forward[] = [
  { name: "exp", run: (k, ...a) => k.exp(...a), of: Math.exp, bound: ulps(1.1), range: [0, Number.POSITIVE_INFINITY] },
  { name: "log", run: (k, ...a) => k.log(...a), of: Math.log, bound: ulps(0.9) },
  { name: "erf", run: (k, ...a) => k.erf(...a), of: erf, bound: ulps(1.6), range: [-1, 1] },
  { name: "sigmoid", run: (k, ...a) => k.sigmoid(...a), of: sigmoid, bound: ulps(2), range: [0, 1] },
  { name: "tanh", run: (k, ...a) => k.tanh(...a), of: Math.tanh, bound: ulps(2), range: [-1, 1] },
  { name: "relu", run: (k, ...a) => k.relu(...a), of: (x) => forward.relu(x, 0), bound: () => 0 },
  {
    name: "leaky_relu",
    run: (k, ...a) => k.leaky_relu(...a, SLOPE),
    of: (x) => forward["leaky-relu"](x, SLOPE),
    bound: ulps(0.5),
  },
  { name: "elu", run: (k, ...a) => k.elu(...a, 1), of: (x) => forward.elu(x, 1), bound: ulps(1.1) },
  // Each factor adds its rounding (an ulp at most, half of one at its own result), and the constant's own to selu.
  { name: "elu", run: (k, ...a) => k.elu(...a, ALPHA), of: (x) => forward.elu(x, ALPHA), bound: ulps(2.4) },
  { name: "selu", run: (k, ...a) => k.selu(...a), of: (x) => forward.selu(x, 0), bound: ulps(2.9) },
  // Below -2, cdf is told by its absolute error.
  {
    name: "gelu",
    run: (k, ...a) => k.gelu(...a),
    of: (x) => forward.gelu(x, 0),
    bound: (x, expected) => (x < -2 ? 2e-8 * -x : 15 * ulp(expected)),
  },
  // Sigmoid's 1.9 ulp, double where the product's are half as large, and a rounding; below -87, where sigmoid is
  // denormal, its absolute error too.
  {
    name: "silu",
    run: (k, ...a) => k.silu(...a),
    of: (x) => forward.silu(x, 0),
    bound: (x, expected) => 4.3 * ulp(expected) + (x < -87 ? 1.5e-45 * -x : 0),
  },
  {
    name: "softplus",
    run: (k, ...a) => k.softplus(...a),
    of: (x) => forward.softplus(x, 0),
    bound: ulps(1.8),
    range: [0, Number.POSITIVE_INFINITY],
  },
];

test.each(FORWARD)("$name: within its bound over the whole range", ({ run, of, bound, range = EVERYTHING }) => {
  const samples = wholeRange(randomSource(1));
  const space = openSpace(8 * samples.length + 4096);
  const x = space.vector(samples.length, samples);
  const y = space.vector(samples.length);
  run(space.kernels, samples.length, x.address, y.address);
  const actual = y.read();
  for (let i = 0; i < samples.length; i++) {
    const expected = of(samples[i]);
    if (actual[i] < range[0] || actual[i] > range[1]) expect.fail(`f(${samples[i]}) = ${actual[i]}`);
    if (ulpError(actual[i], expected) <= 0.5 || Math.abs(actual[i] - expected) <= bound(samples[i], expected)) continue;
    expect.fail(`f(${samples[i]}) = ${actual[i]}, expected ${expected}: ${ulpError(actual[i], expected)} ulp`);
  }
});

const MAPS: readonly { name: string; run: Forward["run"] }[] = FORWARD;

test.each(MAPS)(
  "$name: any length, any offset, in place, nothing outside; an element's bits do not depend on its place",
  ({ run }) => {
    const random = randomSource(2);
    const values = new Float32Array(70);
    values.set(random.floats(70, -20, 20));
    values.set(SPECIAL.slice(0, -1), 7);
    const space = openSpace(1 << 16);
    const one = (value: number): number => {
      const y = space.vector(1);
      run(space.kernels, 1, space.vector(1, [value]).address, y.address);
      return y.read()[0];
    };
    const expected = values.map(one);
    for (const n of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 31, 33, 70]) {
      space.reset();
      const input = values.subarray(0, n);
      const x = space.vector(n, input);
      const y = space.vector(n);
      run(space.kernels, n, x.address, y.address);
      expectNumbers(y.read(), expected.subarray(0, n), `n = ${n}`);
      expect(y.trespass()).toBeUndefined();
      expectSameBits(x.read(), input, "the input");
      run(space.kernels, n, x.address, x.address);
      expectNumbers(x.read(), expected.subarray(0, n), `in place, n = ${n}`);
      expect(x.trespass()).toBeUndefined();
    }
  },
);

/** Same bits; any NaN is as good as another. */
function expectNumbers(actual: Float32Array, expected: Float32Array, what: string): void {
  const canonical = (x: number): number => (Number.isNaN(x) ? Number.NaN : x);
  expectSameBits(actual.map(canonical), expected.map(canonical), what);
}

interface Backward {
  readonly name: string;
  readonly run: (k: Kernels, n: number, saved: number, dy: number, dx: number) => void;
  /** The slope at the saved input or output. */
  readonly of: (saved: number) => number;
  /** Largest |error| for dy = 1. */
  readonly bound: (saved: number, slope: number) => number;
  /** Range of what is saved. */
  readonly range: readonly [number, number];
}

const relative =
  (roundings: number) =>
  (_: number, slope: number): number =>
    roundings * U * Math.abs(slope);
const SCALED_ALPHA = -forward.selu(Number.NEGATIVE_INFINITY, 0);

const BACKWARD: readonly Backward[] = [
  {
    name: "relu",
    run: (k, ...a) => k.relu_backward(...a),
    of: derivativeFromOutput.relu,
    bound: () => 0,
    range: [-9, 9],
  },
  {
    name: "leaky_relu",
    run: (k, ...a) => k.leaky_relu_backward(...a, SLOPE),
    of: (y) => derivativeFromOutput["leaky-relu"](y, SLOPE),
    bound: relative(1),
    range: [-9, 9],
  },
  {
    name: "elu",
    run: (k, ...a) => k.elu_backward(...a, ALPHA),
    of: (y) => derivativeFromOutput.elu(y, ALPHA),
    bound: relative(2),
    range: [-ALPHA, 4],
  },
  {
    name: "selu",
    run: (k, ...a) => k.selu_backward(...a),
    of: derivativeFromOutput.selu,
    // The constant and the sum cancel near the lower limit: absolute.
    bound: (_, slope) => 3 * U * (SCALED_ALPHA + slope),
    range: [-SCALED_ALPHA, 4],
  },
  {
    name: "gelu",
    run: (k, ...a) => k.gelu_backward(...a),
    of: (x) => derivative.gelu(x, 0),
    bound: () => 1e-7,
    range: [-110, 110],
  },
  // Sigmoid is off by 5 U; 1 - s is off by as much absolutely, times x while s < 1 in f32 (x < 18).
  {
    name: "silu",
    run: (k, ...a) => k.silu_backward(...a),
    of: (x) => derivative.silu(x, 0),
    bound: (x) => 12 * U * sigmoid(x) * (1 + Math.min(Math.abs(x), x > 0 ? 18 : 110)),
    range: [-110, 110],
  },
  {
    name: "softplus",
    run: (k, ...a) => k.softplus_backward(...a),
    of: sigmoid,
    bound: relative(6),
    range: [-110, 110],
  },
  {
    name: "sigmoid",
    run: (k, ...a) => k.sigmoid_backward(...a),
    of: derivativeFromOutput.sigmoid,
    bound: relative(3),
    range: [0, 1],
  },
  {
    name: "tanh",
    run: (k, ...a) => k.tanh_backward(...a),
    of: derivativeFromOutput.tanh,
    bound: relative(4),
    range: [-1, 1],
  },
];

test.each(BACKWARD)("$name backward: within its bound", ({ run, of, bound, range }) => {
  const random = randomSource(3);
  const n = LONG ? 1 << 20 : 1 << 15;
  const space = openSpace(16 * n + 4096);
  const saved = random.floats(n, ...range);
  saved.set([...range, 0, -0, 2 ** -149, 1e-39, 2 ** -126].filter((x) => x >= range[0]));
  const dy = random.floats(n, -3, 3);
  const dx = space.vector(n);
  run(space.kernels, n, space.vector(n, saved).address, space.vector(n, dy).address, dx.address);
  const expected = Float64Array.from(saved, (x, i) => dy[i] * of(x));
  // Sigmoid's tail is denormal: its spacing there is absolute.
  expectWithin(
    dx.read(),
    expected,
    (i) =>
      (bound(saved[i], of(saved[i])) + U * Math.abs(of(saved[i])) + 2.5 * 2 ** -149 * (1 + Math.abs(saved[i]))) *
        Math.abs(dy[i]) +
      TINY,
  );
});

test.each(BACKWARD)("$name backward: any length, any offset, dx = dy, nothing outside", ({ run, range }) => {
  const random = randomSource(4);
  const space = openSpace(1 << 16);
  const saved = random.floats(40, ...range);
  const dy = random.floats(40, -3, 3);
  const one = (value: number, i: number): number => {
    const dx = space.vector(1);
    run(space.kernels, 1, space.vector(1, [value]).address, space.vector(1, [dy[i]]).address, dx.address);
    return dx.read()[0];
  };
  const expected = saved.map(one);
  for (const n of [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17, 31, 40]) {
    space.reset();
    const savedOperand = space.vector(n, saved.subarray(0, n));
    const dyOperand = space.vector(n, dy.subarray(0, n));
    const dx = space.vector(n);
    run(space.kernels, n, savedOperand.address, dyOperand.address, dx.address);
    expectSameBits(dx.read(), expected.subarray(0, n), `n = ${n}`);
    expect(dx.trespass()).toBeUndefined();
    run(space.kernels, n, savedOperand.address, dyOperand.address, dyOperand.address);
    expectSameBits(dyOperand.read(), expected.subarray(0, n), `dx = dy, n = ${n}`);
    expect(dyOperand.trespass()).toBeUndefined();
    expectSameBits(savedOperand.read(), saved.subarray(0, n), "what was saved");
  }
});

test("backward kernels pass NaN in dy on where the slope is not 0", () => {
  const space = openSpace(1 << 16);
  for (const { name, run } of BACKWARD) {
    const dx = space.vector(5);
    const saved = space.vector(5, [0.5, 0.5, 0.5, 0.5, 0.5]);
    run(space.kernels, 5, saved.address, space.vector(5, [1, Number.NaN, 1, 1, Number.NaN]).address, dx.address);
    expect(Array.from(dx.read(), Number.isNaN), name).toEqual([false, true, false, false, true]);
  }
});

test("relu_backward and leaky_relu_backward say the same of input and output", () => {
  const random = randomSource(5);
  const space = openSpace(1 << 16);
  const x = space.vector(33, random.floats(33));
  const y = space.vector(33);
  const dy = space.vector(33, random.floats(33));
  const [fromInput, fromOutput] = [space.vector(33), space.vector(33)];
  space.kernels.relu(33, x.address, y.address);
  space.kernels.relu_backward(33, x.address, dy.address, fromInput.address);
  space.kernels.relu_backward(33, y.address, dy.address, fromOutput.address);
  expectSameBits(fromOutput.read(), fromInput.read());
  space.kernels.leaky_relu(33, x.address, y.address, 0.01);
  space.kernels.leaky_relu_backward(33, x.address, dy.address, fromInput.address, 0.01);
  space.kernels.leaky_relu_backward(33, y.address, dy.address, fromOutput.address, 0.01);
  expectSameBits(fromOutput.read(), fromInput.read());
});
