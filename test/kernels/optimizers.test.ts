import { expect, test } from "vitest";
import type { Kernels } from "../../src/kernels.ts";
import { adagrad, adam, rmsprop, sgd, sgdMomentum } from "../reference/optimizers.ts";
import { expectSameBits, expectWithin, U } from "../support/bounds.ts";
import { type RandomSource, randomSource } from "../support/random.ts";
import { type Operand, openSpace } from "../support/space.ts";

const LR = 0.01;

interface Optimizer {
  readonly name: string;
  /** How many moments it keeps. */
  readonly moments: number;
  readonly weightDecay: number;
  /** Whether the decay acts on p apart from the gradient. */
  readonly decoupled?: boolean;
  /** Step t (from 1) of the kernel: how many elements failed. */
  readonly run: (k: Kernels, t: number, n: number, p: number, g: number, m: readonly number[]) => number;
  /** The same in f64. */
  readonly step: (t: number, p: Float64Array, g: Float64Array, m: readonly Float64Array[], weightDecay: number) => void;
}

const SGD = [0, 0.01].map(
  (wd): Optimizer => ({
    name: `sgd, weight decay ${wd}`,
    moments: 0,
    weightDecay: wd,
    run: (k, _t, n, p, g) => k.sgd_step(n, p, g, LR, wd),
    step: (_t, p, g, _m, weightDecay) => sgd(p, g, LR, weightDecay),
  }),
);

const MOMENTUM = [false, true].flatMap((nesterov) =>
  [0, 0.01].map(
    (wd): Optimizer => ({
      name: `${nesterov ? "nesterov" : "momentum"}, weight decay ${wd}`,
      moments: 1,
      weightDecay: wd,
      run: (k, _t, n, p, g, [buf]) => k.sgd_momentum_step(n, p, g, buf, LR, 0.9, nesterov ? 1 : 0, wd),
      step: (_t, p, g, [buf], weightDecay) => sgdMomentum(p, g, buf, LR, 0.9, nesterov, weightDecay),
    }),
  ),
);

const RMSPROP = [0, 0.01].flatMap((wd): Optimizer[] => [
  {
    name: `rmsprop, weight decay ${wd}`,
    moments: 1,
    weightDecay: wd,
    run: (k, _t, n, p, g, [v]) => k.rmsprop_step(n, p, g, v, 0, LR, 0.99, 1e-8, 0, wd),
    step: (_t, p, g, [v], weightDecay) => rmsprop(p, g, v, new Float64Array(p.length), LR, 0.99, 1e-8, 0, weightDecay),
  },
  {
    name: `rmsprop with momentum, weight decay ${wd}`,
    moments: 2,
    weightDecay: wd,
    run: (k, _t, n, p, g, [v, buf]) => k.rmsprop_step(n, p, g, v, buf, LR, 0.99, 1e-8, 0.9, wd),
    step: (_t, p, g, [v, buf], weightDecay) => rmsprop(p, g, v, buf, LR, 0.99, 1e-8, 0.9, weightDecay),
  },
]);

const ADAGRAD = [0, 0.01].map(
  (wd): Optimizer => ({
    name: `adagrad, weight decay ${wd}`,
    moments: 1,
    weightDecay: wd,
    run: (k, _t, n, p, g, [sum]) => k.adagrad_step(n, p, g, sum, LR, 1e-10, wd),
    step: (_t, p, g, [sum], weightDecay) => adagrad(p, g, sum, LR, 1e-10, weightDecay),
  }),
);

const ADAM = (["adam", "adamw"] as const).flatMap((kind) =>
  [0, 0.01].map(
    (wd): Optimizer => ({
      name: `${kind}, weight decay ${wd}`,
      moments: 2,
      weightDecay: wd,
      decoupled: kind === "adamw",
      run: (k, t, n, p, g, [m, v]) =>
        k[`${kind}_step`](n, p, g, m, v, LR, 0.9, 0.999, 1e-8, 1 / (1 - 0.9 ** t), 1 / (1 - 0.999 ** t), wd),
      step: (t, p, g, [m, v], weightDecay) => adam(p, g, m, v, t, LR, 0.9, 0.999, 1e-8, weightDecay, kind === "adamw"),
    }),
  ),
);

