import { expect, test } from "vitest";
import type { Kernels } from "../../src/kernels.ts";
import { sigmoid, softmax } from "../reference/activations.ts";
import { type LossKind, loss, oneHot, smoothed } from "../reference/losses.ts";
import { expectSameBits, expectWithin, TINY, U } from "../support/bounds.ts";
import { type RandomSource, randomSource } from "../support/random.ts";
import { type Operand, openSpace, type TestSpace } from "../support/space.ts";

const DELTA = 0.75;

interface Problem {
  readonly rows: number;
  readonly n: number;
  readonly z: Float32Array;
  readonly targets: Float32Array;
  readonly weights: Float32Array | undefined;
}

type LossArgs = [number, number, number, number, number, number, number, number, number, number];

interface LossCase {
  readonly name: string;
  readonly kind: LossKind;
  readonly run: (k: Kernels, args: LossArgs, running?: number) => void;
  readonly targets: (random: RandomSource, rows: number, n: number) => Float32Array;
  /** Largest error of row i's loss, before weights. */
  readonly lossBound: (problem: Problem, row: number) => number;
  /** Largest error of element `at` of the gradient, before weight / sum of weights. */
  readonly gradientBound: (problem: Problem, at: number) => number;
}

const uniform = (low: number, high: number) => (random: RandomSource, rows: number, n: number) =>
  random.floats(rows * n, low, high);

const distances = ({ n, z }: Problem, row: number): number[] => {
  const values = z.subarray(row * n, (row + 1) * n);
  const largest = Math.max(...values);
  return Array.from(values, (value) => largest - value);
};

/** Row loss sum t (log sum + gap): exp and the rounding of its argument (|gap| e^-gap < 1 an element, so n of them
 *  at most, and no more than the sum's logarithm can feel), log, and the gap itself. */
function crossEntropyLossBound(problem: Problem, row: number): number {
  const gaps = distances(problem, row);
  const sum = gaps.reduce((total, gap) => total + Math.exp(-gap), 0);
  const felt = gaps.reduce((total, gap) => total + Math.exp(-gap) * (gap + 4), 0) / sum;
  return gaps.reduce((total, gap, j) => {
    const t = Math.abs(problem.targets[row * problem.n + j]);
    return total + t * (felt + 4 * Math.log(sum) + 4 + 2 * gap) * U;
  }, 0);
}

/** Gradient (e - t) mass / sum - t (1 - mass / sum), e = exp(-gap): softmax's error (see there), and the roundings of
 *  both terms, which grow where the targets' mass is larger than the sum. */
function crossEntropyGradientBound(problem: Problem, at: number): number {
  const { n } = problem;
  const row = Math.floor(at / n);
  const gaps = distances(problem, row);
  const sum = gaps.reduce((total, gap) => total + Math.exp(-gap), 0);
  const felt = gaps.reduce((total, gap) => total + Math.exp(-gap) * Math.min(gap, 104), 0) / sum;
  const gap = Math.min(gaps[at - row * n], 104);
  const e = Math.exp(-gap);
  const t = problem.targets[at];
  const mass = problem.targets.subarray(row * n, (row + 1) * n).reduce((total, value) => total + value, 0);
  const softmaxError = (mass / sum) * (e * (gap + felt + 8) * U + 2 ** -148);
  return softmaxError + 4 * U * ((mass / sum) * Math.abs(e - t) + t * Math.abs(1 - mass / sum));
}

const mean =
  (terms: (z: number, t: number) => number) =>
  ({ n, z, targets }: Problem, row: number): number => {
    let sum = 0;
    for (let j = row * n; j < (row + 1) * n; j++) sum += terms(z[j], targets[j]) / n;
    return sum;
  };
const each =
  (term: (z: number, t: number) => number) =>
  ({ n, z, targets }: Problem, at: number): number =>
    term(z[at], targets[at]) / n;