const OPTIMIZERS: readonly Optimizer[] = [...SGD, ...MOMENTUM, ...RMSPROP, ...ADAGRAD, ...ADAM];
const WITH_MOMENTS = OPTIMIZERS.filter(({ moments }) => moments > 0);

/** Gradients of changing sign, far enough from 0 that weight decay does not cancel them. */
function gradientOf(random: RandomSource, n: number): Float32Array {
  return random.floats(n, 0.1, 1).map((size) => (random.integer(2) ? size : -size));
}

function addresses(moments: readonly Operand[]): number[] {
  return moments.map(({ address }) => address);
}

test.each(OPTIMIZERS)("$name: 20 steps follow the f64 reference, for any n, nothing outside", (spec) => {
  const random = randomSource(1);
  const space = openSpace(1 << 20);
  // Gradients as small as epsilon make epsilon count.
  const cases = [0, 1, 2, 3, 4, 5, 7, 8, 9, 17, 1000].map((n) => [n, 1]);
  for (const [n, scale] of [...cases, [1000, 1e-8]]) {
    space.reset();
    const start = random.floats(n);
    const p = space.vector(n, start);
    const g = space.vector(n);
    const moments = Array.from({ length: spec.moments }, () => space.vector(n, new Float32Array(n)));
    const exact = Float64Array.from(start);
    const exactMoments = moments.map(() => new Float64Array(n));
    // The same optimizer on |g|, nothing cancelling: its moments and changes bound what a rounding can do.
    const sizeOf = new Float64Array(n);
    const sizeMoments = moments.map(() => new Float64Array(n));
    const bound = new Float64Array(n);
    for (let t = 1; t <= 20; t++) {
      const gradient = gradientOf(random, n).map((value) => value * scale);
      g.write(gradient);
      expect(spec.run(space.kernels, t, n, p.address, g.address, addresses(moments))).toBe(0);
      const l2 = spec.decoupled ? 0 : spec.weightDecay;
      const size = Float64Array.from(gradient, (value, i) => Math.abs(value) + l2 * Math.abs(exact[i]));
      const before = sizeOf.slice();
      spec.step(t, sizeOf, size, sizeMoments, 0);
      spec.step(t, exact, Float64Array.from(gradient), exactMoments, spec.weightDecay);
      // A step rounds p (twice with decay), and its change by 10 roundings and by those of the moments, 5 a step.
      for (let i = 0; i < n; i++) {
        bound[i] += U * (2 * Math.abs(exact[i]) + (5 * t + 10) * Math.abs(sizeOf[i] - before[i]));
      }
    }
    expectWithin(p.read(), exact, (i) => bound[i], `p, n = ${n}`);
    moments.forEach((moment, which) => {
      const limit = (i: number): number => 100 * U * sizeMoments[which][i];
      expectWithin(moment.read(), exactMoments[which], limit, `moment ${which}, n = ${n}`);
    });
    for (const operand of [p, g, ...moments]) expect(operand.trespass()).toBeUndefined();
  }
});