const CASES: readonly LossCase[] = [
  {
    name: "softmax_cross_entropy_dense, one-hot",
    kind: "cross-entropy",
    run: (k, args, running) => k.softmax_cross_entropy_dense(...args, running),
    targets: (random, rows, n) =>
      Float32Array.from(
        oneHot(
          Array.from({ length: rows }, () => random.integer(n)),
          n,
        ),
      ),
    lossBound: crossEntropyLossBound,
    gradientBound: crossEntropyGradientBound,
  },
  {
    name: "softmax_cross_entropy_dense, rows of any sum",
    kind: "cross-entropy",
    run: (k, args, running) => k.softmax_cross_entropy_dense(...args, running),
    targets: uniform(0, 1),
    lossBound: crossEntropyLossBound,
    gradientBound: crossEntropyGradientBound,
  },
  {
    name: "sigmoid_binary_cross_entropy",
    kind: "binary-cross-entropy",
    run: (k, args, running) => k.sigmoid_binary_cross_entropy(...args, running),
    targets: (random, rows, n) => random.floats(rows * n, -0.5, 1.5).map((t) => Math.min(Math.max(t, 0), 1)),
    // A product and a sum of positive terms; log1p(e) to 2 ulps and the error of e in it.
    lossBound: mean((z, t) => 8 * U * (Math.max(z, 0) - z * t + Math.log1p(Math.exp(-Math.abs(z))))),
    // sigmoid (5 U) and t, before they cancel.
    gradientBound: each((z, t) => 8 * U * (sigmoid(z) + t)),
  },
  {
    name: "mean_squared_error",
    kind: "mean-squared-error",
    run: (k, args, running) => k.mean_squared_error(...args, running),
    targets: uniform(-2, 2),
    lossBound: mean((z, t) => 8 * U * (z - t) ** 2),
    gradientBound: each((z, t) => 6 * U * Math.abs(z - t)),
  },
  {
    name: "mean_absolute_error",
    kind: "mean-absolute-error",
    run: (k, args, running) => k.mean_absolute_error(...args, running),
    targets: uniform(-2, 2),
    lossBound: mean((z, t) => 4 * U * Math.abs(z - t)),
    gradientBound: each(() => 3 * U),
  },
  {
    name: "huber",
    kind: "huber",
    run: (k, args, running) => k.huber(...args, DELTA, running),
    targets: uniform(-2, 2),
    lossBound: mean((z, t) => 8 * U * Math.min(Math.abs(z - t), DELTA) * Math.abs(z - t)),
    gradientBound: each((z, t) => 4 * U * Math.min(Math.abs(z - t), DELTA)),
  },
];

const SIZES: [number, number][] = [
  [1, 1],
  [1, 2],
  [2, 1],
  [3, 1],
  [4, 1],
  [7, 1],
  [33, 1],
  [2, 3],
  [5, 4],
  [3, 5],
  [4, 8],
];
for (const n of [7, 9, 10, 17, 100]) SIZES.push([1, n], [6, n]);

/** Weights between 0 and 2, a zero among them, or none. */
function weightsOf(random: RandomSource, rows: number): Float32Array {
  const weights = random.floats(rows, 0.25, 2);
  if (rows > 2) weights[1] = 0;
  return weights;
}

function check(what: string, problem: Problem, spec: LossCase, dz: Float32Array, out: Float64Array): void {
  const { rows, n, z, targets, weights } = problem;
  const expected = loss(spec.kind, rows, n, z, targets, weights, DELTA);
  const weight = (row: number): number => (weights ? weights[row] : 1);
  let bound = 0;
  for (let i = 0; i < rows; i++) bound += weight(i) * (spec.lossBound(problem, i) + TINY);
  expectWithin([out[0]], [expected.sum], () => bound, `${what} loss`);
  expectWithin([out[1]], [expected.weight], () => rows * 2 ** -52 * expected.weight, `${what} weight`);
  const gradient = (at: number): number => {
    const scale = weight(Math.floor(at / n)) / expected.weight;
    return scale * spec.gradientBound(problem, at) + 2 * U * Math.abs(expected.gradient[at]) + 4 * TINY;
  };
  expectWithin(dz, expected.gradient, gradient, `${what} gradient`);
}