test.each(WITH_MOMENTS)("$name: denormal moments count as 0, and none is stored", (spec) => {
  const random = randomSource(2);
  const space = openSpace(1 << 18);
  for (const n of [1, 3, 4, 8, 21]) {
    const start = random.floats(n, 0.5, 1);
    // Gradients that are 0, that are small enough for a denormal square, and usual ones.
    const gradient = Float32Array.from({ length: n }, (_, i) => [0, 1e-20, -1e-19, 0.5][i % 4]);
    const step = (content: (i: number) => number): Float32Array[] => {
      space.reset();
      const p = space.vector(n, start);
      const moments = Array.from({ length: spec.moments }, () =>
        space.vector(
          n,
          Float32Array.from({ length: n }, (_, i) => content(i)),
        ),
      );
      const g = space.vector(n, gradient);
      expect(spec.run(space.kernels, 1, n, p.address, g.address, addresses(moments))).toBe(0);
      return [p, ...moments].map((operand) => operand.read());
    };
    const fromZero = step(() => 0);
    for (const denormal of [1e-39, 2 ** -149, 2 ** -126 - 2 ** -149]) {
      const found = step(() => denormal);
      found.forEach((values, which) => {
        expectSameBits(values, fromZero[which], `${denormal} in place of 0`);
        if (which > 0) expect(values.findIndex(isDenormal), `moment ${which}`).toBe(-1);
      });
    }
    // The smallest normal number decays below itself: to 0, not to a denormal.
    for (const values of step(() => 2 ** -126).slice(1)) expect(values.findIndex(isDenormal)).toBe(-1);
  }
});

const isDenormal = (x: number): boolean => x !== 0 && Math.abs(x) < 2 ** -126;

test.each(OPTIMIZERS)("$name: an element that would not be finite keeps its values and is counted", (spec) => {
  const random = randomSource(3);
  const space = openSpace(1 << 18);
  for (const n of [1, 2, 3, 4, 5, 8, 9, 23]) {
    for (let first = 0; first < n; first += 3) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        space.reset();
        const start = random.floats(n);
        const startMoments = random.floats(n, 0.5, 1);
        const gradient = gradientOf(random, n);
        const step = (values: Float32Array): { failed: number; after: Float32Array[] } => {
          const p = space.vector(n, start);
          const moments = Array.from({ length: spec.moments }, () => space.vector(n, startMoments));
          const g = space.vector(n, values);
          const failed = spec.run(space.kernels, 3, n, p.address, g.address, addresses(moments));
          for (const operand of [p, g, ...moments]) expect(operand.trespass()).toBeUndefined();
          return { failed, after: [p, ...moments].map((operand) => operand.read()) };
        };
        const spoilt = gradient.slice();
        spoilt[first] = bad;
        spoilt[n - 1] = bad;
        const clean = step(gradient);
        const found = step(spoilt);
        expect(clean.failed).toBe(0);
        expect(found.failed, `${bad} at ${first} and ${n - 1}`).toBe(first === n - 1 ? 1 : 2);
        found.after.forEach((values, which) => {
          const expected = clean.after[which].slice();
          for (const i of [first, n - 1]) expected[i] = (which === 0 ? start : startMoments)[i];
          expectSameBits(values, expected, `n = ${n}, ${bad} at ${first}, block ${which}`);
        });
      }
    }
  }
});

test("a parameter or a square that would overflow keeps its values and is counted", () => {
  const { kernels, vector } = openSpace(1 << 16);
  const p = vector(5, [3e38, 1, 3e38, 1, 3e38]);
  const g = vector(5, [-3e38, 1, -3e38, 1, 1]);
  expect(kernels.sgd_step(5, p.address, g.address, 1, 0)).toBe(2);
  expectSameBits(p.read(), Float32Array.from([3e38, 0, 3e38, 0, 3e38]));

  const large = Float32Array.from([1e30, 1, 1, 1, 1e30]);
  for (const spec of OPTIMIZERS.filter(({ name }) => /adam|rmsprop|adagrad/.test(name))) {
    const one = vector(5, [1, 1, 1, 1, 1]);
    const moments = Array.from({ length: spec.moments }, () => vector(5, [1, 1, 1, 1, 1]));
    expect(spec.run(kernels, 1, 5, one.address, vector(5, large).address, addresses(moments)), spec.name).toBe(2);
    for (const operand of [one, ...moments]) {
      const values = operand.read();
      expect([values[0], values[4]], spec.name).toEqual([1, 1]);
      if (operand === one) expect(values.subarray(1, 4).includes(1), spec.name).toBe(false);
    }
  }
});