/** Operands of a loss kernel, placed afresh; the gradient may take z's place. */
function place(space: TestSpace, problem: Problem, pads: [number, number, number], inPlace: boolean) {
  const { rows, n } = problem;
  const z = space.matrix(rows, n, n + pads[0], problem.z);
  return {
    z,
    targets: space.matrix(rows, n, n + pads[1], problem.targets),
    weights: problem.weights ? space.vector(rows, problem.weights).address : 0,
    dz: inPlace ? z : space.matrix(rows, n, n + pads[2]),
    out: space.f64(2),
  };
}

const PADS: [number, number, number][] = [
  [0, 0, 0],
  [3, 1, 2],
];

test.each(CASES)("$name: loss and gradient, with and without weights, in place, nothing outside", (spec) => {
  const random = randomSource(11);
  const space = openSpace(1 << 20);
  for (const [rows, n] of SIZES) {
    for (const pads of PADS) {
      for (const weighted of [false, true]) {
        for (const size of [2, 1e4]) {
          space.reset();
          const problem = {
            rows,
            n,
            z: random.floats(rows * n, -size, size),
            targets: spec.targets(random, rows, n),
            weights: weighted ? weightsOf(random, rows) : undefined,
          };
          const what = `${rows} x ${n}, z to ${size}${weighted ? ", weighted" : ""}`;
          const run = (inPlace: boolean): [Float32Array, Float64Array] => {
            const at = place(space, problem, pads, inPlace);
            const { z, targets, weights, dz, out } = at;
            spec.run(
              space.kernels,
              [rows, n, z.address, z.ld, targets.address, targets.ld, weights, dz.address, dz.ld, out.byteOffset],
              0,
            );
            expect(dz.trespass(), what).toBeUndefined();
            expectSameBits(targets.read(), problem.targets, "targets");
            return [dz.read(), out];
          };
          const [dz, out] = run(false);
          check(what, problem, spec, dz, out);
          const [again, outAgain] = run(true);
          expectSameBits(again, dz, `in place, ${what}`);
          expect(Array.from(outAgain)).toEqual(Array.from(out));
        }
      }
    }
  }
});

test("softmax_cross_entropy by labels: loss and gradient, with and without weights, in place", () => {
  const random = randomSource(12);
  const space = openSpace(1 << 20);
  for (const [rows, n] of SIZES) {
    for (const pad of [0, 3]) {
      for (const weighted of [false, true]) {
        for (const size of [2, 1e4]) {
          space.reset();
          const labels = Array.from({ length: rows }, () => random.integer(n));
          const targets = Float32Array.from(oneHot(labels, n));
          const weights = weighted ? weightsOf(random, rows) : undefined;
          const problem = { rows, n, z: random.floats(rows * n, -size, size), targets, weights };
          const what = `${rows} x ${n}, z to ${size}${weighted ? ", weighted" : ""}`;
          const run = (z: Operand, dz: Operand): [Float32Array, Float64Array] => {
            const out = space.f64(2);
            space.kernels.softmax_cross_entropy(
              rows,
              n,
              z.address,
              z.ld,
              space.i32(labels).byteOffset,
              weights ? space.vector(rows, weights).address : 0,
              dz.address,
              dz.ld,
              out.byteOffset,
            );
            expect(dz.trespass(), what).toBeUndefined();
            return [dz.read(), out];
          };
          const [dz, out] = run(space.matrix(rows, n, n + pad, problem.z), space.matrix(rows, n, n + 2 * pad));
          check(what, problem, CASES[0], dz, out);
          const z = space.matrix(rows, n, n + pad, problem.z);
          const [again, outAgain] = run(z, z);
          expectSameBits(again, dz, `in place, ${what}`);
          expect(Array.from(outAgain), `in place, ${what}`).toEqual(Array.from(out));
        }
      }
    }
  }
});

const BY_LABELS = {
  name: "softmax_cross_entropy",
  run: (k: Kernels, [rows, n, z, ldz, labels, _, ...rest]: LossArgs, running: number) =>
    k.softmax_cross_entropy(rows, n, z, ldz, labels, ...rest, running),
};

test.each([BY_LABELS, ...CASES])("$name: sums that run on are the same however rows are cut into calls", (spec) => {
  const random = randomSource(14);
  const space = openSpace(1 << 20);
  const rows = 230;
  for (const n of [1, 3, 4, 10, 100]) {
    for (const weighted of [false, true]) {
      for (const pad of [0, 3]) {
        space.reset();
        const values = random.floats(rows * n, -20, 20);
        const labels = space.i32(Array.from({ length: rows }, () => random.integer(n))).byteOffset;
        const targets = "targets" in spec ? space.matrix(rows, n, n, spec.targets(random, rows, n)) : undefined;
        const weights = weighted ? space.vector(rows, weightsOf(random, rows)).address : 0;
        const out = space.f64(2);
        const running = space.f64(5);
        const sum = (cut: number, from: number): number[] => {
          const z = space.matrix(rows, n, n + pad, values);
          running.fill(0);
          for (let row = 0; row < rows; row += cut) {
            const count = Math.min(cut, rows - row);
            const at = z.address + row * z.ld * 4;
            const target = targets ? targets.address + row * n * 4 : labels + row * 4;
            const weight = weights && weights + row * 4;
            spec.run(space.kernels, [count, n, at, z.ld, target, n, weight, at, z.ld, out.byteOffset], from);
          }
          return Array.from(out);
        };
        const whole = sum(rows, running.byteOffset);
        for (const cut of [1, 2, 3, 5, 7, 64]) expect(sum(cut, running.byteOffset)).toEqual(whole);
        // The same sums in another order.
        const alone = sum(rows, 0);
        expectWithin(whole, alone, (i) => 1e-12 * alone[i], `${rows} x ${n}`);
      }
    }
  }
});

test("smooth_labels and smooth_rows: any size, pads untouched", () => {
  const random = randomSource(13);
  const space = openSpace(1 << 20);
  for (const [rows, n] of [[0, 3], ...SIZES]) {
    space.reset();
    const labels = Array.from({ length: rows }, () => random.integer(n));
    const soft = random.floats(rows * n, 0, 1);
    const y = space.matrix(rows, n, n + 3);
    const relative = (expected: Float64Array) => (at: number) => U * expected[at];
    space.kernels.smooth_labels(rows, n, space.i32(labels).byteOffset, y.address, y.ld, 0.1);
    const ofLabels = smoothed(oneHot(labels, n), n, 0.1);
    expectWithin(y.read(), ofLabels, relative(ofLabels));
    const x = space.matrix(rows, n, n + 1, soft);
    space.kernels.smooth_rows(rows, n, x.address, x.ld, y.address, y.ld, 0.1);
    const ofRows = smoothed(soft, n, 0.1);
    expectWithin(y.read(), ofRows, relative(ofRows));
    expect(y.trespass()).toBeUndefined();
  }
});

test("cross-entropies are exact at logits of +-1e4", () => {
  const space = openSpace(1 << 16);
  const z = space.matrix(3, 2, 2, [1e4, -1e4, -1e4, 1e4, 1e4, 1e4]);
  const dz = space.matrix(3, 2, 2);
  const out = space.f64(2);
  space.kernels.softmax_cross_entropy(
    3,
    2,
    z.address,
    2,
    space.i32([0, 0, 1]).byteOffset,
    0,
    dz.address,
    2,
    out.byteOffset,
  );
  const third = Math.fround(1 / 3);
  expect(Array.from(dz.read())).toEqual([0, 0, -third, third, third / 2, -third / 2]);
  expectWithin(out, [2e4 + Math.LN2, 3], () => 2 * U * Math.LN2);
  const targets = space.matrix(3, 2, 2, [1, 0, 0, 1, 0, 1]);
  space.kernels.sigmoid_binary_cross_entropy(3, 2, z.address, 2, targets.address, 2, 0, dz.address, 2, out.byteOffset);
  const sixth = Math.fround(1 / 6);
  expect(Array.from(dz.read())).toEqual([0, 0, 0, 0, sixth, 0]);
  expect(Array.from(out)).toEqual([5e3, 3]);
});

test("a sure and right network still has a gradient: p - 1 does not cancel", () => {
  const space = openSpace(1 << 16);
  const values = Float32Array.from([12, -9, -11.5]);
  const expected = softmax(1, 3, values);
  const exact = [-(expected[1] + expected[2]), expected[1], expected[2]];
  const z = space.vector(3, values);
  const dz = space.vector(3);
  const out = space.f64(2);
  const bound = (j: number): number => (Math.abs(12 - values[1]) + 12) * U * Math.abs(exact[j]) * 2;
  space.kernels.softmax_cross_entropy(1, 3, z.address, 3, space.i32([0]).byteOffset, 0, dz.address, 3, out.byteOffset);
  expectWithin(dz.read(), exact, bound, "labels");
  expectWithin([out[0]], [Math.log1p(Math.exp(-21) + Math.exp(-23.5))], (j) => bound(j), "loss");
  const t = space.vector(3, [1, 0, 0]);
  space.kernels.softmax_cross_entropy_dense(1, 3, z.address, 3, t.address, 3, 0, dz.address, 3, out.byteOffset);
  expectWithin(dz.read(), exact, bound, "rows");
});

test("mean_absolute_error: the gradient is 0 where prediction and target are equal", () => {
  const space = openSpace(1 << 16);
  const z = space.vector(5, [1, 2, 3, 4, 5]);
  const dz = space.vector(5);
  const t = space.vector(5, [1, 0, 3, 9, 5]);
  space.kernels.mean_absolute_error(1, 5, z.address, 5, t.address, 5, 0, dz.address, 5, space.f64(2).byteOffset);
  const fifth = Math.fround(1 / 5);
  expect(Array.from(dz.read(), (value) => value + 0)).toEqual([0, fifth, 0, -fifth, 0]);
});

test("no rows: both sums are 0; weights of 0 give no gradient", () => {
  for (const { name, run } of CASES) {
    const space = openSpace(1 << 16);
    const z = space.vector(3, [1, 2, 3]);
    const t = space.vector(3, [0.25, 0.5, 0.25]);
    const dz = space.vector(3);
    const out = space.f64(2);
    run(space.kernels, [0, 3, z.address, 3, t.address, 3, 0, dz.address, 3, out.byteOffset]);
    expect(Array.from(out), name).toEqual([0, 0]);
    expect(dz.trespass(0), name).toBeUndefined();
    run(space.kernels, [1, 3, z.address, 3, t.address, 3, space.vector(1, [0]).address, dz.address, 3, out.byteOffset]);
    expect(Array.from(out), name).toEqual([0, 0]);
    expect(Array.from(dz.read(), Math.abs), name).toEqual([0, 0, 0]);
  }
});

test("a NaN among the logits makes the loss NaN", () => {
  for (const { name, run } of CASES) {
    for (let at = 0; at < 5; at++) {
      const space = openSpace(1 << 16);
      const values = [1, 2, 3, 4, 5];
      values[at] = Number.NaN;
      const z = space.vector(5, values);
      const t = space.vector(5, [0.25, 0.5, 0.25, 0, 1]);
      const out = space.f64(2);
      run(space.kernels, [1, 5, z.address, 5, t.address, 5, 0, space.vector(5).address, 5, out.byteOffset]);
      expect(out[0], name).toBeNaN();
    }
  }
});
